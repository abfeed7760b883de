"""Read the JSON files of a trust directory with exactly one meaning (RFC 8259, narrowed).

Refused: repeated names, unknown names, missing names, fractions, other number spellings of the
library (`NaN`), other types, other time spellings, and files that are too long.
Knows no file and no field.
"""

import json
import re
from datetime import datetime
from typing import Final, TypeAlias

from certs.errors import CertificateReason, CertificateRefused

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | bool | None"
JsonObject: TypeAlias = dict[str, JsonValue]

_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


def parse_json_object(content: bytes, max_bytes: int) -> JsonObject:
    """Read one JSON object.

    Raises:
        CertificateRefused: MALFORMED.
    """
    if len(content) > max_bytes:
        raise malformed("file too long")
    try:
        value: JsonValue = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as cause:
        raise malformed("JSON") from cause
    return as_object(value, "file")


def as_object(value: JsonValue, what: str) -> JsonObject:
    """Return the value as an object, else refuse."""
    if not isinstance(value, dict):
        raise malformed(f"{what} is no object")
    return value


def require_names(value: JsonObject, names: frozenset[str], what: str) -> None:
    """Refuse an object whose names are not exactly these."""
    # A misspelt name would otherwise mean "absent" in silence, and in a trust file that widens.
    if value.keys() != names:
        raise malformed(f"names of {what}")


def take_text(value: JsonObject, name: str, pattern: re.Pattern[str]) -> str:
    """Return a text that matches a pattern as a whole, else refuse."""
    text = value[name]
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise malformed(name)
    return text


def take_integer(value: JsonObject, name: str, limit: int) -> int:
    """Return an integer in [0, limit], else refuse."""
    # In Python `True` is an integer; in a trust file it is a mistake.
    number = value[name]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= limit:
        raise malformed(name)
    return number


def take_time(value: JsonObject, name: str) -> datetime:
    """Return a time spelled `2026-11-23T08:00:00Z`, else refuse."""
    text = take_text(value, name, _TIME)
    try:
        return datetime.fromisoformat(text)
    except ValueError as cause:
        raise malformed(name) from cause


def take_list(value: JsonObject, name: str, limit: int) -> list[JsonValue]:
    """Return a list of at most `limit` elements, else refuse."""
    elements = value[name]
    if not isinstance(elements, list) or len(elements) > limit:
        raise malformed(name)
    return elements


def encode_time(moment: datetime) -> str:
    """Write a time as `take_time` reads it."""
    return moment.strftime(_TIME_FORMAT)


def encode_json(value: JsonObject) -> bytes:
    """Write an object for people to read; `parse_json_object` reads it back."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8") + b"\n"


def malformed(what: str) -> CertificateRefused:
    """Return the refusal of a file, naming the place and never the value."""
    return CertificateRefused(CertificateReason.MALFORMED, what)


def _without_repeats(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    members = dict(pairs)
    # RFC 8259 section 4 leaves it open which of two equal names counts.
    if len(members) != len(pairs):
        raise malformed("name stands twice")
    return members


def _refuse_number(_text: str) -> JsonValue:
    raise malformed("number")
