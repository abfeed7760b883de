"""How much one department may take of us, and we of it; the defaults are safe.

What an operator may choose stands in `adapters.settings.LimitsConfig`; the rest is ours.
"""

from dataclasses import dataclass
from typing import Final

from adapters.settings import LimitsConfig

MAX_BODY: Final = 4 * 1024 * 1024
"""Bytes; 500 records of public security with thumbnails take about 1 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """The limits of one department's transport."""

    concurrency: int = 32
    """Calls in flight."""
    queue: int = 224
    """Questions that wait for one of these places."""
    per_second: float | None = None
    """Calls that may begin in a second, repeated ones included; None: as many as there are."""
    burst: int = 1
    """Calls that may begin at once after a pause; 1 keeps any second within `per_second`."""
    max_body: int = MAX_BODY
    """Bytes of an answer."""
    attempts: int = 3
    """Calls of one idempotent question, the first included."""
    backoff_s: float = 0.05
    """Longest wait before the second attempt; doubles with each."""
    connect_s: float = 2.0
    patience_s: float | None = None
    """Longest time of a question, its wait for a place included; None: until its deadline."""
    fair_s: float = 1.0
    """A timeout after less than this says nothing of the department."""
    breaker_failures: int = 8
    """Questions failed in a row that open the breaker."""
    breaker_open_s: float = 5.0
    """How long it stays open before one probe may pass."""
    hedging: bool = False
    """Whether an idempotent call that takes longer than most may be put a second time."""

    @property
    def fair_timeout_s(self) -> float:
        """Return the shortest timeout that says something of the department."""
        # Whoever configures less patience than that means it: half of it, because a wait for a
        # place comes off it.
        return self.fair_s if self.patience_s is None else min(self.fair_s, self.patience_s / 2)


def build_limits(section: LimitsConfig, max_body: int = MAX_BODY) -> TransportLimits:
    """Return the limits that a department's section of the configuration states.

    `max_body` is what its page allows an answer, in bytes.
    """
    return TransportLimits(
        max_body=max_body,
        concurrency=section.concurrency,
        queue=section.queue,
        per_second=section.per_second,
        burst=section.burst,
        attempts=section.attempts,
        connect_s=section.connect_s,
        patience_s=section.patience_s,
        breaker_failures=section.breaker_failures,
        breaker_open_s=section.breaker_open_s,
        hedging=section.hedging,
    )
