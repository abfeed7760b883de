"""The nasty cases of domain.md, section 11, as named people at fixed places.

The first households of every population are these, read from `planted.csv`. Number, name and sex
of each head do not depend on the seed, so a test or a document can name him.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from adapters.simulators.population.places import MEMBERS, PLANTED_BLOCK, Place, Role, member_number
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.tables import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedHousehold:
    """The head of a planted household and what he is for."""

    quirk: Quirk
    full_name: str
    sex: str
    place: Place
    what_is_special: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A named person of a nasty case; `index` leads to him in any population of any seed."""

    name_of_case: str
    index: int
    id_number: str
    full_name: str
    what_is_special: str
    expected: str


def _load_households() -> tuple[PlantedHousehold, ...]:
    """Read `planted.csv`; households of one county and birth day get neighbouring blocks."""
    used: Counter[tuple[str, str]] = Counter()
    households: list[PlantedHousehold] = []
    for row in read_table("planted.csv"):
        division, day = row["division"], row["head_birth"]
        place = Place(
            division=division,
            head_birth=date.fromisoformat(day),
            block=PLANTED_BLOCK + used[division, day],
        )
        used[division, day] += 1
        households.append(
            PlantedHousehold(
                quirk=Quirk(row["quirk"]),
                full_name=row["full_name"],
                sex=row["sex"],
                place=place,
                what_is_special=row["what_is_special"],
                expected=row["expected"],
            )
        )
    return tuple(households)


HOUSEHOLDS: Final = _load_households()
"""Household number → planted household; generated households follow."""

_BY_PLACE: Final = {planted.place: number for number, planted in enumerate(HOUSEHOLDS)}


def planted_household(household: int) -> PlantedHousehold | None:
    """Find the planted household of a number, None for a generated one."""
    return HOUSEHOLDS[household] if household < len(HOUSEHOLDS) else None


def planted_at(place: Place) -> int | None:
    """Find the number of the planted household of a place."""
    return _BY_PLACE.get(place)


def borrowed_place(household: int) -> Place:
    """Name the place whose identity number the head of a planted household carries.

    His own, but for the second of two people with one number.
    """
    planted, before = HOUSEHOLDS[household], HOUSEHOLDS[max(household - 1, 0)]
    # The historic duplicate: one number was given to two people (domain.md, section 11).
    twins = planted.quirk is before.quirk is Quirk.TWO_PEOPLE_ONE_ID
    return before.place if twins else planted.place


def planted_index(quirk: Quirk) -> int:
    """Find the index of the first person of a case."""
    numbers = (number for number, planted in enumerate(HOUSEHOLDS) if planted.quirk is quirk)
    return next(numbers) * MEMBERS


@lru_cache(maxsize=1)
def planted() -> tuple[Planted, ...]:
    """List every planted person."""
    return tuple(
        Planted(
            name_of_case=household.quirk.value,
            index=number * MEMBERS,
            # Heads have no shift, so any seed gives the same number.
            id_number=member_number(0, borrowed_place(number), Role.HEAD, household.sex),
            full_name=household.full_name,
            what_is_special=household.what_is_special,
            expected=household.expected,
        )
        for number, household in enumerate(HOUSEHOLDS)
    )
