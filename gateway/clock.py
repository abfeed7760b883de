"""The only module that reads the time of day.

INVARIANT: times handed out never fall below the newest checkpoint's, so no entry and no record is
dated before a tree head that partners already hold (decisions.md, "The path, refined").
"""

import time
from typing import Protocol

from gateway.errors import Fault, Reason

BACKWARDS_TOLERANCE_MS = 5_000
"""How far the system clock may step back before we stop (decisions.md)."""


class Clock(Protocol):
    """Where the core takes the time from."""

    def now_ms(self) -> int:
        """Return UTC milliseconds, never below the floor.

        Raises:
            Fault: `CLOCK_BACKWARDS` when the system clock lies more than 5 s below the floor.
        """
        ...

    def raise_floor(self, checkpoint_ms: int) -> None:
        """Note the time of a checkpoint; no later reading lies below it."""
        ...


class SystemClock:
    """The clock of the machine, held to its floor."""

    __slots__ = ("_floor_ms",)

    def __init__(self) -> None:
        self._floor_ms = 0

    def now_ms(self) -> int:
        """Return UTC milliseconds, never below the floor."""
        return held_to_floor(time.time_ns() // 1_000_000, self._floor_ms)

    def raise_floor(self, checkpoint_ms: int) -> None:
        """Note the time of a checkpoint."""
        self._floor_ms = max(self._floor_ms, checkpoint_ms)


class VirtualClock:
    """A clock that stands still until told; for tests and for simulated faults that take hours."""

    __slots__ = ("_floor_ms", "_now_ms")

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._floor_ms = 0

    def now_ms(self) -> int:
        """Return the set time, never below the floor."""
        return held_to_floor(self._now_ms, self._floor_ms)

    def raise_floor(self, checkpoint_ms: int) -> None:
        """Note the time of a checkpoint."""
        self._floor_ms = max(self._floor_ms, checkpoint_ms)

    def set(self, now_ms: int) -> None:
        """Set the time, also backwards."""
        self._now_ms = now_ms

    def advance(self, milliseconds: int) -> None:
        """Move the time on."""
        self._now_ms += milliseconds


def held_to_floor(reading_ms: int, floor_ms: int) -> int:
    """Return the reading, or the floor when the reading lies at most 5 s below it.

    Raises:
        Fault: `CLOCK_BACKWARDS` beyond that.
    """
    if reading_ms >= floor_ms:
        return reading_ms
    if floor_ms - reading_ms <= BACKWARDS_TOLERANCE_MS:
        return floor_ms
    raise Fault(Reason.CLOCK_BACKWARDS)
