"""The civil affairs view of a person: the ca.* datasets.

Field names of the dataset records are those of the catalog; what the department sends beside them
stands in the same records. Predicates as asked about the spouse or the guardian in the register.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.household import Bond, Household
from adapters.simulators.population.marriages import (
    FormerSpouse,
    Registration,
    civil_name,
    former_spouse,
    is_marrying,
    marital_status,
    registrations_of,
)
from adapters.simulators.population.people import Population, disagreement, member
from adapters.simulators.population.person import ADULT, AS_OF, Person, person_at
from adapters.simulators.population.places import MEMBERS, Role
from adapters.simulators.population.planting import HOUSEHOLDS
from adapters.simulators.population.public_security import housemates
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.working_life import State, career_of

_KINDS: Final = (("1", 25), ("3", 10), ("", 965))
"""Minimum allowance and its margin: shares of households per mille."""
_CATEGORIES: Final = {"1": "低保", "2": "特困", "3": "低边"}
_CHILDREN: Final = {"1": "收养", "2": "孤儿", "3": "事实无人抚养"}
_OPERATIONS: Final = {"1": "结婚", "2": "离婚", "3": "补领", "4": "补领", "5": "撤销"}

_LATEST: Final = AS_OF - timedelta(days=30)
"""Nothing is registered after this day, so that no record is younger than its `as_of`."""
PENSIONER: Final = 60
"""Age from which a person without family is supported as destitute."""
ADOPTION_LAW: Final = date(1992, 4, 1)
"""Adoptions are registered since the Adoption Law came into force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarriageVerify:
    """A record of ca.marriage_verify; `current_status` None where nothing is registered."""

    registration_found: bool
    is_couple: bool
    current_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarriageRecord:
    """A record of ca.marriage_record, seen from one of the two."""

    certificate_no: str
    op_type: str
    op_date: date
    spouse_name: str
    spouse_id: str
    office_code: str
    ethnicity_pair: str
    registration: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Cremation:
    """A record of ca.cremation."""

    person_id: str
    full_name: str
    sex: str
    death_time: datetime
    cremation_time: datetime
    facility: str
    home_address: str
    is_cremated: bool
    handler_name: str
    handler_phone: str
    office_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistance:
    """A record of ca.assistance; `state` 1 paid, 2 suspended, 3 ended."""

    person_id: str
    full_name: str
    category: str
    category_code: str
    valid_from: date
    valid_to: date
    state: str
    monthly_amount: str
    is_recipient: bool
    family_no: str
    family_size: int
    home_address: str
    office_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionChild:
    """A record of ca.adoption_child; `parents` are the adoptive or, of a needy child, its own."""

    person_id: str
    full_name: str
    sex: str
    birth_date: date
    child_status: str
    child_type: str
    adoption_no: str
    is_dependent_child: bool
    op_type: str
    op_date: date
    parents: tuple[tuple[str, str] | None, tuple[str, str] | None]
    guardian_name: str | None
    office_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CivilAffairsRecord:
    """What civil affairs hold of one person."""

    person_id: str
    full_name: str
    marriage_verify: MarriageVerify
    marriage_record: tuple[MarriageRecord, ...]
    cremation: Cremation | None
    assistance: Assistance | None
    adoption_child: tuple[AdoptionChild, ...]
    as_of: date


def civil_affairs_record(person: Person) -> CivilAffairsRecord:
    """View a person as civil affairs do."""
    own = _own_lines(person.household, person.id_number)
    return CivilAffairsRecord(
        person_id=person.id_number,
        full_name=civil_name(person),
        marriage_verify=_marriage_verify(own, person.id_number),
        marriage_record=tuple(_marriage_record(line, person.id_number) for line in own),
        cremation=_cremation(person),
        assistance=_assistance(person),
        adoption_child=_child_records(person),
        as_of=as_of(person.household),
    )


def late_husbands(people: Population) -> dict[str, CivilAffairsRecord]:
    """List by number those whom this department alone knows: late husbands of remarried widows."""
    found = {}
    for number, planted in enumerate(HOUSEHOLDS):
        index = number * MEMBERS
        if planted.quirk is not Quirk.REMARRIED_WIDOW or index >= people.size:
            continue
        home = person_at(people.seed, index).household
        former = former_spouse(home)
        if former is not None:
            found[former.id_number] = _former_record(home, former)
    return found


