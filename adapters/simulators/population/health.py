"""The health view of a person: hc.death_certificate and the certificate of birth.

Hospitals certify most deaths, not all; a certificate that was corrected stays beside the one that
replaced it. Field names of the death certificate are those of the catalog.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from adapters.simulators.population.certified import is_certified
from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.divisions import DIVISIONS
from adapters.simulators.population.people import disagreement, member
from adapters.simulators.population.person import AS_OF, Death, Person
from adapters.simulators.population.places import Role
from adapters.simulators.population.quirks import Quirk

CORRECTED_PER_MILLE: Final = 30
"""Share of certificates that replace an earlier one."""
FIRST_BIRTH: Final = date(1996, 1, 1)
"""Since when certificates of birth are issued."""

# Cause as written → ICD-10.
_CODES: Final = {
    "心血管疾病": "I21.9",
    "脑血管疾病": "I64.X",
    "恶性肿瘤": "C34.9",
    "呼吸系统疾病": "J44.9",
    "意外伤害": "W19.9",
}
# Place of death (manual, section 5) → share per mille.
_PLACES: Final = (("1", 560), ("3", 330), ("4", 60), ("2", 40), ("9", 10))


class CertificateState(StrEnum):
    """Whether a certificate stands, by its code on the wire."""

    VALID = "1"
    REPLACED = "2"
    VOID = "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeathCertificate:
    """A record of hc.death_certificate; `cause` and all below it must never leave unasked."""

    death_date: date
    cause: str
    has_record: bool
    state: CertificateState
    certificate_no: str
    replaces: str | None
    cause_code: str
    place: str
    medical_record_no: str
    informant: str | None
    issue_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthCertificate:
    """A certificate of birth: no dataset uses it yet."""

    certificate_no: str
    mother_name: str
    mother_id: str
    father_name: str
    father_id: str
    issue_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRecord:
    """What the health department holds of one person; the certificate that stands comes last."""

    deaths: tuple[DeathCertificate, ...]
    birth: BirthCertificate | None
    issuer_code: str
    issuer_name: str
    updated: date


def health_record(someone: Person) -> HealthRecord:
    """View a person as the health department does."""
    deaths = death_certificates(someone)
    birth = _birth(someone)
    issued = [certificate.issue_date for certificate in (*deaths, birth) if certificate]
    hospital = someone.draws.below("hc/hospital", 20) + 1
    return HealthRecord(
        deaths=deaths,
        birth=birth,
        issuer_code=f"{someone.division}{hospital:03d}",
        issuer_name=f"{DIVISIONS[someone.division]}第{hospital}人民医院",
        updated=min(max(issued, default=someone.birth_date) + timedelta(days=1), AS_OF),
    )


def death_certificates(someone: Person) -> tuple[DeathCertificate, ...]:
    """List the certificates of a death: none, one, or a replaced one and its successor."""
    death = someone.death
    if death is None or not is_certified(someone):
        return ()
    draws, day = someone.draws, _certified_day(someone, death)
    issued = death.day + timedelta(days=draws.below("hc/issued", 3))
    corrected = draws.chance("hc/corrected", per_mille=CORRECTED_PER_MILLE)
    if someone.quirk is not None:
        corrected = someone.quirk is Quirk.CREMATED_NOT_CANCELLED
    if not corrected:
        return (_certificate(someone, death, day, issued, 0),)
    # The first one had the wrong day; a correction comes within six weeks.
    wrong = day - timedelta(days=1 + draws.below("hc/wrong", 3))
    later = issued + timedelta(days=5 + draws.below("hc/corrected/days", 35))
    return (
        _certificate(someone, death, wrong, issued, 0, CertificateState.REPLACED),
        _certificate(someone, death, day, later, 1),
    )


def _certified_day(someone: Person, death: Death) -> date:
    """Tell the day of death as certified: the day of the police but for those who disagree."""
    if disagreement(someone) is not Disagreement.HEALTH_DEATH_DATE:
        return death.day
    # Earlier, never later: a body is not cremated before the certified death.
    return death.day - timedelta(days=1 + someone.draws.below("hc/day", 5))


def _certificate(
    someone: Person,
    death: Death,
    day: date,
    issued: date,
    version: int,
    state: CertificateState = CertificateState.VALID,
) -> DeathCertificate:
    draws = someone.draws
    return DeathCertificate(
        death_date=day,
        cause=death.cause,
        has_record=state is CertificateState.VALID,
        state=state,
        certificate_no=_number(someone, death, version),
        replaces=_number(someone, death, version - 1) if version else None,
        cause_code=_CODES[death.cause],
        place=draws.weighted("hc/place", _PLACES),
        medical_record_no=f"ZY{someone.index:09d}{draws.number('hc/record') % 10**6:06d}",
        informant=_informant(someone),
        issue_date=issued,
    )


def _number(someone: Person, death: Death, version: int) -> str:
    return f"{someone.division}{death.day.year}{someone.index * 2 + version:08d}"


def _informant(someone: Person) -> str | None:
    """Name a member of the family who lives."""
    for role in (Role.SPOUSE, Role.HEAD, Role.CHILD):
        found = member(someone, role)
        if found is not None and found.index != someone.index and found.death is None:
            return found.full_name
    return None


def _birth(someone: Person) -> BirthCertificate | None:
    if someone.birth_date < FIRST_BIRTH or someone.role not in {Role.CHILD, Role.SECOND_CHILD}:
        return None
    # Whoever gave birth to an adopted child is not this mother, and is not told.
    if someone.household.quirk is Quirk.ADOPTED_CHILD and someone.role is Role.CHILD:
        return None
    head, spouse = member(someone, Role.HEAD), member(someone, Role.SPOUSE)
    if head is None or spouse is None:
        return None
    waited = 3 + someone.draws.below("hc/birth", 25)
    mother, father = (head, spouse) if head.sex == "2" else (spouse, head)
    return BirthCertificate(
        certificate_no=f"{someone.draws.pick('hc/series', 'MNPQRSTU')}{someone.index:09d}",
        mother_name=mother.full_name,
        mother_id=mother.id_number,
        father_name=father.full_name,
        father_id=father.id_number,
        issue_date=min(someone.birth_date + timedelta(days=waited), AS_OF),
    )
