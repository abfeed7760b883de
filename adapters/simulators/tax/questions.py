"""The services and their questions (docs/adapters/tax.md, section 6)."""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from adapters.simulators.population.identity import is_identity_number
from adapters.simulators.tax.refusals import Code, Refused

Question = dict[str, str | int]


class Service(StrEnum):
    """`serviceId` of an envelope."""

    CONTRIBUTION = "SWZJ.HXZG.CX.GRSBFJF"
    INCOME = "SWZJ.HXZG.CX.GRSDSSR"
    TAXPAYER = "SWZJ.HXZG.CX.NSRXX"


_MATTER: Final = frozenset({"SXBM", "BJBH"})
_MEMBERS: Final = {
    Service.CONTRIBUTION: _MATTER | {"ZJHM", "XM", "SSQQ", "SSQZ"},
    Service.INCOME: _MATTER | {"ZJHM", "XM", "ND"},
    Service.TAXPAYER: _MATTER | {"NSRSBH"},
}
_OPTIONAL: Final = {
    Service.CONTRIBUTION: frozenset[str](),
    Service.INCOME: frozenset[str](),
    Service.TAXPAYER: frozenset({"NSRMC"}),
}
_LENGTHS: Final = {"XM": 60, "SXBM": 64, "BJBH": 64, "NSRMC": 120}
"""Characters a text has at most; at least one."""
_PERIOD: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])", re.ASCII)
_TAXPAYER: Final = re.compile(r"[0-9A-Z]{15,20}")
MONTHS: Final = 60
"""Months one question may span."""
YEARS: Final = range(2019, 2100)


def read_object(content: bytes) -> dict[str, object]:
    """Read a decoded content.

    Raises:
        Refused: BAD_FORMAT, it is no JSON object in UTF-8, or names a member twice.
    """
    try:
        read = json.loads(content.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as cause:
        raise Refused(Code.BAD_FORMAT) from cause
    if not isinstance(read, dict):
        raise Refused(Code.BAD_FORMAT)
    return read


def judge(service: Service, read: dict[str, object]) -> Question | None:
    """Take an object for a question to a service, None when it is not acceptable."""
    required = _MEMBERS[service]
    if not required <= read.keys() <= required | _OPTIONAL[service]:
        return None
    question: Question = {}
    for name, value in read.items():
        if not _is_acceptable(name, value):
            return None
        if isinstance(value, str | int):
            question[name] = value
    return question if service is not Service.CONTRIBUTION or _spans(question) else None


def _is_acceptable(name: str, value: object) -> bool:
    if name == "ND":
        # True is an int to Python, and no year.
        return isinstance(value, int) and not isinstance(value, bool) and value in YEARS
    if not isinstance(value, str):
        return False
    match name:
        case "ZJHM":
            return is_identity_number(value)
        case "SSQQ" | "SSQZ":
            return _PERIOD.fullmatch(value) is not None
        case "NSRSBH":
            return _TAXPAYER.fullmatch(value) is not None
        case _:
            return 1 <= len(value) <= _LENGTHS[name]


def _spans(question: Question) -> bool:
    """Tell whether the periods stand in order and not too far apart."""
    first, last = str(question["SSQQ"]), str(question["SSQZ"])
    months = (int(last[:4]) - int(first[:4])) * 12 + int(last[4:]) - int(first[4:]) + 1
    return 1 <= months <= MONTHS


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a member is named twice")
    return read
