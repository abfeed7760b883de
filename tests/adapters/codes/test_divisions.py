"""Divisions of Shandong: five levels, what ended and what took over, and what it costs."""

import lzma
import re
import tracemalloc
from datetime import date
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import numdb

from adapters.mapping.codes import (
    LISTED_ON,
    CodeTable,
    Level,
    code_table,
    county_units,
    level_of,
    list_townships,
    list_villages,
    lookup_division,
    parent_codes,
)
from adapters.mapping.codes import divisions as module
from adapters.simulators.population.divisions import DIVISIONS

TODAY = date(2026, 11, 23)
DATA = files("adapters.mapping.codes")


def table() -> CodeTable:
    """Return the table of six digits."""
    return code_table("GB/T2260")


def test_all_five_levels_are_whole() -> None:
    """1 province, 16 cities, 151 county units, 1,853 townships, 62,074 villages."""
    in_force = [
        entry
        for entries in table().entries.values()
        for entry in entries
        if entry.in_force(TODAY) and entry.name != "市辖区"
    ]
    townships = [each for unit in county_units(at=TODAY) for each in list_townships(unit.code)]
    villages = [each.code for township in townships for each in list_villages(township.code)]

    levels = [level_of(entry.code) for entry in in_force]
    assert levels.count(Level.PROVINCE) == 1
    assert levels.count(Level.CITY) == 16
    assert levels.count(Level.COUNTY) == len(county_units(at=TODAY)) == 151
    assert len(townships) == 1_853
    assert len(set(villages)) == len(villages) == 62_074


def test_county_units_are_those_the_simulators_have() -> None:
    """136 of the 151 by another list, with the same names; the rest are the zones."""
    units = {entry.code: entry.name for entry in county_units(at=TODAY)}

    assert len(DIVISIONS) == 136
    for code, city_and_county in DIVISIONS.items():
        city = lookup_division(f"{code[:4]}00", at=TODAY)
        assert city is not None
        assert city.name + units[code] == city_and_county
    assert all(code[4] == "7" for code in set(units) - set(DIVISIONS))


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("370000", "山东省", Level.PROVINCE),
        ("370100", "济南市", Level.CITY),
        ("370102", "历下区", Level.COUNTY),
        ("370102001", "解放路街道", Level.TOWNSHIP),
        ("370102001002", "解放桥社区居民委员会", Level.VILLAGE),
    ],
)
def test_a_code_is_found_at_its_level(code: str, name: str, level: Level) -> None:
    """By 6, 9 or 12 digits."""
    entry = lookup_division(code, at=TODAY)

    assert entry is not None
    assert (entry.code, entry.name) == (code, name)
    assert level_of(code) is level


def test_the_codes_above_one_lead_to_the_province() -> None:
    """Each level names the next."""
    assert parent_codes("370102001002") == ("370000", "370100", "370102", "370102001")
    assert parent_codes("370102") == ("370000", "370100")
    assert parent_codes("370000") == ()
    assert parent_codes("110105") == ()


@pytest.mark.parametrize(
    "code",
    ["", "37", "370199", "370102999", "370102001999", "370199001001", "110105", "37010\uff12"],
)
def test_a_code_that_never_was_is_nothing(code: str) -> None:
    """Unknown, of another province, or no code."""
    assert lookup_division(code, at=TODAY) is None


@pytest.mark.parametrize(
    ("code", "day", "name", "until", "successors"),
    [
        ("371202", date(2010, 1, 1), "莱城区", date(2018, 12, 26), ("370116",)),
        ("371203", date(2010, 1, 1), "钢城区", date(2018, 12, 26), ("370117",)),
        ("371200", date(2010, 1, 1), "莱芜市", date(2018, 12, 26), ("370100",)),
        ("370181", date(2010, 1, 1), "章丘市", date(2016, 12, 31), ("370114",)),
        ("370282", date(2010, 1, 1), "即墨市", date(2017, 11, 30), ("370215",)),
        ("370125", date(2010, 1, 1), "济阳县", date(2018, 10, 31), ("370115",)),
        ("370684", date(2010, 1, 1), "蓬莱市", date(2020, 6, 5), ("370614",)),
        ("370634", date(2010, 1, 1), "长岛县", date(2020, 6, 5), ("370614",)),
        ("371324", date(2010, 1, 1), "苍山县", date(2014, 10, 31), ("371324",)),
        ("371324", date(2020, 1, 1), "兰陵县", None, ()),
        ("370625", date(1986, 1, 1), "掖县", date(1988, 12, 31), ("379009",)),
        ("379006", date(1987, 1, 1), "威海市", date(1987, 12, 31), ("371000",)),
        ("379006", date(1990, 1, 1), "胶州市", date(1995, 12, 31), ("370281",)),
        ("372801", date(1990, 1, 1), "临沂市", date(1994, 12, 31), ("371302", "371311", "371312")),
        ("370171", date(2019, 1, 1), "济南高新技术产业开发区", LISTED_ON, ("370176",)),
    ],
)
def test_what_a_code_meant_and_what_took_over_is_told(
    code: str, day: date, name: str, until: date | None, successors: tuple[str, ...]
) -> None:
    """Old codes never die: the entry of its day, its end, its successors."""
    entry = lookup_division(code, at=day)

    assert entry is not None
    assert entry.name == name
    assert entry.valid_to == until
    assert entry.successors == successors


