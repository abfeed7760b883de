"""Divisions of Shandong in five levels: province, city, county unit, township, village.

Codes of 6 digits (GB/T 2260) have their history since 1980; townships (9 digits) and villages
(12 digits) are those of one listing, `LISTED_ON`. Development zones that register their own people
stand among the county units under statistical codes. Sources and licences: SOURCES.md.

The listing of 63,927 townships and villages is unpacked at the first question about one of them:
0.9 MB of text and an index of townships; the lines of one township are read per question.
"""

import lzma
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from adapters.mapping.codes.tables import Entry, code_table

PROVINCE: Final = "37"
"""GB/T 2260: the first two digits of every code of Shandong."""

LISTED_ON: Final = date(2023, 6, 30)
"""The day of the statistics bureau's listing that townships and villages are taken from."""

PLACEHOLDER: Final = "市辖区"
"""Heads the districts of a city in some listings; in numbers of people, but no division."""

# What `.ci/divisions.py` writes: the endings of village names, octets 1 to 6.
_ENDINGS: Final = {
    1: "社区居民委员会",
    2: "村民委员会",
    3: "居民委员会",
    4: "社区居委会",
    5: "村委会",
    6: "居委会",
}
_SIX: Final = re.compile(r"[1-9][0-9]{5}")
_NINE: Final = re.compile(r"[1-9][0-9]{8}")
_TWELVE: Final = re.compile(r"[1-9][0-9]{11}")


class Level(StrEnum):
    """The five levels of divisions, from the widest."""

    PROVINCE = "PROVINCE"
    CITY = "CITY"
    COUNTY = "COUNTY"
    TOWNSHIP = "TOWNSHIP"
    VILLAGE = "VILLAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """Townships and villages as one text; `starts` says where a township's line begins."""

    text: bytes = field(repr=False)
    starts: Mapping[str, int] = field(repr=False)

    def lines_of(self, township: str) -> list[str]:
        """Return the township's name and its villages' lines `003…`; empty if there is none."""
        start = self.starts.get(township)
        if start is None:
            return []
        end = self.text.find(b"\n=", start)
        block = self.text[start : len(self.text) if end < 0 else end].decode("utf-8")
        head, *villages = block.split("\n")
        return [head[10:], *villages]


@cache
def _listing() -> _Listing:
    text = lzma.decompress(files("adapters.mapping.codes").joinpath("shandong.xz").read_bytes())
    heads = re.finditer(rb"^=([0-9]{9})", text, re.MULTILINE)
    return _Listing(text=text, starts={head[1].decode("ascii"): head.start() for head in heads})


def level_of(code: str) -> Level | None:
    """Return the level a code is of by its form, None for no code of Shandong."""
    if not code.startswith(PROVINCE):
        return None
    if _TWELVE.fullmatch(code):
        return Level.VILLAGE
    if _NINE.fullmatch(code):
        return Level.TOWNSHIP
    if not _SIX.fullmatch(code):
        return None
    if code.endswith("00"):
        return Level.PROVINCE if code.endswith("0000") else Level.CITY
    return Level.COUNTY


def lookup_division(code: str, *, at: date) -> Entry | None:
    """Return a division of Shandong by its code of 6, 9 or 12 digits, None for one never listed.

    A township or village is known as of `LISTED_ON` alone: no validity, no successor.
    """
    match level_of(code):
        case Level.PROVINCE | Level.CITY | Level.COUNTY:
            return code_table("GB/T2260").lookup(code, at=at)
        case Level.TOWNSHIP:
            lines = _listing().lines_of(code)
            return Entry(code=code, name=lines[0]) if lines else None
        case Level.VILLAGE:
            lines = _listing().lines_of(code[:9])
            names = [line[3:] for line in lines[1:] if line[:3] == code[9:]]
            return Entry(code=code, name=names[0].translate(_ENDINGS)) if names else None
        case None:
            return None


def parent_codes(code: str) -> tuple[str, ...]:
    """Return the codes above one of Shandong, the province first; empty for the province.

    370102001002 → 370000, 370100, 370102, 370102001.
    """
    above = (f"{code[:2]}0000", f"{code[:4]}00", code[:6], code[:9])
    level = level_of(code)
    return () if level is None else above[: list(Level).index(level)]


def county_units(*, at: date) -> tuple[Entry, ...]:
    """Return the county units in force on a day, zones included, by code."""
    return tuple(
        entry
        for code, entries in code_table("GB/T2260").entries.items()
        if level_of(code) is Level.COUNTY
        for entry in entries
        if entry.name != PLACEHOLDER and entry.in_force(at)
    )


def list_villages(township: str) -> tuple[Entry, ...]:
    """Return the villages of a township by its 9 digits, by code; empty if there is none."""
    return tuple(
        Entry(code=township + line[:3], name=line[3:].translate(_ENDINGS))
        for line in _listing().lines_of(township)[1:]
    )


def list_townships(county: str) -> tuple[Entry, ...]:
    """Return the townships of a county unit by its 6 digits, by code."""
    listing = _listing()
    return tuple(
        Entry(code=code, name=listing.lines_of(code)[0])
        for code in listing.starts
        if code.startswith(county)
    )
