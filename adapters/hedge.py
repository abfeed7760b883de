"""A second call where the first takes longer than most: when, how many, and which one counts.

Knows no HTTP. Only what may be asked twice may be hedged; whoever calls says so.
INVARIANT: there are never more second calls than one for `FIRST_PER_SECOND` first ones.
INVARIANT: of two calls one is left, and the other has ended, before anything is returned.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

FIRST_PER_SECOND: Final = 20
"""First calls that pay for one second call: 5 % more calls at most."""
_MOST_SAVED: Final = 5 * FIRST_PER_SECOND
# A quantile of fewer times would be the largest of them.
_LEAST_KNOWN: Final = 40
_KEPT: Final = 400
# Sorting 400 times takes 10 us: not for each call.
_RECKONED_EVERY: Final = 20
_QUANTILE: Final = 0.95

Answer = TypeVar("Answer")
Begin = Callable[[], Coroutine[None, None, Answer]]


class Hedging:
    """Knows how long calls take, and how many second ones are left. One event loop, no lock."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_KEPT)
        self._noted = 0
        self._delay_s: float | None = None
        self._credit = 0

    @property
    def delay_s(self) -> float | None:
        """Seconds within which 95 of 100 calls were answered; None while too few are known."""
        return self._delay_s

    def earn(self) -> None:
        """Count a first call."""
        self._credit = min(_MOST_SAVED, self._credit + 1)

    def spend(self) -> bool:
        """Count a second call, if one is left."""
        if self._credit < FIRST_PER_SECOND:
            return False
        self._credit -= FIRST_PER_SECOND
        return True

    def note(self, seconds: float) -> None:
        """Note how long a call took, or had taken when the other one came first."""
        self._times.append(seconds)
        self._noted += 1
        if self._noted >= _LEAST_KNOWN and self._noted % _RECKONED_EVERY == 0:
            ordered = sorted(self._times)
            self._delay_s = ordered[math.ceil(len(ordered) * _QUANTILE) - 1]


async def race(first: Begin[Answer], second: Begin[Answer], delay_s: float) -> Answer:
    """Return the first answer of two calls, the second begun where the first takes too long.

    One that fails counts only when both did; then it is the first one's failure that is raised.
    `second` may raise at once, which leaves the first.
    """
    tasks = [asyncio.ensure_future(first())]
    try:
        await asyncio.wait(tasks, timeout=delay_s)
        if not tasks[0].done():
            tasks.append(asyncio.ensure_future(second()))
        return await _first_good(tasks)
    finally:
        for task in tasks:
            task.cancel()
        # Awaited: a loser that is left to end by itself would hold its place meanwhile.
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first_good(tasks: list[asyncio.Task[Answer]]) -> Answer:
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled() and task.exception() is None:
                return task.result()
    return await tasks[0]