def test_an_ended_code_is_still_found_today() -> None:
    """And says that it is not in force."""
    entry = lookup_division("371202", at=TODAY)

    assert entry is not None
    assert not entry.in_force(TODAY)
    assert entry.in_force(date(2018, 12, 25))
    assert not entry.in_force(date(2018, 12, 26))


@pytest.mark.parametrize(
    ("code", "written", "names"),
    [
        ("371202", None, {"莱芜区"}),
        ("372125", date(1982, 1, 1), {"莱州市"}),
        ("379006", date(1987, 1, 1), {"威海市"}),
        ("379006", date(1994, 1, 1), {"胶州市"}),
        ("379006", None, {"威海市", "胶州市"}),
        ("372824", None, {"莒南县"}),
        ("372628", date(1981, 1, 1), {"新泰市"}),
        ("370204", None, {"市北区"}),
        ("370102", None, {"历下区"}),
        ("372230", None, set()),
        ("370199", None, set()),
    ],
)
def test_successors_are_followed_to_what_stands_today(
    code: str, written: date | None, names: set[str]
) -> None:
    """Through three codes of 莱州; the day it was written tells which unit a shared code meant."""
    found = table().current(code, at=TODAY, written=written)

    assert {entry.name for entry in found} == names


def test_every_ended_code_leads_to_today_or_is_named() -> None:
    """What has no successor is a short list, and each successor exists."""
    lost = set()
    for code, entries in table().entries.items():
        for entry in entries:
            assert all(each in table().entries for each in entry.successors)
            if entry.valid_to is None:
                assert entry.successors == ()
            elif not table().current(code, at=TODAY, written=entry.valid_from or date(1981, 1, 1)):
                lost.add(entry.name)

    assert lost == {
        "市区",
        "潍县",
        "青岛高新技术产业开发区",
        "临沂经济技术开发区",
        "临沂临港经济开发区",
        "德州运河经济开发区",
    }


def test_no_code_has_two_meanings_on_one_day() -> None:
    """Meanings of one code follow each other."""
    for entries in table().entries.values():
        for before, after in pairwise(entries):
            assert before.valid_to is not None
            assert after.valid_from is not None
            assert before.valid_to <= after.valid_from


RANGE = re.compile(r"\[(\d*)-(\d*)\](.+)")


def test_another_collection_tells_the_same_years() -> None:
    """The table inside python-stdnum, made from other listings: two years apart at most."""
    foreign = numdb.get("cn/loc")
    agreeing = 0
    for code, entries in table().entries.items():
        # Cities the province administered: the collections disagree from 1989 to 1995 (SOURCES.md).
        if level_of(code) is not Level.COUNTY or code.startswith("3790"):
            continue
        info = foreign.info(code)[-1][1]
        told = {name: (begin, end) for begin, end, name in RANGE.findall(info.get("county", ""))}
        for entry in entries:
            if entry.name not in told or entry.name == "市辖区":
                continue
            begin, end = told[entry.name]
            assert bool(end) is (entry.valid_to is not None), entry
            if end and entry.valid_to:
                assert abs(int(end) - entry.valid_to.year) <= 2, entry
            if begin and entry.valid_from and entry.valid_from.year != 1995:
                assert abs(int(begin) - entry.valid_from.year) <= 2, entry
            agreeing += 1

    assert agreeing > 150


@given(st.text("0123456789", min_size=0, max_size=13))
def test_any_digits_are_looked_up_or_nothing(code: str) -> None:
    """No code of a stranger's choice raises."""
    entry = lookup_division(f"37{code}", at=TODAY)

    assert entry is None or entry.code == f"37{code}"


def test_the_data_is_small_and_loaded_when_asked() -> None:
    """Below 600 KiB in the package; the first question about a village costs at most 2 MiB kept."""
    packed = DATA.joinpath("shandong.xz").read_bytes()
    whole = sum(len(DATA.joinpath(name).read_bytes()) for name in ("divisions.csv", "tables.csv"))
    module._listing.cache_clear()

    tracemalloc.start()
    lookup_division("370102", at=TODAY)
    before, _ = tracemalloc.get_traced_memory()
    lookup_division("370102001002", at=TODAY)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(packed) + whole < 600 * 1024
    assert kept - before < 2 * 1024 * 1024
    assert peak - before < 16 * 1024 * 1024


def test_six_digits_do_not_unpack_the_villages() -> None:
    """An identifier's division is looked up with every question, a village's hardly ever."""
    module._listing.cache_clear()

    lookup_division("370102", at=TODAY)

    assert module._listing.cache_info().currsize == 0


def test_the_licences_stand_beside_the_data() -> None:
    """What is redistributed says from whom and under which terms."""
    sources = DATA.joinpath("SOURCES.md").read_text("utf-8")

    for name in ("LICENSE.china-division", "LICENSE.GB2260"):
        assert name in sources
        assert "Copyright" in DATA.joinpath(name).read_text("utf-8")
    assert lzma.decompress(DATA.joinpath("shandong.xz").read_bytes()).startswith(b"=370102001")
