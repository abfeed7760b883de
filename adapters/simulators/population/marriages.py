"""Registrations of the couples of a household: marriages, divorces, re-issues, annulments.

What stands in the register of civil affairs, not how the couple lives: a divorce by judgment and
a marriage in another province leave no line here. INVARIANT: nobody registers after his death.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.divisions import DIVISIONS
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.education import DOTS
from adapters.simulators.population.household import Bond, Household
from adapters.simulators.population.identity import identity_number, old_form
from adapters.simulators.population.names import given_name, surname, variant_of, with_dot
from adapters.simulators.population.people import disagreement, member
from adapters.simulators.population.person import AS_OF, Person, index_of, person_at
from adapters.simulators.population.places import Role
from adapters.simulators.population.quirks import Quirk

EIGHTEEN_DIGITS_FROM: Final = date(1999, 10, 1)
"""Before this day a register could only write fifteen digits (GB 11643-1999)."""
STANDARD_NUMBERS_FROM: Final = date(2004, 1, 1)
"""Certificates before this day carry free text instead of a number."""

_OUTSIDE: Final = "410102"  # a county nobody of this population is registered in


class Operation(StrEnum):
    """What was registered; the value is the department's code."""

    MARRIAGE = "1"
    DIVORCE = "2"
    MARRIAGE_REISSUED = "3"
    DIVORCE_REISSUED = "4"
    ANNULMENT = "5"