def as_of(home: Household) -> date:
    """Tell when the department last touched what it holds of a household."""
    return AS_OF - timedelta(days=home.draws.below("ca/as_of", 28))


def _own_lines(home: Household, id_number: str) -> tuple[Registration, ...]:
    return tuple(line for line in registrations_of(home) if line.names(id_number))


def _marriage_verify(own: tuple[Registration, ...], id_number: str) -> MarriageVerify:
    return MarriageVerify(
        registration_found=bool(own),
        is_couple=bool(own) and own[-1].in_force and is_marrying(own[-1]),
        current_status=marital_status(own, id_number),
    )


def _marriage_record(line: Registration, id_number: str) -> MarriageRecord:
    _, other = line.sides_from(id_number)
    return MarriageRecord(
        certificate_no=line.certificate_no,
        op_type=_OPERATIONS[line.operation],
        op_date=line.op_date,
        spouse_name=other.full_name,
        spouse_id=other.stored_number,
        office_code=line.office_code,
        ethnicity_pair=f"{line.man.ethnicity}/{line.woman.ethnicity}",
        registration=line,
    )


def _former_record(home: Household, former: FormerSpouse) -> CivilAffairsRecord:
    own = _own_lines(home, former.id_number)
    died = datetime.combine(former.died, time(6))
    return CivilAffairsRecord(
        person_id=former.id_number,
        full_name=former.full_name,
        marriage_verify=_marriage_verify(own, former.id_number),
        marriage_record=tuple(_marriage_record(line, former.id_number) for line in own),
        cremation=Cremation(
            person_id=former.id_number,
            full_name=former.full_name,
            sex="1",
            death_time=died,
            cremation_time=died + timedelta(hours=50),
            facility="殡仪馆10号厅",
            home_address=home.address,
            is_cremated=True,
            handler_name=person_at(home.seed, home.number * MEMBERS).full_name,
            handler_phone=_phone(home),
            office_code=home.place.division,
        ),
        assistance=None,
        adoption_child=(),
        as_of=as_of(home),
    )


def _cremation(person: Person) -> Cremation | None:
    death = person.death
    if death is None or death.cremated_at is None:
        return None
    shift = disagreement(person) is Disagreement.CIVIL_AFFAIRS_DEATH_DAY
    # Taken from the family's word, so in a few cases a day off the register's.
    day = death.day - timedelta(days=1 if shift else 0)
    handler = next((found for found in housemates(person) if found.death is None), person)
    return Cremation(
        person_id=person.id_number,
        full_name=civil_name(person),
        sex=person.sex,
        death_time=datetime.combine(day, time(person.draws.below("death/hour", 24))),
        cremation_time=death.cremated_at,
        facility=death.facility,
        home_address=person.household.address,
        is_cremated=True,
        handler_name=handler.full_name,
        handler_phone=_phone(person.household),
        office_code=person.division,
    )


def _phone(home: Household) -> str:
    return f"199{home.draws.below('ca/phone', 10**8):08d}"


def _assistance(person: Person) -> Assistance | None:
    home = person.household
    kind = _kind(person)
    if not kind:
        return None
    draws = home.draws
    lapsed = draws.chance("assistance/lapsed", per_mille=150)
    last = date(2025, 12, 31) if lapsed else date(2026, 12, 31)
    first = date(last.year - 1, draws.below("assistance/month", 12) + 1, 1)
    # Payment ends with the month of the death.
    if person.death and person.death.day <= last:
        last, lapsed = max(_month_end(person.death.day), first), True
    suspended = draws.chance("assistance/suspended", per_mille=80)
    state = "3" if lapsed else "2" if suspended else "1"
    cents = 0 if kind == "3" else 30_000 + draws.below("assistance/amount", 90_000)
    return Assistance(
        person_id=person.id_number,
        full_name=civil_name(person),
        category=_CATEGORIES[kind],
        category_code=kind,
        valid_from=first,
        valid_to=last,
        state=state,
        monthly_amount=f"{cents // 100}.{cents % 100:02d}",
        is_recipient=state == "1",
        family_no=f"JZ{person.division}{home.number:08d}",
        family_size=1 if kind == "2" else len(housemates(person)),
        home_address=home.address,
        office_code=person.division,
    )


