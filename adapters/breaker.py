"""The breaker of one department: closed, open, half-open.

Knows no HTTP. A question passes once, however many calls it takes, and its end is counted once.
INVARIANT: while the breaker is not closed, only its probe decides: what a question tells that began
before is of another time.
"""

from collections.abc import Callable
from enum import Enum, auto

from adapters.causes import Cause
from adapters.errors import NotSent
from adapters.limits import TransportLimits
from adapters.port import BreakerState, Indeterminate


class Passage(Enum):
    """How a question came through."""

    FREE = auto()
    PROBE = auto()


class Verdict(Enum):
    """What the end of a question says of the department."""

    ANSWERS = auto()
    FAILS = auto()
    NOTHING = auto()
    """Cancelled, never sent, or the asker had no time."""


class Breaker:
    """Stops asking a department that does not answer. One event loop, no lock."""

    def __init__(self, limits: TransportLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """What the next question would meet."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.is_open else BreakerState.HALF_OPEN

    @property
    def is_open(self) -> bool:
        """Whether the next question would be refused."""
        if self._open_until is None:
            return False
        return self._probing or self._clock() < self._open_until

    def require_passage(self) -> Passage:
        """Let a question through; after the open time exactly one probe.

        Raises:
            NotSent: PROVIDER_UNAVAILABLE while open.
        """
        if self.is_open:
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.BREAKER_OPEN)
        if self._open_until is None:
            return Passage.FREE
        self._probing = True
        return Passage.PROBE

    def settle(self, passage: Passage, verdict: Verdict) -> None:
        """Count the end of a question that passed; every passage is settled once."""
        if passage is Passage.PROBE:
            self._probing = False
        elif self._open_until is not None:
            return
        if verdict is Verdict.ANSWERS:
            self._failures, self._open_until = 0, None
        elif verdict is Verdict.FAILS:
            self._failures += 1
            # Only an answer sets the count back, so a failed probe opens at once: one asker has
            # paid, eight need not.
            if self._failures >= self._limits.breaker_failures:
                self._open_until = self._clock() + self._limits.breaker_open_s
