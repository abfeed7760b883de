"""The HRSS department's own view of a person: the hr.* datasets.

Field names are those of the catalog; predicates as on the day of the registers (`AS_OF`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adapters.simulators.population.bank import account_of
from adapters.simulators.population.cards import card_state, was_replaced
from adapters.simulators.population.contributions import (
    MonthPaid,
    average_base,
    months_paid,
    recent,
)
from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.employers import employer_of
from adapters.simulators.population.names import variant_of
from adapters.simulators.population.people import disagreement
from adapters.simulators.population.person import AS_OF, Person
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.working_life import Career, State, career_of

MONTHS_ASKED: Final = 12
"""The N of `paid_at_least` in this view; a reader of the tables compares with his own."""

_OCCUPATIONS: Final = ("电工", "焊工", "钳工", "养老护理员", "保育师", "中式烹调师", "汽车维修工")


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """A record of hr.participation."""

    insured_kinds: tuple[str, ...]
    state: str
    employer_uscc: str | None
    first_date: date
    agency_division: str
    is_insured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionRecord:
    """A record of hr.contribution_record; `paid_at_least` as asked for twelve months."""

    months_paid: int
    recent_months: tuple[MonthPaid, ...]
    avg_base: str
    paid_at_least: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pension:
    """A record of hr.pension."""

    benefit_state: str
    start_month: str
    monthly_amount: str
    last_certified: date
    is_receiving: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SocialCard:
    """A record of hr.sscard."""

    card_no: str
    card_state: str
    issue_division: str
    bank_name: str
    has_valid_card: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unemployment:
    """A record of hr.unemployment."""

    registered: bool
    register_date: date
    benefit_months_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabourContract:
    """A record of hr.labour_contract."""

    employer_uscc: str
    start_date: date
    end_date: date | None
    has_active_contract: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """A record of hr.qualification."""

    certificate_no: str
    occupation: str
    skill_level: str
    issue_date: date
    state: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HrssRecord:
    """What the HRSS department holds of one person."""

    person_id: str
    full_name: str
    participation: Participation | None
    contribution_record: ContributionRecord | None
    pension: Pension | None
    sscard: tuple[SocialCard, ...]
    unemployment: Unemployment | None
    labour_contract: tuple[LabourContract, ...]
    qualification: tuple[Qualification, ...]
    as_of: date


def hrss_record(person: Person) -> HrssRecord:
    """View a person as the HRSS department does."""
    career = career_of(person)
    misspelt = disagreement(person) is Disagreement.HRSS_NAME_VARIANT
    return HrssRecord(
        person_id=person.id_number,
        full_name=variant_of(person.full_name) if misspelt else person.full_name,
        participation=_participation(person, career) if career else None,
        contribution_record=_contributions(person, career) if career else None,
        pension=_pension(person, career) if career else None,
        sscard=_cards(person),
        unemployment=_unemployment(person, career) if career else None,
        labour_contract=_contracts(person, career) if career else (),
        qualification=_qualifications(person, career) if career else (),
        as_of=AS_OF - timedelta(days=person.draws.below("hr/as_of", 90)),
    )


def _participation(person: Person, career: Career) -> Participation:
    working = career.state is State.INSURED and career.urban
    return Participation(
        insured_kinds=("110", "210", "310", "410") if career.urban else ("170", "310"),
        state=career.state.value,
        employer_uscc=employer_of(person).uscc if working else None,
        first_date=career.first,
        agency_division=person.division,
        is_insured=career.state is State.INSURED,
    )


def _contributions(person: Person, career: Career) -> ContributionRecord:
    months = months_paid(person, career)
    return ContributionRecord(
        months_paid=months,
        recent_months=recent(person, career),
        avg_base=average_base(person),
        paid_at_least=months >= MONTHS_ASKED,
    )


def _pension(person: Person, career: Career) -> Pension | None:
    start = career.retired
    if start is None:
        return None
    state = _benefit_state(person, career)
    last = person.draws.day("certified", AS_OF - timedelta(days=500), AS_OF - timedelta(days=10))
    # Nobody is certified as living after his death.
    ends = person.death.day if person.death else AS_OF
    cents = 150_000 + person.draws.below("pension", 450_000)
    return Pension(
        benefit_state=state,
        start_month=f"{start:%Y%m}",
        monthly_amount=f"{cents // 100}.{cents % 100:02d}",
        last_certified=max(min(last, ends), start),
        is_receiving=state == "正常",
    )


def _benefit_state(person: Person, career: Career) -> str:
    match person.quirk:
        case Quirk.PENSION_SUSPENDED:
            return "暂停"
        case Quirk.PENSION_UNDER_REVIEW:
            return "待复审"
        # What the yearly re-certification exists to find.
        case Quirk.DEAD_PENSION_PAID | Quirk.CREMATED_NOT_CANCELLED:
            return "正常"
        case _:
            return "终止" if career.state is State.ENDED else "正常"


def _cards(person: Person) -> tuple[SocialCard, ...]:
    number = person.index * 38_742_049 % 10**8
    letter = "ABCDEFGHJK"[person.index // 10**8 % 10]
    state = card_state(person)
    card = SocialCard(
        card_no=f"{letter}{number:08d}",
        card_state=state,
        issue_division=f"{person.division[:4]}00",
        bank_name=account_of(person).bank_name,
        has_valid_card=state == "正常",
    )
    if not was_replaced(person):
        return (card,)
    old = SocialCard(
        card_no=f"Z{number:08d}",
        card_state="注销",
        issue_division=card.issue_division,
        bank_name=card.bank_name,
        has_valid_card=False,
    )
    return card, old


def _unemployment(person: Person, career: Career) -> Unemployment | None:
    # Only employees' insurance knows unemployment.
    if career.state is not State.INTERRUPTED or not career.urban:
        return None
    since = person.draws.day("unemployed", AS_OF - timedelta(days=300), AS_OF - timedelta(days=20))
    return Unemployment(
        registered=person.quirk is Quirk.UNEMPLOYED or person.draws.chance("dole", per_mille=800),
        register_date=since,
        benefit_months_left=person.draws.below("dole/left", 24) + 1,
    )


def _contracts(person: Person, career: Career) -> tuple[LabourContract, ...]:
    if not career.urban or career.retired is not None:
        return ()
    active = career.state is State.INSURED
    start = person.draws.day("contract", max(career.first, date(2018, 1, 1)), date(2026, 6, 1))
    endless = active and person.draws.chance("endless", per_mille=200)
    end = date(start.year + 6 + start.year % 4, start.month, 1) if active else AS_OF - timedelta(45)
    end = max(end, date(2027, 2, 28)) if active else max(end, start)
    return (
        LabourContract(
            employer_uscc=employer_of(person).uscc,
            start_date=start,
            end_date=None if endless else end,
            has_active_contract=active,
        ),
    )


def _qualifications(person: Person, career: Career) -> tuple[Qualification, ...]:
    planted = person.quirk is Quirk.QUALIFICATION_REVOKED
    if not planted and not (career.urban and person.draws.chance("skilled", per_mille=150)):
        return ()
    issued = person.draws.day("skill/day", max(career.first, date(2008, 1, 1)), AS_OF)
    level = person.draws.pick("skill/level", "1233344455")
    revoked = planted or person.draws.chance("skill/revoked", per_mille=5)
    return (
        Qualification(
            certificate_no=f"Y{person.division}{issued.year}{level}{person.index:010d}",
            occupation=person.draws.pick("occupation", _OCCUPATIONS),
            skill_level=level,
            issue_date=issued,
            state="撤销" if revoked else "有效",
            verified=not revoked,
        ),
    )
