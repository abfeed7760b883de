"""The population as a whole: people by index, number or certificate, and their relations.

A population is a seed and a size; it holds no people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.simulators.population.certified import is_certified
from adapters.simulators.population.disagreements import Disagreement, disagreement_of
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.household import Bond
from adapters.simulators.population.identity import is_identity_number
from adapters.simulators.population.person import Person, index_of, person_at
from adapters.simulators.population.places import MEMBERS, PLANTED_BLOCK, Role, household_at, trace
from adapters.simulators.population.planting import HOUSEHOLDS, borrowed_place, planted_at
from adapters.simulators.population.schooling import candidates, index_of_code, schooling_of

DEFAULT_SIZE: Final = 10_000


class Kinship(StrEnum):
    """How two people of one household are related."""

    COUPLE = "couple"
    PARENT_CHILD = "parent_child"
    SIBLINGS = "siblings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """A seed and a size; every person is computed when asked for."""

    seed: int = 1
    size: int = DEFAULT_SIZE

    def person(self, index: int) -> Person:
        """Build the person with this index.

        Raises:
            IndexError: nobody in this population has it.
        """
        if not 0 <= index < self.size:
            raise IndexError("no person with this index")
        return person_at(self.seed, index)

    def find(self, id_number: str) -> tuple[Person, ...]:
        """Find who bears an 18-character number: nobody, one, or two who share it."""
        if not is_identity_number(id_number):
            return ()
        traced = trace(self.seed, id_number)
        if traced is None:
            return ()
        place, role = traced
        # A second child sits where others have a parent.
        member = min(role, Role.PARENT)
        if place.block >= PLANTED_BLOCK:
            households = _planted_households(planted_at(place))
        else:
            households = (household_at(self.seed, place),)
        indices = (household * MEMBERS + member for household in households)
        people = (person_at(self.seed, index) for index in indices if index < self.size)
        return tuple(found for found in people if found.id_number == id_number)

    def holder_of(self, certificate_no: str) -> Person | None:
        """Find who holds a diploma or degree with this number."""
        # The serial narrows a million people to one in each span of serials.
        for index in candidates(certificate_no, self.size):
            found = schooling_of(person_at(self.seed, index))
            if found and certificate_no in {found.diploma_no, found.degree_no}:
                return person_at(self.seed, index)
        return None

    def holder_of_code(self, code: str) -> Person | None:
        """Find to whom an online verification code was given."""
        index = index_of_code(self.seed, code)
        if index is None or index >= self.size:
            return None
        found = schooling_of(person_at(self.seed, index))
        # The tail of the code is random: a guessed head is not enough.
        given = found and code in {found.diploma_code, found.degree_code}
        return person_at(self.seed, index) if given else None

    def disagreements(self) -> Iterator[tuple[int, Disagreement]]:
        """Yield the index of each person about whom departments disagree, and about what."""
        for index in range(len(HOUSEHOLDS) * MEMBERS, self.size):
            draws = Draws(seed=self.seed, scope="person", index=index)
            if disagreement_of(draws) is None:  # nobody is built for a draw that says no
                continue
            found = disagreement(person_at(self.seed, index))
            if found is not None:
                yield index, found


def disagreement(someone: Person) -> Disagreement | None:
    """Tell how departments disagree; a kind that cannot show becomes the name in HRSS."""
    drawn = someone.drawn_disagreement
    match drawn:
        case Disagreement.HRSS_STATE_LAG if someone.death is None:
            return Disagreement.HRSS_NAME_VARIANT
        case Disagreement.HEALTH_DEATH_DATE if not is_certified(someone):
            return Disagreement.HRSS_NAME_VARIANT
        case Disagreement.BANK_STATE_LAG if someone.death is None or someone.cancellation is None:
            return Disagreement.HRSS_NAME_VARIANT
        case Disagreement.EDUCATION_BIRTH_DATE | Disagreement.EDUCATION_NAME_VARIANT:
            return drawn if schooling_of(someone) else Disagreement.HRSS_NAME_VARIANT
        # Only cremations carry a day of death of the department's own.
        case Disagreement.CIVIL_AFFAIRS_DEATH_DAY:
            cremated = someone.death is not None and someone.death.cremated_at is not None
            return drawn if cremated else Disagreement.CIVIL_AFFAIRS_NAME_VARIANT
        case _:
            return drawn


def member(someone: Person, role: Role) -> Person | None:
    """Find the member of a person's household with this role."""
    for place_in_household in range(MEMBERS):
        found = person_at(someone.seed, index_of(someone.household, place_in_household))
        if found.role is role:
            return found
    return None


def relation(one: Person, other: Person) -> Kinship | None:
    """Tell how two people are related, None when they are not."""
    # Relatives in other households exist in life, not in this population.
    if one.household.number != other.household.number or one.index == other.index:
        return None
    match frozenset({one.role, other.role}):
        case pair if pair == {Role.HEAD, Role.SPOUSE}:
            return Kinship.COUPLE if one.household.bond is Bond.MARRIED else None
        case pair if pair == {Role.CHILD, Role.SECOND_CHILD}:
            return Kinship.SIBLINGS
        case pair if Role.PARENT in pair:
            return Kinship.PARENT_CHILD if Role.HEAD in pair else None
        case _:
            return Kinship.PARENT_CHILD


def _planted_households(first: int | None) -> tuple[int, ...]:
    """Name the planted household of a place and the next one when it borrows the number."""
    if first is None:
        return ()
    twin = first + 1
    shared = twin < len(HOUSEHOLDS) and borrowed_place(twin) == HOUSEHOLDS[first].place
    return (first, twin) if shared else (first,)
