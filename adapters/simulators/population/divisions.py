"""The 16 cities and 136 county-level divisions of Shandong (GB/T 2260), as places for people.

Development zones are left out: they have codes of their own but no household registration here.
"""

from typing import Final

from adapters.simulators.population.tables import read_table

PROVINCE: Final = "山东省"

DIVISIONS: Final = {row["code"]: row["city"] + row["county"] for row in read_table("divisions.csv")}
"""Division code → city and county name."""

DIVISION_CODES: Final = tuple(sorted(DIVISIONS))
"""In ascending order; a place in the population is an index into it, so never reorder it."""
