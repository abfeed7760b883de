"""Where in the number space a household lives, and back: the reason no table of people is kept.

Household number h owns one slot of (county, birth day of its head, sequence block); the slot is
an affine permutation of h, so it is inverted by arithmetic. The sequence number of each member
names his role and sex, the distance of his birth day from the head's is a function of county,
block and role alone, so the number itself leads back to the household. INVARIANT: no two
(household, role) share an identity number unless a planted case says so.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from math import gcd
from typing import Final

from adapters.simulators.population.divisions import DIVISION_CODES
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.identity import birth_of, identity_number

MEMBERS: Final = 4
"""People per household; index = 4 * household + member."""

FIRST_HEAD_BIRTH: Final = date(1928, 1, 1)
LAST_HEAD_BIRTH: Final = date(1992, 12, 31)
PARENT_FROM: Final = date(1960, 1, 1)
"""Heads born from this day have a parent as fourth member, older ones a second child."""

_DAYS: Final = (LAST_HEAD_BIRTH - FIRST_HEAD_BIRTH).days + 1
_BLOCKS: Final = 90  # blocks 90-99 of the sequence numbers are kept for planted households
PLANTED_BLOCK: Final = 90
_SLOTS: Final = len(DIVISION_CODES) * _DAYS * _BLOCKS


class Role(IntEnum):
    """What a member is to the head; the value stands in the sequence number."""

    HEAD = 0
    SPOUSE = 1
    CHILD = 2
    PARENT = 3
    SECOND_CHILD = 4


# Days by which a member is born after (+) or before (-) the head: couples close in age, children
# when the head is 25 to 32 and 33 to 38, a parent 21 to 33 years older.
_SHIFTS: Final = {
    Role.HEAD: (0, 0),
    Role.SPOUSE: (-900, 900),
    Role.CHILD: (9_200, 11_700),
    Role.PARENT: (-12_000, -7_700),
    Role.SECOND_CHILD: (11_950, 13_900),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The slot of a household: county, birth day of its head, block of sequence numbers."""

    division: str
    head_birth: date
    block: int


def role_of(place: Place, member: int) -> Role:
    """Name the role of the member 0-3 of a household."""
    if member < Role.PARENT:
        return Role(member)
    return Role.PARENT if place.head_birth >= PARENT_FROM else Role.SECOND_CHILD


def birth_date(seed: int, place: Place, role: Role) -> date:
    """Compute the birth day of a member."""
    return place.head_birth + timedelta(days=_shift(seed, place.division, place.block, role))


def member_number(seed: int, place: Place, role: Role, sex: str) -> str:
    """Compose the identity number of a member."""
    # Blocks of ten: five roles, two sexes.
    sequence = place.block * 10 + role * 2 + (1 if sex == "1" else 0)
    return identity_number(place.division, birth_date(seed, place, role), sequence)


def place_of(seed: int, household: int) -> Place:
    """Find the slot of a household that is not planted."""
    multiplier, _, offset = _permutation(seed)
    # Mixed radix: block, day, county from the lowest digit up.
    rest, block = divmod((household * multiplier + offset) % _SLOTS, _BLOCKS)
    county, day = divmod(rest, _DAYS)
    return Place(
        division=DIVISION_CODES[county],
        head_birth=FIRST_HEAD_BIRTH + timedelta(days=day),
        block=block,
    )


def household_at(seed: int, place: Place) -> int:
    """Find the household of a slot: the inverse of `place_of`."""
    _, inverse, offset = _permutation(seed)
    county = DIVISION_CODES.index(place.division)
    day = (place.head_birth - FIRST_HEAD_BIRTH).days
    slot = (county * _DAYS + day) * _BLOCKS + place.block
    return (slot - offset) * inverse % _SLOTS


def trace(seed: int, identity: str) -> tuple[Place, Role] | None:
    """Lead an identity number back to a slot and a role, None where nobody can have it."""
    # The last three digits before the check character: block, role and sex.
    birth, sequence = birth_of(identity), int(identity[14:17])
    division, block, place_in_block = identity[:6], sequence // 10, sequence % 10
    if birth is None or division not in DIVISION_CODES:
        return None
    role = Role(place_in_block // 2)
    # The shift needs no household number, so it can be taken back here.
    head_birth = birth - timedelta(days=_shift(seed, division, block, role))
    if not FIRST_HEAD_BIRTH <= head_birth <= LAST_HEAD_BIRTH:
        return None
    return Place(division=division, head_birth=head_birth, block=block), role


def _shift(seed: int, division: str, block: int, role: Role) -> int:
    first, last = _SHIFTS[role]
    draws = Draws(seed=seed, scope="shift", index=int(division) * 100 + block)
    return first + draws.below(role.name, last - first + 1)


@lru_cache(maxsize=16)
def _permutation(seed: int) -> tuple[int, int, int]:
    """Choose multiplier, inverse and offset; near the golden section neighbours lie far apart."""
    draws = Draws(seed=seed, scope="permutation", index=0)
    multiplier = _SLOTS * 618 // 1000 + draws.below("multiplier", 100_000)
    # Only a multiplier coprime to the number of slots can be inverted.
    while gcd(multiplier, _SLOTS) != 1:
        multiplier += 1
    return multiplier, pow(multiplier, -1, _SLOTS), draws.below("offset", _SLOTS)
