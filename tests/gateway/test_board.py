"""What is told of departments: exact counts in the window, quantiles a tenth too high at most."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.port import Indeterminate
from gateway.board import NOT_FOUND, RECORD, SLICE_S, WINDOW_S, Board

USCC = "11370000MB2DEM0105"
OTHER = "11370000MB2DEM0202"


@dataclass
class Clock:
    """A time that is set."""

    now: float = 1_000.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


@given(st.lists(st.floats(min_value=0.0001, max_value=60), min_size=1, max_size=200))
def test_quantiles_are_at_most_a_tenth_too_high(seconds: list[float]) -> None:
    """Compared with the sorted list itself."""
    board = Board(Clock())
    for each in seconds:
        board.count(USCC, "Record", each)

    recent = board.recent(USCC)

    for share, told in ((0.50, recent.p50_s), (0.95, recent.p95_s)):
        exact = sorted(seconds)[math.ceil(len(seconds) * share) - 1]
        assert told is not None
        assert exact * 0.999_999 <= told <= exact * 1.100_001


def test_refusals_of_our_own_are_no_times_of_the_department() -> None:
    """A breaker that is open would make a department that is down the fastest of all."""
    board = Board(Clock())
    board.count(USCC, "Record", 0.5)
    for _ in range(99):
        board.count(USCC, "PROVIDER_UNAVAILABLE", 0.000_005)

    recent = board.recent(USCC)

    assert (recent.asked, recent.answered) == (100, 1)
    assert recent.p50_s is not None
    assert recent.p50_s >= 0.5


def test_what_is_older_than_the_window_is_forgotten() -> None:
    """Ten minutes are told, and no slice is kept for longer."""
    clock = Clock()
    board = Board(clock)
    board.count(USCC, "Record", 0.1)
    clock.now += WINDOW_S - SLICE_S
    board.count(USCC, Indeterminate.PROVIDER_TIMEOUT.value, 5.0)

    both = board.recent(USCC)
    clock.now += SLICE_S
    newer = board.recent(USCC)
    clock.now += WINDOW_S
    nothing = board.recent(USCC)

    assert (both.asked, both.answered) == (2, 1)
    assert (newer.asked, newer.answered) == (1, 0)
    assert (nothing.asked, nothing.p50_s, nothing.p95_s) == (0, None, None)


def test_hours_of_load_take_no_more_room_than_the_window() -> None:
    """One slice per ten seconds, whatever was asked."""
    clock = Clock()
    board = Board(clock)
    for _ in range(10_000):
        clock.now += 1
        board.count(USCC, "Record", 0.1)

    assert len(board._slices[USCC]) <= WINDOW_S // SLICE_S
    assert board.recent(USCC).asked <= WINDOW_S


OUTCOMES: dict[str, bool] = {
    "Record": True,
    "NotFound": True,
    "PENDING": True,
    "SUBJECT_UNRESOLVED": True,
    "QUESTION_REJECTED": True,
    "PROVIDER_TIMEOUT": False,
    "PROVIDER_UNAVAILABLE": False,
    "PROVIDER_MALFORMED": False,
    "PROVIDER_FAULT": False,
    "PROVIDER_UNPROVEN": False,
    "PROVIDER_QUOTA": False,
    "PROVIDER_NOT_CONNECTED": False,
    "SUBJECT_MISMATCH": False,
}
"""Whether each outcome there is counts as answered."""


@pytest.mark.parametrize(("outcome", "answered"), OUTCOMES.items())
def test_an_answer_is_the_departments_word(outcome: str, *, answered: bool) -> None:
    """Each outcome there is counts on one side, and for its own department only."""
    board = Board(Clock())

    board.count(USCC, outcome, 0.1)

    assert board.recent(USCC).answered == int(answered)
    assert board.recent(OTHER).asked == 0


def test_every_reason_is_judged_above() -> None:
    """A reason that is new has to be put on one of the two sides."""
    assert set(OUTCOMES) == {RECORD, NOT_FOUND, *(each.value for each in Indeterminate)}
