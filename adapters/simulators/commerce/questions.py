"""Reads what is asked of the commerce department (manual, sections 1, 3 to 7 and 9)."""

import json
import re
from collections.abc import Collection
from datetime import date
from typing import Final

from adapters.simulators.commerce.refusals import Refused
from adapters.simulators.population.identity import is_identity_number

COMMON: Final = frozenset({"authcode", "sxbm", "bjbh"})
CHECKS: Final = ("entname", "name", "cerno", "dom", "regcap", "estdate")
"""What a verification can compare, in the order of its answer."""

_LIMITS: Final = {
    "authcode": 64,
    "sxbm": 64,
    "bjbh": 64,
    "entname": 120,
    "traname": 120,
    "name": 60,
    "dom": 200,
    "jbrdw": 64,
}
_PATTERNS: Final = {
    "uniscid": re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}", re.ASCII),
    "epbno": re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}", re.ASCII),
    "regcap": re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?", re.ASCII),
    # Loopback targets only: a simulator must not be made to call anybody else.
    "url": re.compile(r"(?=.{1,200}\Z)http://127\.0\.0\.1:[1-9][0-9]{0,4}/[!-\"$-~]*", re.ASCII),
    "secret": re.compile(r"[!-~]{16,128}", re.ASCII),
}
_LAST_PORT: Final = 65_535
_DAY_LENGTH: Final = 8

Question = dict[str, str]


def parse_question(
    body: bytes, required: Collection[str], optional: Collection[str] = ()
) -> Question:
    """Read the JSON object of a request.

    Raises:
        Refused: 4000 for a member that is missing, unknown, repeated or malformed.
    """
    try:
        pairs = json.loads(body, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as cause:
        raise Refused("4000") from cause
    if not isinstance(pairs, _Pairs):
        raise Refused("4000")
    found = dict(pairs)
    # A repeated member could be read one way by us and another way by whoever allowed it.
    if len(found) != len(pairs) or not set(required) <= found.keys() <= {*required, *optional}:
        raise Refused("4000")
    return {name: _require_text(name, value) for name, value in found.items()}


def require_one(question: Question, names: tuple[str, str]) -> None:
    """Demand exactly one of two members."""
    if len(question.keys() & set(names)) != 1:
        raise Refused("4000")


class _Pairs(list[tuple[str, object]]):
    """The members of an object in their order, repeated ones too."""


def _require_text(name: str, value: object) -> str:
    if not isinstance(value, str) or not _is_well_formed(name, value):
        raise Refused("4000")
    # Half a character can be escaped in JSON and written in no encoding.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused("4000")
    return value


def _is_well_formed(name: str, value: str) -> bool:
    if name in _LIMITS:
        return 0 < len(value) <= _LIMITS[name]
    if name == "cerno":
        return is_identity_number(value)
    if name == "estdate":
        return _is_day(value)
    if name == "url" and _PATTERNS[name].fullmatch(value):
        return int(value.split(":")[2].partition("/")[0]) <= _LAST_PORT
    return _PATTERNS[name].fullmatch(value) is not None


def _is_day(text: str) -> bool:
    if len(text) != _DAY_LENGTH or not (text.isascii() and text.isdigit()):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True
