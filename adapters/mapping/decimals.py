"""JSON in which amounts are numbers with fractions: as strict as `documents`, fractions exact.

Knows no department and no field. A binary fraction would make 0.1 another amount than the one the
department wrote, and a signed record has to say what it wrote.
INVARIANT: nothing here raises anything but `AnswerMalformed`.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias

from adapters.errors import AnswerMalformed
from adapters.mapping.documents import MAX_DEPTH, parse_text
from signing.encoding import MAX_SAFE_INTEGER

DecimalJson: TypeAlias = (
    "bool | int | Decimal | str | list[DecimalJson] | dict[str, DecimalJson] | None"
)

# Sign and 16 digits: the longest integer below 2^53 in size (RFC 7493 2.2), and before a point.
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")
# No exponent: nobody writes money so, and 1e999999 would be a number nobody can spell out.
_FRACTION: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\.[0-9]{1,8}")


def parse_decimal_object(body: bytes) -> Mapping[str, DecimalJson]:
    """Return the members of a JSON object such as `{"code": "2000", "data": [{"regcap": 0.5}]}`.

    Raises:
        AnswerMalformed: Not UTF-8, not JSON, not an object, too deep, a name twice in one object,
            a lone surrogate, an integer of 2^53 or more, or a fraction with an exponent or of more
            than eight places.
    """
    text = parse_text(body)
    try:
        value: DecimalJson = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise AnswerMalformed("JSON: syntax") from None  # cause: quotes the text
    if not isinstance(value, dict):
        raise AnswerMalformed("body is no JSON object")
    _require_plain(value, MAX_DEPTH)
    return value


def _require_plain(value: DecimalJson, depth: int) -> None:
    if isinstance(value, str):
        # RFC 8259 8.2: an escape can spell half of a surrogate pair, which no record can carry.
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise AnswerMalformed("JSON: lone surrogate")
        return
    if isinstance(value, list | dict):
        if depth == 0:
            raise AnswerMalformed("JSON: too deep")
        for member in value:
            _require_plain(member, depth - 1)
        for member in value.values() if isinstance(value, dict) else ():
            _require_plain(member, depth - 1)


def _object_without_repeats(pairs: list[tuple[str, DecimalJson]]) -> dict[str, DecimalJson]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise AnswerMalformed("JSON: a name stands twice in one object")
    return members


def _integer(text: str) -> int:
    # Measured before it is converted (CVE-2020-10735).
    if _INTEGER.fullmatch(text) and abs(number := int(text)) <= MAX_SAFE_INTEGER:
        return number
    raise AnswerMalformed("JSON: integer out of range")


def _fraction(text: str) -> Decimal:
    if not _FRACTION.fullmatch(text):
        raise AnswerMalformed("JSON: a fraction of another form")
    return Decimal(text)


def _refuse_constant(_text: str) -> NoReturn:
    raise AnswerMalformed("JSON: NaN or Infinity")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats,
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_refuse_constant,
)
