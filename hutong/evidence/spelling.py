"""The one accepted spelling of numbers, base64, hexadecimal and JSON.

Knows no format of evidence. INVARIANT: for every accepted text, writing the parsed value gives the
same text again; everything else is Malformed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Final, TypeAlias

from hutong.evidence.reasons import Malformed

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue] | None"

HASH_BYTES: Final = 32  # SHA-256, RFC 6962 2.1
# Sizes and indices fit the integer of the log's store (SQLite: signed, 64 bits).
MAX_NUMBER: Final = 2**63 - 1
# RFC 8785 3.2.2.3 with RFC 7493 2.2: integers every reader holds exactly.
MAX_JSON_INTEGER: Final = 2**53 - 1
# An entry nests a list of pairs; nothing of ours is deeper.
MAX_JSON_DEPTH: Final = 8

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)

# For strings, the writer of the standard library escapes exactly what RFC 8785 3.2.2.2 escapes.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def parse_number(text: str, what: str) -> int:
    """Reads an unsigned decimal number without sign, space, underscore or leading zero.

    Raises:
        Malformed: any other spelling, or above 2^63 - 1.
    """
    # The pattern bounds the digits first: `int` takes quadratic time (CVE-2020-10735), and accepts
    # underscores, signs and other scripts' digits.
    if _NUMBER.fullmatch(text) is None or int(text) > MAX_NUMBER:
        raise Malformed(f"{what} is not a number in its one spelling")
    return int(text)


def parse_base64(text: str, what: str) -> bytes:
    """Reads standard base64 (RFC 4648 section 4) with padding and without foreign characters.

    Raises:
        Malformed: any other spelling, unused bits that are not zero included.
    """
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise Malformed(f"{what} is not base64") from cause
    # `validate` lets unused bits differ from zero (RFC 4648 3.5): a second spelling of one value.
    if encode_base64(value) != text:
        raise Malformed(f"{what} is not base64 in its one spelling")
    return value


def encode_base64(value: bytes) -> str:
    """Writes standard base64 with padding."""
    return base64.b64encode(value).decode("ascii")


def parse_hash(text: str, what: str) -> bytes:
    """Reads one SHA-256 value in base64.

    Raises:
        Malformed: not base64, or not 32 bytes.
    """
    value = parse_base64(text, what)
    if len(value) != HASH_BYTES:
        raise Malformed(f"{what} is not {HASH_BYTES} bytes")
    return value


def parse_hex(text: str, what: str, length: int) -> bytes:
    """Reads lower-case hexadecimal of a given number of bytes.

    Raises:
        Malformed: upper case, foreign characters, another length.
    """
    # `bytes.fromhex` alone accepts upper case and spaces between the pairs.
    if len(text) != 2 * length or _HEX.fullmatch(text) is None:
        raise Malformed(f"{what} is not {length} bytes in lower-case hexadecimal")
    return bytes.fromhex(text)


def parse_utf8(raw: bytes, what: str, limit: int) -> str:
    """Reads bounded UTF-8 text.

    Raises:
        Malformed: longer than the limit in bytes, or not UTF-8.
    """
    if len(raw) > limit:
        raise Malformed(f"{what} is larger than {limit} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise Malformed(f"{what} is not UTF-8") from cause


def parse_json(text: str, what: str) -> JsonValue:
    """Reads JSON without repeated names, fractions, exponents, NaN or deep nesting.

    Raises:
        Malformed: anything else.
    """
    _require_shallow(text, what)
    try:
        return json.loads(  # type: ignore[no-any-return]  # the hooks admit JsonValue only
            text,
            object_pairs_hook=_require_distinct,
            parse_int=_parse_json_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except ValueError as cause:
        raise Malformed(f"{what} is not JSON") from cause


def encode_canonical_json(value: JsonValue) -> bytes:
    """Writes canonical JSON (RFC 8785) of a value without fractions.

    Raises:
        Malformed: a string holds half of a surrogate pair.
    """
    try:
        return _ENCODER.encode(_sorted_members(value)).encode("utf-8")
    except UnicodeEncodeError as cause:
        raise Malformed("JSON holds half of a surrogate pair") from cause


# The parser recurses; a text of brackets alone would end in RecursionError, which no caller
# expects. Brackets inside strings are no nesting and do not count.
def _require_shallow(text: str, what: str) -> None:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return
    depth = 0
    for token in _BRACKETS.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0)
        if depth > MAX_JSON_DEPTH:
            raise Malformed(f"{what} nests deeper than {MAX_JSON_DEPTH}")


def _require_distinct(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    # RFC 7493 2.3: of two equal names one reader keeps the first and another the last.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _parse_json_integer(text: str) -> int:
    # 17 characters hold every integer below 2^53 and its sign; longer ones are not even converted.
    if len(text) > len(f"-{MAX_JSON_INTEGER}") or abs(int(text)) > MAX_JSON_INTEGER:
        raise ValueError("an integer is out of range")
    return int(text)


def _refuse_number(_text: str) -> int:
    raise ValueError("a number is not an integer")


def _sorted_members(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        # RFC 8785 3.2.3: names sort by their UTF-16 code units; Python's own order is another
        # beyond U+FFFF. Ours are ASCII, where the two agree.
        names = sorted(value)
        if not "".join(names).isascii():
            names.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: _sorted_members(value[name]) for name in names}
    if isinstance(value, list):
        return [_sorted_members(item) for item in value]
    return value
