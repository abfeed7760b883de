"""Code tables with their history: what a code meant on a day, and what took over from it.

Knows no department and no identifier. Numbers of people keep the division they were given with
for life, and records keep the codes of their day, so no code is ever taken out of a table; one
that ended says when, and which codes took over (domain.md 7).
INVARIANT: nothing is loaded before it is asked for, and what is loaded is never changed.
"""

from adapters.mapping.codes.divisions import (
    LISTED_ON,
    Level,
    county_units,
    level_of,
    list_townships,
    list_villages,
    lookup_division,
    parent_codes,
)
from adapters.mapping.codes.tables import TABLES, CodeTable, Entry, code_table

__all__ = [
    "LISTED_ON",
    "TABLES",
    "CodeTable",
    "Entry",
    "Level",
    "code_table",
    "county_units",
    "level_of",
    "list_townships",
    "list_villages",
    "lookup_division",
    "parent_codes",
]
