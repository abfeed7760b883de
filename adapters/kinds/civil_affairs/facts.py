"""Cremations and assistance: lines of one person become a raw record, from whichever source.

Lines are texts in the spelling of the live check, names in lower case; columns that are not listed
here are dropped, or never selected. INVARIANT: no line is no finding: None says "not held".
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from adapters.errors import AnswerMalformed
from adapters.kinds.civil_affairs.asked import (
    Asked,
    context_of,
    held,
    require_asked,
    require_own,
    require_value,
    text_of,
)
from adapters.kinds.civil_affairs.codes import ASSIST_STATES, CATEGORIES, look_up
from adapters.kinds.civil_affairs.live import JsonRow, LiveCheck
from adapters.mapping.dates import day_of_ms, encode_day, parse_day
from adapters.port import Finding, Query
from adapters.records import RawRecord

Line = Mapping[str, str]
"""Member → text, empty where there is no value."""

CREMATION_MEMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "NAME",
        "id_card": "ID_CARD",
        "death_time": "DEATH_TIME",
        "cremation_time": "CREMATION_TIME",
        "facility": "FACILITY",
    }
)
"""Column of the view → member of the live check; address, family and their phone are not read."""
ASSISTANCE_MEMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        name: name
        for name in ("name", "id_card", "category", "valid_from", "valid_to", "assist_state")
    }
)
"""As above; amounts and the family are not read."""

_SECOND: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


async def ask_cremation(live: LiveCheck, query: Query) -> RawRecord | None:
    """Ask the live check whether and when a person was cremated."""
    return read_cremation(await _ask(live, query, "cremation", CREMATION_MEMBERS))


async def ask_assistance(live: LiveCheck, query: Query) -> RawRecord | None:
    """Ask the live check whether a person receives assistance."""
    lines = await _ask(live, query, "low_income", ASSISTANCE_MEMBERS)
    return read_assistance(lines, day_of_ms(query.issued_at_ms))


async def _ask(
    live: LiveCheck, query: Query, service: str, members: Mapping[str, str]
) -> tuple[Line, ...]:
    asked = require_asked(query)
    question = {"name": asked.name, "id_card": asked.identifier, **context_of(query)}
    rows = await live.fetch_rows(service, question, query.deadline)
    return tuple(_own_line(asked, row, members) for row in rows)


def _own_line(asked: Asked, row: JsonRow, members: Mapping[str, str]) -> Line:
    require_own(asked, row, members["id_card"], members["name"])
    return {name: text_of(row, member) for name, member in members.items()}


def read_cremation(lines: Sequence[Line]) -> RawRecord | None:
    """Return when a person died and was cremated; None without a line.

    Raises:
        AnswerMalformed: A time is empty or written otherwise.
    """
    if not lines:
        return None
    # All of them, not the chosen one: a line that cannot be read may be the one that counts.
    times = [_encode_second(require_value(line, "death_time")) for line in lines]
    chosen, died = max(
        zip(lines, times, strict=True), key=lambda pair: (pair[0]["cremation_time"], pair[1])
    )
    cremated = chosen["cremation_time"]
    return held(
        {
            "death_time": died,
            "cremation_time": _encode_second(cremated) if cremated else None,
            "facility": chosen["facility"] or None,
            "is_cremated": Finding.YES,
        }
    )


def read_assistance(lines: Sequence[Line], today: date) -> RawRecord | None:
    """Return what a person receives; None without a line.

    Raises:
        AnswerMalformed: A code that is not listed, an empty category, a day written otherwise.
    """
    if not lines:
        return None
    found = [_find_line(line, today) for line in lines]
    chosen, _ = max(
        zip(lines, found, strict=True),
        key=lambda pair: (pair[1] is Finding.YES, pair[0]["valid_to"]),
    )
    return held(
        {
            "category": look_up(CATEGORIES, chosen["category"], "category"),
            "valid_from": _day_or_none(chosen["valid_from"]),
            "valid_to": _day_or_none(chosen["valid_to"]),
            "is_recipient": _any(found),
        }
    )


def _find_line(line: Line, today: date) -> Finding:
    look_up(CATEGORIES, line["category"], "category")
    state = look_up(ASSIST_STATES, line["assist_state"], "assist_state")
    first, last = line["valid_from"], line["valid_to"]
    if state is Finding.NO:
        return state
    # Without its dates nobody can say whether today is among them.
    if not first or not last:
        return Finding.INDETERMINATE
    return state if parse_day(first) <= today <= parse_day(last) else Finding.NO


def _any(found: Sequence[Finding]) -> Finding:
    # One line that pays is enough; one that cannot be told forbids a NO.
    for best in (Finding.YES, Finding.INDETERMINATE):
        if best in found:
            return best
    return Finding.NO


def _day_or_none(text: str) -> str | None:
    return encode_day(text) if text else None


def _encode_second(text: str) -> str:
    """Return `2026-01-08T06:00:00` of `2026-01-08 06:00:00`, local time without a zone."""
    if not _SECOND.fullmatch(text):
        raise AnswerMalformed("a time is written in another spelling")
    try:
        return datetime.fromisoformat(text).isoformat(timespec="seconds")
    except ValueError:
        raise AnswerMalformed("a time that no clock shows") from None  # cause: the value
