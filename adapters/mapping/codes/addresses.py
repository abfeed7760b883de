"""Where the city and the county unit end in an address of Shandong, by names of the table.

A pattern takes a county-level city for a city and a zone's first word for a county; names that are
or once were in the table cannot be mistaken. Knows no effect.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from adapters.mapping.codes.divisions import PLACEHOLDER, Level, level_of
from adapters.mapping.codes.tables import code_table

PROVINCE_NAME: Final = "山东省"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Characters of an address up to its city and its county unit; None where none stands."""

    city: int | None
    county: int | None


@cache
def _names(level: Level) -> frozenset[str]:
    """Return every name units of a level bear or bore."""
    return frozenset(
        entry.name
        for code, entries in code_table("GB/T2260").entries.items()
        if level_of(code) is level
        for entry in entries
        if entry.name != PLACEHOLDER
    )


def _end_of_name(text: str, start: int, level: Level) -> int | None:
    names = _names(level)
    longest = max(map(len, names))
    ends = range(min(len(text), start + longest), start, -1)
    return next((end for end in ends if text[start:end] in names), None)


def find_ends(address: str) -> Ends | None:
    """Return where city and county unit of an address end; None for no address of Shandong.

    `山东省青州市某街道` has no city but a county unit, `济南市历下区` both.
    """
    start = len(PROVINCE_NAME) if address.startswith(PROVINCE_NAME) else 0
    city = _end_of_name(address, start, Level.CITY)
    # Elsewhere in China other units bear the same names: the province or a city must be told.
    if city is None and not start:
        return None
    county = _end_of_name(address, start if city is None else city, Level.COUNTY)
    return Ends(city=city, county=county)
