"""What a caller may ask how often, and which message identifiers were used."""

from collections import Counter, deque
from datetime import date
from typing import Final

PER_SECOND: Final = 20
"""Requests of one caller (domain.md, finding 6)."""
PER_ACCOUNT: Final = 4
"""Checks of one account per day in Beijing (domain.md, finding 6)."""
REMEMBERED_MS: Final = 24 * 3_600_000
"""How long a message identifier stays used."""


class Rate:
    """Requests of each caller in the last second."""

    def __init__(self) -> None:
        self._at: dict[str, deque[int]] = {}

    def admits(self, caller: str, now_ms: int) -> bool:
        """Count a request and tell whether it is within the rate; refused ones count."""
        times = self._at.setdefault(caller, deque(maxlen=PER_SECOND + 1))
        times.append(now_ms)
        # A clock that was set back must not lock a caller out for the difference.
        return sum(0 <= now_ms - at < 1000 for at in times) <= PER_SECOND  # noqa: PLR2004 - a second


class CardQuota:
    """Checks of each account today."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._count: Counter[str] = Counter()

    def admits(self, account_no: str, today: date) -> bool:
        """Count a check and tell whether it is within the quota."""
        # Yesterday's counts are of no use, so memory is bounded by a day.
        if today != self._day:
            self._day, self._count = today, Counter()
        self._count[account_no] += 1
        return self._count[account_no] <= PER_ACCOUNT


class UsedIds:
    """Message identifiers of the last day."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], int] = {}

    def use(self, caller: str, message_id: str, now_ms: int) -> bool:
        """Use an identifier and tell whether it was new."""
        used = self._at.get((caller, message_id))
        if used is not None and abs(now_ms - used) < REMEMBERED_MS:
            return False
        # Insertion order is the order of use: the oldest stand first.
        self._at.pop((caller, message_id), None)
        while self._at and now_ms - next(iter(self._at.values())) >= REMEMBERED_MS:
            self._at.pop(next(iter(self._at)))
        self._at[caller, message_id] = now_ms
        return True
