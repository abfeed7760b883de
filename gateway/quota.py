"""Two kinds of quota: burst limits in memory, legal counters in the log's transaction.

Burst: GCRA, one timestamp per key, exact, without window edges (policy.md 6). Legal: calendar
counters whose charges commit with the `ask` they belong to, so that a crash neither loses nor
doubles them.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from gateway.errors import Reason, Refusal

MAX_KEYS: Final = 65_536
"""Burst keys held at once; the longest unused goes first. A key forgotten is a key at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstLimit:
    """So many per second on average, so many at once."""

    per_second: float
    burst: int


ROUNDING_S: Final = 1e-6
"""A float counts three years in steps a hundred times finer; no limit is meant so finely."""


class BurstLimiter:
    """Counts calls per key by the generic cell rate algorithm. One event loop, no lock."""

    __slots__ = ("_arrivals", "_limit")

    def __init__(self, limit: BurstLimit) -> None:
        self._limit = limit
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def charge(self, key: str, now_s: float, cost: int = 1) -> None:
        """Count `cost` calls of `key` at monotonic time `now_s`.

        Raises:
            Refusal: `RATE_LIMITED` with the time after which the same call conforms.
        """
        interval = 1.0 / self._limit.per_second
        tolerance = interval * self._limit.burst
        arrival = max(self._arrivals.get(key, now_s), now_s) + interval * cost
        # A refused call moves nothing: otherwise whoever keeps trying would never get in again.
        # Clock readings are large and intervals small: the last bit of a sum must refuse nobody.
        if arrival - now_s - tolerance > ROUNDING_S:
            raise Refusal(Reason.RATE_LIMITED, retry_after_s=arrival - now_s - tolerance)
        self._arrivals[key] = arrival
        self._arrivals.move_to_end(key)
        if len(self._arrivals) > MAX_KEYS:
            self._arrivals.popitem(last=False)


class InFlight:
    """Counts calls under way, in all and per system."""

    __slots__ = ("_in_all", "_limit", "_per_system", "_system_limit")

    def __init__(self, limit: int, system_limit: int) -> None:
        self._limit = limit
        self._system_limit = system_limit
        self._in_all = 0
        self._per_system: dict[str, int] = {}

    def enter(self) -> None:
        """Count one call in.

        Raises:
            Refusal: `GATEWAY_BUSY`.
        """
        if self._in_all >= self._limit:
            raise Refusal(Reason.GATEWAY_BUSY, retry_after_s=1.0)
        self._in_all += 1

    def leave(self) -> None:
        """Count one call out."""
        self._in_all -= 1

    def enter_system(self, system: str) -> None:
        """Count one call of a system in.

        Raises:
            Refusal: `RATE_LIMITED`.
        """
        count = self._per_system.get(system, 0)
        if count >= self._system_limit:
            raise Refusal(Reason.RATE_LIMITED, retry_after_s=1.0)
        self._per_system[system] = count + 1

    def leave_system(self, system: str) -> None:
        """Count one call of a system out."""
        count = self._per_system[system] - 1
        if count:
            self._per_system[system] = count
        else:
            # No entry at rest, so that the table is as large as what is under way.
            del self._per_system[system]
