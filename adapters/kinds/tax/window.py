"""The hours at a month's end in which the department does nothing (docs/adapters/tax.md, 5)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.mapping.dates import CHINA_TIME

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINS: Final = 18
_ENDS: Final = 6


def left_of_window(now_ms: int) -> float:
    """Return the seconds until a month's end is over, 0 outside of it.

    From 18:00 of the last day to 06:00 of the first, in China.
    """
    now = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(CHINA_TIME)
    # Six hours after 18:00 it is the first day of the month, and still is at 06:00 and twelve.
    shifted = now + timedelta(hours=24 - _BEGINS)
    begun = shifted.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = begun + timedelta(hours=24 - _BEGINS + _ENDS)
    return (ends - shifted).total_seconds() if shifted.day == 1 and shifted < ends else 0.0