_LETTERS: Final = {
    Operation.MARRIAGE: "J",
    Operation.ANNULMENT: "J",
    Operation.DIVORCE: "L",
    Operation.MARRIAGE_REISSUED: "BJ",
    Operation.DIVORCE_REISSUED: "BL",
}
_MARRYING: Final = frozenset({Operation.MARRIAGE, Operation.MARRIAGE_REISSUED})
_DIVORCING: Final = frozenset({Operation.DIVORCE, Operation.DIVORCE_REISSUED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two who registered; `stored_number` may be the old form of `id_number`."""

    id_number: str
    stored_number: str
    full_name: str
    ethnicity: str
    birth_date: date
    cremated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One line of the register; `in_force` when neither side registered anything later."""

    certificate_no: str
    operation: Operation
    op_date: date
    man: Side
    woman: Side
    office_code: str
    office_name: str
    address: str
    in_force: bool

    def sides_from(self, id_number: str) -> tuple[Side, Side]:
        """Give the side with this number and the other one."""
        own_first = self.man.id_number == id_number
        return (self.man, self.woman) if own_first else (self.woman, self.man)

    def names(self, id_number: str) -> bool:
        """Tell whether the person with this number is one of the two."""
        return id_number in {self.man.id_number, self.woman.id_number}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerSpouse:
    """A husband who died before the population begins: in this register and in no other."""

    id_number: str
    full_name: str
    birth_date: date
    died: date


def civil_name(person: Person) -> str:
    """Spell the name as civil affairs does."""
    if disagreement(person) is Disagreement.CIVIL_AFFAIRS_NAME_VARIANT:
        return variant_of(person.full_name)
    dot = DOTS.get(person.quirk) if person.quirk else None
    return with_dot(person.full_name, dot) if dot else person.full_name


def former_spouse(home: Household) -> FormerSpouse | None:
    """Name the late first husband of a remarried widow."""
    if home.quirk is not Quirk.REMARRIED_WIDOW:
        return None
    head = person_at(home.seed, index_of(home, 0))
    birth = head.birth_date - timedelta(days=700)
    draws = Draws(seed=home.seed, scope="former", index=home.number)
    return FormerSpouse(
        id_number=identity_number(_OUTSIDE, birth, 901),
        full_name=surname(draws) + given_name(draws),
        birth_date=birth,
        died=home.wedding - timedelta(days=500),
    )


def registrations_of(home: Household) -> tuple[Registration, ...]:
    """List what the couple of a household registered, oldest first."""
    return _registrations(home.seed, home.number)


def marital_status(own: tuple[Registration, ...], id_number: str) -> str | None:
    """Tell the status (GB/T 2261.2) the register knows of a person, None without any line."""
    if not own:
        return None
    last = own[-1]
    if last.operation in _DIVORCING:
        return "40"
    if last.operation is Operation.ANNULMENT:
        return "90"
    # The register hears of deaths from the crematorium alone.
    if last.sides_from(id_number)[1].cremated:
        return "30"
    weddings = sum(line.operation is Operation.MARRIAGE for line in own)
    return "22" if weddings > 1 else "20"


def is_marrying(line: Registration) -> bool:
    """Tell whether a line says that the two are married."""
    return line.operation in _MARRYING


@lru_cache(maxsize=4096)
def _registrations(seed: int, number: int) -> tuple[Registration, ...]:
    head = person_at(seed, number * 4)
    home, spouse = head.household, member(head, Role.SPOUSE)
    # What another province registered never arrives here.
    if spouse is None or home.quirk is Quirk.MARRIED_ELSEWHERE:
        return ()
    lines: list[Registration] = []
    couple = (head, spouse)
    former = former_spouse(home)
    if former is not None:
        married = former.died - timedelta(days=400)
        sides = (_former_side(former, married), _side(head, married))
        lines.append(_line(home, Operation.MARRIAGE, married, sides, in_force=False))
    events = _events(home, _end(couple))
    for place, (operation, day) in enumerate(events):
        sides = _by_sex(couple, day)
        last = place == len(events) - 1
        lines.append(_line(home, operation, day, sides, in_force=last, first=events[0][1]))
    return tuple(lines)


def _end(couple: tuple[Person, Person]) -> date:
    """Name the last day on which both could go to the office."""
    deaths = [person.death.day for person in couple if person.death]
    return min([AS_OF, *deaths]) - timedelta(days=30)


def _events(home: Household, end: date) -> list[tuple[Operation, date]]:
    draws = home.draws
    wedding = min(home.wedding, end)
    later = draws.day("registry/later", min(wedding + timedelta(days=400), end), end)
    events = [(Operation.MARRIAGE, wedding)]
    if home.bond is Bond.NEVER:
        # An annulled marriage never was one: the two count as unmarried.
        annulled = draws.chance("registry/annulled", per_mille=50)
        return [*events, (Operation.ANNULMENT, later)] if annulled else []
    reissue = Operation.MARRIAGE_REISSUED
    # A court's judgment never reaches the register.
    if home.bond is Bond.DIVORCED and home.quirk is not Quirk.DIVORCED_BY_COURT:
        events.append((Operation.DIVORCE, later))
        reissue = Operation.DIVORCE_REISSUED
    if home.quirk is None and draws.chance("registry/reissued", per_mille=20):
        events.append((reissue, draws.day("registry/reissue", later, end)))
    return events


def _line(
    home: Household,
    operation: Operation,
    day: date,
    sides: tuple[Side, Side],
    *,
    in_force: bool,
    first: date | None = None,
) -> Registration:
    # An annulment has no certificate of its own: it names the marriage it undoes.
    numbered = first if first and operation is Operation.ANNULMENT else day
    man, woman = sides
    return Registration(
        certificate_no=_certificate_no(home, operation, numbered),
        operation=operation,
        op_date=day,
        man=man,
        woman=woman,
        office_code=home.place.division,
        office_name=f"{DIVISIONS[home.place.division]}民政局婚姻登记处",
        address=home.address,
        in_force=in_force,
    )


def _certificate_no(home: Household, operation: Operation, day: date) -> str:
    serial = home.number % 1_000_000
    if day < STANDARD_NUMBERS_FROM:
        return f"{DIVISIONS[home.place.division]}{day.year}字第{serial:06d}号"
    return f"{_LETTERS[operation]}{home.place.division}-{day.year}-{serial:06d}"


def _by_sex(couple: tuple[Person, Person], day: date) -> tuple[Side, Side]:
    man, woman = sorted(couple, key=lambda person: person.sex)
    return _side(man, day), _side(woman, day)


def _side(person: Person, day: date) -> Side:
    aged = person.quirk is Quirk.FIFTEEN_DIGIT_ID or person.household.draws.chance(
        "registry/fifteen", per_mille=600
    )
    old = day < EIGHTEEN_DIGITS_FROM and aged
    return Side(
        id_number=person.id_number,
        stored_number=old_form(person.id_number) if old else person.id_number,
        full_name=civil_name(person),
        ethnicity=person.ethnicity,
        birth_date=person.birth_date,
        cremated=person.death is not None and person.death.cremated_at is not None,
    )


def _former_side(former: FormerSpouse, day: date) -> Side:
    old = day < EIGHTEEN_DIGITS_FROM
    return Side(
        id_number=former.id_number,
        stored_number=old_form(former.id_number) if old else former.id_number,
        full_name=former.full_name,
        ethnicity="01",
        birth_date=former.birth_date,
        cremated=True,
    )
