r"""Catalog types grouped by what an effect can do with them.

The types are the texts of datasets.csv: `cid18`, `str60`, `re:\d{6}`, `code:GB/T2260`, `date`, …
"""

import re
from enum import Enum, auto
from functools import cache
from typing import Final

from adapters.errors import EffectNotApplicable
from adapters.port import Finding

RawValue = str | tuple[str, ...] | Finding
"""What a kind hands in: text, a list of texts, or what the department itself found.

Texts are normal: days `YYYY-MM-DD`, months `YYYYMM`, numbers in decimal, truth `true`, `false`.
"""


class Family(Enum):
    """Which effects make sense for a type."""

    RESIDENT_ID = auto()
    CREDIT_CODE = auto()
    CODE = auto()
    DIVISION = auto()
    TEXT = auto()
    DAY = auto()
    INSTANT = auto()
    MONTH = auto()
    NUMBER = auto()
    TRUTH = auto()
    FINDING = auto()
    LIST = auto()
    OPAQUE = auto()


_EXACT: Final = {
    "cid18": Family.RESIDENT_ID,
    "uscc18": Family.CREDIT_CODE,
    "date": Family.DAY,
    "ts": Family.INSTANT,
    "int": Family.NUMBER,
    "bool": Family.TRUTH,
    "pred": Family.FINDING,
    "b64": Family.OPAQUE,
    "map": Family.OPAQUE,
    "text": Family.TEXT,
    # The only fields of this pattern are months: tx.contribution.period, hr.pension.start_month.
    r"re:\d{6}": Family.MONTH,
    "code:GB/T2260": Family.DIVISION,
}
_PATTERNS: Final = (
    (re.compile(r"str([0-9]+(-[0-9]+)?)?"), Family.TEXT),
    (re.compile(r"dec([0-9]+\.[0-9]+)?"), Family.NUMBER),
    (re.compile(r"list(\(.*\))?"), Family.LIST),
    (re.compile(r"code(:.*)?"), Family.CODE),
    (re.compile(r"re:.+"), Family.CODE),
)


# Types come from the catalog alone, so what is remembered cannot grow with questions.
@cache
def family_of(catalog_type: str) -> Family:
    """Return the family of a catalog type.

    Raises:
        EffectNotApplicable: A type this version does not know.
    """
    if family := _EXACT.get(catalog_type):
        return family
    for pattern, family in _PATTERNS:
        if pattern.fullmatch(catalog_type):
            return family
    raise EffectNotApplicable("unknown catalog type")


def require_scalar(value: RawValue) -> str:
    """Return a value that is one text.

    Raises:
        EffectNotApplicable: A list, or a finding of the department.
    """
    if isinstance(value, Finding | tuple):
        raise EffectNotApplicable("needs one text")
    return value


# Nine digits: bounded before `int`, and above every age, amount and length.
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,8}")


def parse_count(parameter: str) -> int:
    """Return a parameter that must be a plain non-negative integer.

    Raises:
        EffectNotApplicable: Any other spelling.
    """
    if not _COUNT.fullmatch(parameter):
        raise EffectNotApplicable("parameter is no plain integer")
    return int(parameter)
