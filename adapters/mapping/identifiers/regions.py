"""Whether a division code was ever one: Shandong's to the county unit, others' by province."""

from functools import cache
from typing import Final

from adapters.mapping.codes import code_table

_SHANDONG: Final = "37"
NATION: Final = "100000"
"""Bodies registered with the nation itself bear it in their credit code (GB 32100)."""


# 6 digits of a stranger's choice: nothing is remembered per question, only the two tables.
@cache
def _provinces() -> frozenset[str]:
    return frozenset(code_table("GB/T2260.1").entries)


@cache
def _shandong() -> frozenset[str]:
    return frozenset(code_table("GB/T2260").entries)


def is_known_region(code: str) -> bool:
    """Tell whether six digits are or ever were a division's, as far as the tables reach."""
    province = code[:2]
    return code in _shandong() if province == _SHANDONG else province in _provinces()
