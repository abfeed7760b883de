"""Dates in the spellings departments use, read into ISO 8601.

Knows no department. A day without a zone is a day in China: departments write local time.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from adapters.mapping.names import fold_width

CHINA_TIME: Final = timezone(timedelta(hours=8), "UTC+8")
"""GB/T 7408: one zone in the whole country, no summer time since 1992."""

_DAY_SPELLINGS: Final = (
    re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    re.compile(r"(?P<y>[0-9]{4})[-/.](?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})"),
    re.compile(r"(?P<y>[0-9]{4})年(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})日"),
)
_SECOND: Final = re.compile(r"[0-9]{14}")
_EPOCH_MS: Final = re.compile(r"-?[0-9]{12,13}")
_MONTH: Final = re.compile(r"(?P<y>[0-9]{4})[-/.年]?(?P<m>[0-9]{2})月?")


def parse_day(text: str) -> date:
    """Return the day of `20040701`, `2004-7-1`, `2004年7月1日`, `20040701083000` or epoch ms.

    Raises:
        AnswerMalformed: None of these spellings, or no such day.
    """
    folded = fold_width(text)
    # The number of digits tells the spelling: 8 a day, 12 or 13 milliseconds, 14 a second.
    if _EPOCH_MS.fullmatch(folded):
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(folded))
        return instant.astimezone(CHINA_TIME).date()
    if _SECOND.fullmatch(folded):
        folded = folded[:8]
    for spelling in _DAY_SPELLINGS:
        if match := spelling.fullmatch(folded):
            return _build_day(match["y"], match["m"], match["d"])
    raise AnswerMalformed("a day is written in no known spelling", Cause.DATE_FORM)


def require_second(text: str) -> None:
    """Demand `yyyyMMddHHmmss` of a time that a calendar and a clock have.

    Raises:
        AnswerMalformed: Another spelling, or no such time.
    """
    if not _SECOND.fullmatch(text):
        raise AnswerMalformed("a time is written in another spelling", Cause.DATE_FORM)
    _build_day(text[:4], text[4:6], text[6:8])
    try:
        time(int(text[8:10]), int(text[10:12]), int(text[12:]))
    except ValueError:
        what = "a time that no clock has"
        raise AnswerMalformed(what, Cause.DATE_FORM) from None  # cause: the value


def parse_month(text: str) -> str:
    """Return `YYYYMM` of `202601`, `2026-01` or `2026年01月`.

    Raises:
        AnswerMalformed: None of these spellings, or no such month.
    """
    match = _MONTH.fullmatch(fold_width(text))
    if match is None:
        raise AnswerMalformed("a month is written in no known spelling", Cause.DATE_FORM)
    day = _build_day(match["y"], match["m"], "1")
    return f"{day.year:04d}{day.month:02d}"


def encode_day(text: str) -> str:
    """Return the ISO spelling `YYYY-MM-DD` of a day in any known spelling.

    Raises:
        AnswerMalformed: None of the known spellings.
    """
    return parse_day(text).isoformat()


# One question asks twice for the day of its one time.
@lru_cache(maxsize=64)
def day_of_ms(now_ms: int) -> date:
    """Return the day it is in China at a UTC time in milliseconds."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)
    return instant.astimezone(CHINA_TIME).date()


def second_of_ms(now_ms: int) -> str:
    """Return `yyyyMMddHHmmss` in China of a UTC time in milliseconds."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)
    return instant.astimezone(CHINA_TIME).strftime("%Y%m%d%H%M%S")


def _build_day(year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise AnswerMalformed(
            "a day that no calendar has", Cause.DATE_FORM
        ) from None  # cause: the value
