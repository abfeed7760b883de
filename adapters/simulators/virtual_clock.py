"""The clock a simulator lives by: wall time plus an offset the tests set."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8))
"""Departments write local time without saying so."""


@dataclass(slots=True, kw_only=True)
class VirtualClock:
    """Wall time moved by an offset in milliseconds; it never stands still."""

    offset_ms: int = 0

    def now_ms(self) -> int:
        """Tell the simulated UTC time in milliseconds."""
        # It goes on between two calls, as the clock of a real department does.
        return _wall_ms() + self.offset_ms

    def set_to(self, now_ms: int) -> None:
        """Make it this time now."""
        self.offset_ms = now_ms - _wall_ms()

    def local(self) -> datetime:
        """Tell the simulated time in Beijing."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC).astimezone(BEIJING)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000  # noqa: TID251 - a simulator may not import the gateway's clock
