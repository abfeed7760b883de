"""What released together gives away: candidates left for a masked resident number.

A resident number (GB 11643-1999) (see policy.md 3.5) is 6 digits of county, 8 of birth, 3 of
sequence and a check digit modulo 11. Digits shown are known; of the hidden ones, the check digit
leaves one in eleven.

INVARIANT: counts are of the most an agreement can release at once, each cell at its highest rung.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.port import Effect, EffectKind, FieldName
from gateway.catalog import Dataset
from gateway.catalog.problems import PolicyReason, Position, Problem
from gateway.policy.effects import is_at_most
from gateway.policy.model import Cell

MIN_CANDIDATES: Final = 1_000
"""Fewer are too few (policy.md 8, demand 6)."""
BIRTH_DAYS: Final = 36_525
"""Days of a hundred years: nobody the matters know of was born earlier."""
COUNTIES_IN_PREFIX: Final = 40
"""Counties that share the first three digits, as 3.5 counts them."""
COUNTIES_IN_CITY: Final = 12
"""Counties that share four digits: the most populous city of the province has 12."""
_CHECK: Final = 11
_COUNTY_DIGITS: Final = 6
_CITY_DIGITS: Final = 4
_BIRTH_END: Final = 14
_LENGTH: Final = 18
_DAYS_BY_STEP: Final = {"decade": 3_652, "year": 365, "month": 28}


@dataclass(frozen=True, slots=True, kw_only=True)
class JointSet:
    """Effects an agreement may not reach all at once (不得同出)."""

    number: str
    title: str
    dataset: str
    effects: Mapping[FieldName, Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What is known beside a mask: effects of birth date and place, None if withheld."""

    front: int
    back: int
    birth: Effect | None = None
    place: Effect | None = None


def count_candidates(released: Released) -> int:
    """Return how many resident numbers are expected to fit what was released, at least 1."""
    counties = _count_counties(released)
    days = _count_days(released)
    # An expectation, not the count for one person: a compiler knows no person.
    # Sequence and check digit: what the back part does not show stays open.
    shown_back = min(released.back, _LENGTH - _BIRTH_END)
    open_sequence: int = 10 ** max(0, 3 - max(0, shown_back - 1))
    divisor = _CHECK if shown_back >= 1 else 1
    return max(1, counties * days * open_sequence // divisor)


def _count_counties(released: Released) -> int:
    place = released.place
    if released.front >= _COUNTY_DIGITS:
        return 1
    if place is not None and _tells(place, "county"):
        return 1
    if released.front >= _CITY_DIGITS or (place is not None and _tells(place, "city")):
        return COUNTIES_IN_CITY
    return COUNTIES_IN_PREFIX


def _tells(place: Effect, step: str) -> bool:
    if place.kind is EffectKind.CLEAR:
        return True
    return place.kind is EffectKind.GENERALISE and (
        place.parameters[0] == step or place.parameters[0] == "county"
    )


def _count_days(released: Released) -> int:
    if released.front > _COUNTY_DIGITS or released.back > _LENGTH - _BIRTH_END:
        return 1  # a digit of the birth date shows: counted as all of it
    birth = released.birth
    if birth is None:
        return BIRTH_DAYS
    if birth.kind is EffectKind.CLEAR:
        return 1
    if birth.kind is EffectKind.GENERALISE:
        return _DAYS_BY_STEP.get(birth.parameters[0], BIRTH_DAYS)
    return BIRTH_DAYS


def find_joint_problems(
    dataset: Dataset,
    cells: Mapping[FieldName, Cell],
    joint_sets: tuple[JointSet, ...],
    at: Position,
) -> Iterator[Problem]:
    """Yield a problem per masked number that can be restored and per joint set reached."""
    # The highest rung of each: what can be released at once counts, not what usually is.
    highest = {name: cell.steps[0].effect for name, cell in cells.items()}
    birth = highest.get(FieldName("birth_date"))
    places = [
        highest[field.name]
        for field in dataset.fields
        if field.name in highest and field.type in {"code:GB/T2260", "str200"}
    ]
    for field in dataset.fields:
        effect = highest.get(field.name)
        if field.type != "cid18" or effect is None or effect.kind is not EffectKind.MASK:
            continue
        front, back = (int(number) for number in effect.parameters)
        left = min(
            count_candidates(Released(front=front, back=back, birth=birth, place=place))
            for place in [*places, None]
        )
        if left < MIN_CANDIDATES:
            yield Problem(
                reason=PolicyReason.JOINT_DISCLOSURE,
                position=at,
                text_zh=f"“{field.title_zh}”与同时提供的数据项合并后只剩 {left} 个可能的号码",
                text_en=f"{field.name} together with the other fields leaves {left} candidates",
            )
    for joint in joint_sets:
        reached = joint.dataset == dataset.name and all(
            name in highest and is_at_most(effect, highest[name])
            for name, effect in joint.effects.items()
        )
        if reached:
            yield Problem(
                reason=PolicyReason.JOINT_SET_REACHED,
                position=at,
                text_zh=f"同时达到不得同出 {joint.number}（{joint.title}）",
                text_en=f"joint set {joint.number} can be reached",
            )