def _kind(person: Person) -> str:
    home = person.household
    # Planted people are ordinary in all but their case; no case is about assistance.
    if home.quirk is not None:
        return ""
    alone = home.bond is Bond.NEVER and person.role is Role.HEAD and person.age >= PENSIONER
    if alone and person.draws.chance("destitute", per_mille=150):
        return "2"
    kind = home.draws.weighted("assistance", _KINDS)
    # Who holds a job with employees' insurance lifts the family above the line.
    if kind and any(_employed(found) for found in housemates(person)):
        return ""
    return kind


def _employed(person: Person) -> bool:
    career = career_of(person)
    return career is not None and career.urban and career.state is State.INSURED


def _month_end(day: date) -> date:
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following - timedelta(days=1)


def _child_records(person: Person) -> tuple[AdoptionChild, ...]:
    if person.role not in {Role.CHILD, Role.SECOND_CHILD}:
        return ()
    if _is_adopted(person):
        return _adoption(person)
    kind = _needy_kind(person)
    return (_needy(person, kind),) if kind else ()


def _is_adopted(person: Person) -> bool:
    home = person.household
    if home.quirk is Quirk.ADOPTED_CHILD:
        return person.role is Role.CHILD
    possible = home.quirk is None and home.bond is Bond.MARRIED
    return (
        possible
        and ADOPTION_LAW <= person.birth_date <= AS_OF - timedelta(days=900)
        and person.draws.chance("adopted", per_mille=6)
    )


def _adoption(person: Person) -> tuple[AdoptionChild, ...]:
    begun = person.birth_date + timedelta(days=200 + person.draws.below("adopted/day", 600))
    registered = _child(person, "1", "1", begun)
    dissolved = person.household.quirk is None and person.draws.chance("dissolved", per_mille=100)
    if not dissolved:
        return (registered,)
    ended = person.draws.day("dissolved/day", begun + timedelta(days=30), _LATEST)
    return (registered, _child(person, "1", "2", ended))


def _needy_kind(person: Person) -> str:
    if person.household.quirk or person.death or person.age >= ADULT:
        return ""
    parents = [member(person, Role.HEAD), member(person, Role.SPOUSE)]
    lost = sum(parent is not None and parent.death is not None for parent in parents)
    # An orphan's other parent is dead as well or cannot be found.
    if lost == len(parents) or (lost and person.draws.chance("needy/missing", per_mille=500)):
        return "2"
    return "3" if person.draws.chance("needy", per_mille=8) else ""


def _needy(person: Person, kind: str) -> AdoptionChild:
    day = person.draws.day("needy/day", person.birth_date + timedelta(days=200), _LATEST)
    parents = (member(person, Role.HEAD), member(person, Role.SPOUSE))
    deaths = [parent.death.day for parent in parents if parent and parent.death]
    # Nobody is an orphan before the death that makes him one.
    return _child(person, kind, "1", max([day, *deaths]))


def _child(person: Person, kind: str, operation: str, day: date) -> AdoptionChild:
    couple = [found for role in (Role.HEAD, Role.SPOUSE) if (found := member(person, role))]
    father, mother = sorted(couple, key=lambda parent: parent.sex)
    grandparent = member(person, Role.PARENT)
    guardian = grandparent.full_name if grandparent else f"{person.full_name[0]}氏亲属"
    letter = "收" if kind == "1" else "困"
    return AdoptionChild(
        person_id=person.id_number,
        full_name=civil_name(person),
        sex=person.sex,
        birth_date=person.birth_date,
        child_status=_CHILDREN[kind],
        child_type=kind,
        adoption_no=f"{person.division}{letter}{day.year}{person.index:08d}",
        is_dependent_child=operation == "1",
        op_type=operation,
        op_date=day,
        parents=(
            (civil_name(father), father.id_number),
            (civil_name(mother), mother.id_number),
        ),
        guardian_name=None if kind == "1" else guardian,
        office_code=person.division,
    )
