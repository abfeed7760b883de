"""The police view of a person: the ps.* datasets.

Field names are those of the catalog. Predicates stand as they answer a question asked with the
right name, the right relative and the right portrait.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adapters.simulators.population.divisions import DIVISIONS
from adapters.simulators.population.household import Bond
from adapters.simulators.population.people import member, relation
from adapters.simulators.population.person import AS_OF, Person, index_of, person_at
from adapters.simulators.population.photo import photo_of
from adapters.simulators.population.places import MEMBERS, Role
from adapters.simulators.population.quirks import Quirk

# Role and sex → GB/T 4761, two-digit codes.
_RELATIONS: Final = {
    (Role.HEAD, "1"): "02",
    (Role.HEAD, "2"): "02",
    (Role.SPOUSE, "1"): "11",
    (Role.SPOUSE, "2"): "12",
    (Role.CHILD, "1"): "20",
    (Role.CHILD, "2"): "30",
    (Role.SECOND_CHILD, "1"): "20",
    (Role.SECOND_CHILD, "2"): "30",
    (Role.PARENT, "1"): "51",
    (Role.PARENT, "2"): "52",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonVerify:
    """A record of ps.person_verify."""

    id_match: bool
    name_match: bool
    deceased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCore:
    """A record of ps.person_core."""

    full_name: str
    former_name: str | None
    sex: str
    ethnicity: str
    birth_date: date
    registered_address: str
    registered_division: str
    person_state: str
    photo: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdRecord:
    """A record of ps.household; predicates as asked about the head or, of the head, the spouse."""

    household_no: str
    head_name: str
    relation_to_head: str
    member_count: int
    member_names: tuple[str, ...]
    same_household: bool
    kinship_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeathCancel:
    """A record of ps.death_cancel."""

    cancel_date: date | None
    cancel_reason: str | None
    death_date: date | None
    is_cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoCompare:
    """A record of ps.photo_compare."""

    same_person: bool
    score_band: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSecurityRecord:
    """What the police hold of one person."""

    person_verify: PersonVerify
    person_core: PersonCore
    household: HouseholdRecord
    death_cancel: DeathCancel
    photo_compare: PhotoCompare
    birthplace: str
    registration_office: str
    as_of: date


def public_security_record(someone: Person) -> PublicSecurityRecord:
    """View a person as the population register does."""
    cancellation = someone.cancellation
    place = DIVISIONS[someone.division]
    return PublicSecurityRecord(
        person_verify=PersonVerify(id_match=True, name_match=True, deceased=is_deceased(someone)),
        person_core=PersonCore(
            full_name=someone.full_name,
            former_name=someone.former_name,
            sex=someone.sex,
            ethnicity=someone.ethnicity,
            birth_date=someone.birth_date,
            registered_address=someone.household.address,
            registered_division=someone.division,
            person_state=person_state(someone),
            photo=photo_of(someone),
        ),
        household=_household(someone),
        death_cancel=DeathCancel(
            cancel_date=cancellation.day if cancellation else None,
            cancel_reason=cancellation.reason if cancellation else None,
            death_date=someone.death.day if is_deceased(someone) and someone.death else None,
            is_cancelled=cancellation is not None,
        ),
        photo_compare=PhotoCompare(same_person=True, score_band="high"),
        birthplace=place,
        registration_office=registration_office(someone),
        as_of=AS_OF - timedelta(days=someone.draws.below("ps/as_of", 400)),
    )


def is_deceased(someone: Person) -> bool:
    """Tell whether the register marks a person as dead: only a cancelled registration does."""
    return someone.cancellation is not None and someone.cancellation.reason == "死亡"


def registration_office(someone: Person) -> str:
    """Name the police station that keeps the registration."""
    number = someone.household.draws.below("office", 40) + 1
    return f"{DIVISIONS[someone.division]}公安局第{number}派出所"


def person_state(someone: Person) -> str:
    """Tell the state in the register: 正常, 注销 or 迁出."""
    # Cancelled wins: one who moved and then died is cancelled.
    if someone.cancellation is not None:
        return "注销"
    return "迁出" if someone.moved_out else "正常"


def household_no(someone: Person) -> str:
    """Number the registered household; a divorced or split couple has two."""
    home = someone.household
    # Divorced and never married couples live apart, so do the split ones.
    parted = home.bond is not Bond.MARRIED or home.quirk is Quirk.HOUSEHOLD_SPLIT
    away = someone.role is Role.SPOUSE and parted
    return f"{someone.division}{home.number + (50_000_000 if away else 0):08d}"


def housemates(someone: Person) -> tuple[Person, ...]:
    """List who is registered in the same household, the person included."""
    everyone = (
        person_at(someone.seed, index_of(someone.household, place)) for place in range(MEMBERS)
    )
    own = household_no(someone)
    return tuple(found for found in everyone if household_no(found) == own)


def _household(someone: Person) -> HouseholdRecord:
    together = housemates(someone)
    heads = [found for found in together if found.role is Role.HEAD]
    # About whom the two predicates are told when nobody was named.
    other = heads[0] if heads and someone.role is not Role.HEAD else member(someone, Role.SPOUSE)
    alone = not heads
    return HouseholdRecord(
        household_no=household_no(someone),
        head_name=someone.full_name if alone else heads[0].full_name,
        relation_to_head="02" if alone else _RELATIONS[someone.role, someone.sex],
        member_count=len(together),
        member_names=tuple(found.full_name for found in together),
        same_household=other in together,
        kinship_ok=other is not None and relation(someone, other) is not None,
    )
