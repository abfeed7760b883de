"""Tables of codes: entries under one code in the order of time, and how one is found.

Days are those of China; a validity runs from its first day to the day before its last
(`valid_from` in force, `valid_to` no more). A None is an end nobody recorded, not "for ever".
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_FOLDER: Final = files("adapters.mapping.codes")

TABLES: Final = MappingProxyType(
    {
        "GB/T2260.1": "GB/T 2260: the first two digits, provinces",
        "GB/T2260": "GB/T 2260 and the statistics bureau's zones: Shandong down to county units",
        "GB/T2261.1": "GB/T 2261.1-2003: sex",
        "GB/T2261.2": "GB/T 2261.2-2003: marital status",
        "GB/T3304": "GB/T 3304-1991: ethnic groups",
        "GB/T4658": "GB/T 4658-2006: education",
        "GB/T4761": "GB/T 4761-2008: family relation",
        "INSURANCE_KIND": "AAE140 of the social insurance data standard: kinds of insurance",
        "NSRZT_DM": "NSRZT_DM of the tax data standard: state of a taxpayer",
        "USCC_PREFIX": "GB 32100-2015 with its amendment: registering authority and kind",
        "ITEM_LEVEL": "level of the body that exercises a government service item",
        "ITEM_AREA": "area that assigned the basic code of a government service item",
        "ITEM_TYPE": "type of a government service item",
        "DIPLOMA_TYPE": "type of education in a diploma's number",
        "DIPLOMA_LEVEL": "level in a diploma's number",
        "DEGREE_LEVEL": "level in a degree certificate's number",
    }
)
"""Every table: its name, as catalog types write it after `code:`, and where it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One meaning of a code, e.g. 370181 章丘市 from 1995-12-31 to 2016-12-31, then 370114."""

    code: str
    name: str
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    """Codes that took over; its own when only the name changed; none where nothing tells."""

    def in_force(self, at: date) -> bool:
        """Tell whether the code had this meaning on a day."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTable:
    """All meanings of all codes of one table; under one code in the order of time."""

    name: str
    entries: Mapping[str, tuple[Entry, ...]] = field(repr=False)

    def lookup(self, code: str, *, at: date) -> Entry | None:
        """Return what the code means on a day, None for a code that never was.

        For a day on which it was not in force: its last meaning before, else its first one.
        """
        meanings = self.entries.get(code)
        if meanings is None:
            return None
        begun = [each for each in meanings if each.valid_from is None or each.valid_from <= at]
        return begun[-1] if begun else meanings[0]

    def current(self, code: str, *, at: date, written: date | None = None) -> tuple[Entry, ...]:
        """Return what stands on a day in the place of a code written on an earlier one.

        Some codes were given to a second unit later, so the day it was written tells which is
        meant; without that day all of them are followed. Empty for a code that never was, and
        where nothing tells what took over.
        """
        meant = () if written is None else (self.lookup(code, at=written),)
        waiting = [each for each in meant or self.entries.get(code, ()) if each is not None]
        seen: set[Entry] = set()
        while waiting:
            entry = waiting.pop()
            # Two codes that name each other would be walked for ever.
            if entry in seen:
                continue
            seen.add(entry)
            if entry.valid_to is not None and entry.valid_to <= at:
                # A successor is meant as it was on the day of the change.
                after = (
                    self.lookup(next_code, at=entry.valid_to) for next_code in entry.successors
                )
                waiting.extend(each for each in after if each is not None)
        return tuple(sorted((e for e in seen if e.in_force(at)), key=lambda entry: entry.code))


def parse_day_or_none(text: str) -> date | None:
    """Return the day of `2018-12-26`, None for nothing."""
    return date.fromisoformat(text) if text else None


def build_table(name: str, rows: Iterable[Mapping[str, str]]) -> CodeTable:
    """Return a table of rows `code, name, valid_from, valid_to, successors`, ordered by time."""
    entries: dict[str, tuple[Entry, ...]] = {}
    for row in rows:
        entry = Entry(
            code=row["code"],
            name=row["name"],
            valid_from=parse_day_or_none(row["valid_from"]),
            valid_to=parse_day_or_none(row["valid_to"]),
            successors=tuple(row["successors"].split()),
        )
        entries[entry.code] = (*entries.get(entry.code, ()), entry)
    return CodeTable(name=name, entries=MappingProxyType(entries))


def read_rows(file: str) -> list[dict[str, str]]:
    """Return the rows of a table file of this package, `|` between members."""
    lines = (_FOLDER / file).read_text("utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="|", quoting=csv.QUOTE_NONE))


@cache
def _rows_by_table() -> Mapping[str, list[dict[str, str]]]:
    tables: dict[str, list[dict[str, str]]] = {}
    for row in read_rows("tables.csv"):
        tables.setdefault(row["table"], []).append(row)
    return tables


# A table is asked for by a name of TABLES, so what is remembered cannot grow with questions.
@cache
def code_table(name: str) -> CodeTable:
    """Return a table by its name in `TABLES`.

    Raises:
        KeyError: No such table.
    """
    if name == "GB/T2260":
        return build_table(name, read_rows("divisions.csv"))
    return build_table(name, _rows_by_table()[name])
