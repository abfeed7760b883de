"""The table of policy.md 3.5: what is left of a masked resident number."""

from collections import Counter
from datetime import date, timedelta

import pytest

from gateway.policy.disclosure import Released, count_candidates
from gateway.policy.effects import parse_effect

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"

TABLE = [
    # front, back, birth, place, candidates of the table
    (6, 4, None, None, 3_317),
    (6, 4, "概化(年)", None, 33),
    (6, 4, "明文", None, 1),
    (3, 4, None, None, 132_829),
    (3, 4, "明文", None, 3),
    (3, 4, "明文", "概化(县)", 1),
]


@pytest.mark.parametrize(("front", "back", "birth", "place", "expected"), TABLE)
def test_the_count_is_that_of_the_table(
    front: int, back: int, birth: str | None, place: str | None, expected: int
) -> None:
    """Within two in a thousand: the table was counted for one number, ours is the expectation."""
    released = Released(
        front=front,
        back=back,
        birth=None if birth is None else parse_effect(birth),
        place=None if place is None else parse_effect(place),
    )

    assert count_candidates(released) == pytest.approx(expected, rel=0.002)


def count_exactly(county: str, sequence: str) -> Counter[str]:
    """Count the birth dates of 1926 to 2025 by the check character they give."""
    counts: Counter[str] = Counter()
    day = date(1926, 1, 1)
    while day.year <= 2025:
        digits = f"{county}{day:%Y%m%d}{sequence}"
        total = sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True))
        counts[CHECKS[total % 11]] += 1
        day += timedelta(days=1)
    return counts


def test_the_first_line_of_the_table_is_found_by_enumeration() -> None:
    """Some check character leaves exactly 3,317 dates, all leave within one per cent of it."""
    counts = count_exactly("370102", "002").values()

    assert 3_317 in counts
    assert all(abs(count - 3_320) < 33 for count in counts)


@pytest.mark.parametrize(
    ("front", "back", "birth", "safe"),
    [
        (4, 4, None, True),
        (3, 4, None, True),
        (0, 0, None, True),
        (6, 4, None, True),
        (8, 4, None, False),
        (6, 6, None, False),
        (6, 4, "概化(十年)", False),
        (3, 4, "概化(年)", True),
        (3, 4, "概化(月)", False),
        (4, 0, "明文", True),
    ],
)
def test_fewer_than_a_thousand_is_too_few(
    front: int, back: int, birth: str | None, *, safe: bool
) -> None:
    """A digit of the birth date that shows counts as the whole date."""
    effect = None if birth is None else parse_effect(birth)
    left = count_candidates(Released(front=front, back=back, birth=effect))

    assert (left >= 1_000) == safe
