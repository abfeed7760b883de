"""MASK 掩码 and GENERALISE 概化: a value made coarser, still a value."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final

from adapters.effects.families import Family, parse_count
from adapters.errors import AnswerMalformed, EffectNotApplicable
from adapters.mapping.codes.addresses import find_ends
from adapters.mapping.dates import parse_day, parse_month
from adapters.mapping.names import normalise_dots, split_characters

HIDDEN: Final = "*"
# A day or an amount is made coarser by GENERALISE; a part of its digits is no coarser value.
_MASKABLE: Final = frozenset(
    {Family.RESIDENT_ID, Family.CREDIT_CODE, Family.CODE, Family.DIVISION, Family.TEXT}
)
_OPAQUE: Final = frozenset({Family.OPAQUE, Family.LIST, Family.FINDING})
_MASK_PARAMETERS: Final = 2


def mask(value: str, family: Family, parameters: tuple[str, ...]) -> str:
    """Hide all but `keep_front` and `keep_back` characters: 李明 under (1, 0) becomes 李*.

    A separator (·) is hidden like any other character. A value not longer than what the mask shows
    shows nothing: a two-digit number under (3, 4) must not stand in clear.

    Raises:
        EffectNotApplicable: Not two plain integers, or a type of which parts are no mask.
    """
    if len(parameters) != _MASK_PARAMETERS:
        raise EffectNotApplicable("a mask has two parameters")
    front, back = (parse_count(parameter) for parameter in parameters)
    if family in _OPAQUE or (front + back > 0 and family not in _MASKABLE):
        raise EffectNotApplicable("a mask needs characters")
    characters = split_characters(normalise_dots(value) if family is Family.TEXT else value)
    length = len(characters)
    if front + back >= length:
        front, back = 0, 0
    hidden = HIDDEN * (length - front - back)
    return "".join(characters[:front]) + hidden + "".join(characters[length - back :])


def generalise(value: str, family: Family, parameters: tuple[str, ...]) -> str:
    """Return the coarser value of one level: a year of a day, a county of an address.

    Raises:
        EffectNotApplicable: Unknown level, or a value of which the level cannot be told.
    """
    if len(parameters) != 1:
        raise EffectNotApplicable("a generalisation has one parameter")
    rule = _LEVELS.get((parameters[0], family))
    if rule is None:
        raise EffectNotApplicable("no such level for this type")
    try:
        return rule(value)
    except AnswerMalformed:
        raise EffectNotApplicable("the value has another form than its type") from None


def _year(value: str) -> str:
    return f"{parse_day(value[:10]).year:04d}"


def _month(value: str) -> str:
    return parse_day(value[:10]).isoformat()[:7]


def _decade(value: str) -> str:
    return f"{parse_day(value[:10]).year // 10}0s"


def _year_of_month(value: str) -> str:
    return parse_month(value)[:4]


def _decade_of_month(value: str) -> str:
    return f"{parse_month(value)[:3]}0s"


# GB/T 2260: two digits each for province, city and county.
_DIVISION: Final = re.compile(r"[1-9][0-9]{5}")


def _division(digits: int) -> Callable[[str], str]:
    def cut(value: str) -> str:
        if not _DIVISION.fullmatch(value):
            raise AnswerMalformed("division code")
        return value[:digits].ljust(6, "0")

    return cut


# An address outside Shandong, or with a unit its table does not name: province, city, county, then
# what must not leave. The shortest name that ends in a unit word; at least one character stands
# before it (市中区, 单县). No house number, street or town may stand inside, and a compound (小区,
# 社区, 园区) is no county.
_ADDRESS: Final = re.compile(
    r"(?P<province>[^省市区县\s]{2,7}(?:省|自治区)|(?:北京|天津|上海|重庆)市)?"
    r"(?P<city>[^省县\s]{2,8}?(?:市|自治州|地区|盟))?"
    r"(?P<county>(?:[^\d省镇乡村路街号\s]{1,15}?(?:(?<![小社园校厂])区|县|市|旗)))?"
)


def _address(level: str) -> Callable[[str], str]:
    def cut(value: str) -> str:
        ends = find_ends(value)
        if ends is not None:
            end = ends.county if level == "county" else ends.city
            if end is not None:
                return value[:end]
            # A county-level city stands where a city does; as one it would tell too much.
            if ends.county is not None:
                raise AnswerMalformed("address")
        match = _ADDRESS.match(value)
        if match is None or match[level] is None or not (match["province"] or match["city"]):
            raise AnswerMalformed("address")
        return value[: match.end(level)]

    return cut


MAX_DIGITS: Final = 20
"""Digits of an amount on either side of the point; the catalog's longest, `dec16.4`, has 16."""


def _floor(step: int) -> Callable[[str], str]:
    def cut(value: str) -> str:
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise AnswerMalformed("number") from None
        # An amount of more digits is none, and Python refuses to spell some thousand of them.
        if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
            raise AnswerMalformed("number")
        # Towards minus infinity: a small debt must not become nothing.
        return str(int((number / step).to_integral_value(rounding=ROUND_FLOOR)) * step)

    return cut


_LEVELS: Final[Mapping[tuple[str, Family], Callable[[str], str]]] = {
    ("year", Family.DAY): _year,
    ("year", Family.INSTANT): _year,
    ("year", Family.MONTH): _year_of_month,
    ("month", Family.DAY): _month,
    ("month", Family.INSTANT): _month,
    ("decade", Family.DAY): _decade,
    ("decade", Family.INSTANT): _decade,
    ("decade", Family.MONTH): _decade_of_month,
    ("county", Family.DIVISION): _division(6),
    ("city", Family.DIVISION): _division(4),
    ("county", Family.TEXT): _address("county"),
    ("city", Family.TEXT): _address("city"),
    ("thousand", Family.NUMBER): _floor(1_000),
}
