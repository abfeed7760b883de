"""How departments have answered in the last ten minutes: shares and times, nothing of a question.

Kept in memory, in slices of ten seconds; times in bins a tenth apart, so a quantile is told at most
a tenth too high (0.1 ms is the least told) and a year of load takes no more room than a minute.
Times are of questions that reached the department; who gave up waiting is not counted.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from adapters.port import Indeterminate

WINDOW_S: Final = 600
SLICE_S: Final = 10
RECORD: Final = "Record"
NOT_FOUND: Final = "NotFound"
ANSWERED: Final = frozenset(
    {
        RECORD,
        NOT_FOUND,
        Indeterminate.PENDING.value,
        Indeterminate.SUBJECT_UNRESOLVED.value,
        Indeterminate.QUESTION_REJECTED.value,
    }
)
"""Outcomes that are the department's word; with every other it told nothing one could use."""
_AWAY: Final = frozenset(
    {Indeterminate.PROVIDER_UNAVAILABLE.value, Indeterminate.PROVIDER_NOT_CONNECTED.value}
)
_LEAST_S: Final = 0.0001
_STEP: Final = 1.1


@dataclass(slots=True)
class _Slice:
    number: int
    asked: int = 0
    answered: int = 0
    bins: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What one department did in the window; times are None where nothing was asked."""

    asked: int
    answered: int
    p50_s: float | None
    p95_s: float | None


class Board:
    """Counts what departments do; belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slices: dict[str, deque[_Slice]] = {}

    def count(self, provider: str, outcome: str, seconds: float) -> None:
        """Count one question."""
        slices = self._kept(provider)
        number = int(self._clock() // SLICE_S)
        if not slices or slices[-1].number != number:
            slices.append(_Slice(number))
        newest = slices[-1]
        newest.asked += 1
        newest.answered += outcome in ANSWERED
        # An open breaker refuses at once, and so does a closed port: no time of the department's.
        if outcome not in _AWAY:
            newest.bins[_bin_of(seconds)] += 1

    def recent(self, provider: str) -> Recent:
        """Return what a department did in the window."""
        slices = self._kept(provider)
        bins: Counter[int] = Counter()
        for each in slices:
            bins.update(each.bins)
        return Recent(
            asked=sum(each.asked for each in slices),
            answered=sum(each.answered for each in slices),
            p50_s=_quantile(bins, 0.50),
            p95_s=_quantile(bins, 0.95),
        )

    def _kept(self, provider: str) -> deque[_Slice]:
        slices = self._slices.setdefault(provider, deque())
        oldest = int(self._clock() // SLICE_S) - WINDOW_S // SLICE_S
        while slices and slices[0].number <= oldest:
            slices.popleft()
        return slices


def _bin_of(seconds: float) -> int:
    return max(0, math.ceil(math.log(max(seconds, _LEAST_S) / _LEAST_S, _STEP)))


def _quantile(bins: Counter[int], share: float) -> float | None:
    """Return the upper edge of the bin in which a share of the times ends."""
    wanted = math.ceil(bins.total() * share)
    reached = 0
    for number in sorted(bins):
        reached += bins[number]
        if reached >= wanted:
            return float(_LEAST_S * _STEP**number)
    return None
