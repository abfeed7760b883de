"""Small code tables, and addresses cut by names of divisions."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import EffectNotApplicable
from adapters.mapping.codes import TABLES, Entry, code_table, county_units
from adapters.mapping.codes.addresses import find_ends
from adapters.mapping.codes.tables import build_table
from adapters.port import EffectKind
from adapters.simulators.population import Population, public_security_record
from tests.adapters.test_effects_properties import value_of

TODAY = date(2026, 11, 23)
CATALOG = Path(__file__).parents[3] / "deploy" / "catalog" / "datasets.csv"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("GB/T2260.1", 35),
        ("GB/T2261.1", 4),
        ("GB/T2261.2", 8),
        ("GB/T3304", 56),
        ("GB/T4658", 40),
        ("GB/T4761", 84),
        ("INSURANCE_KIND", 7),
        ("NSRZT_DM", 14),
        ("USCC_PREFIX", 36),
        ("ITEM_LEVEL", 6),
        ("ITEM_AREA", 2),
        ("ITEM_TYPE", 11),
        ("DIPLOMA_TYPE", 4),
        ("DIPLOMA_LEVEL", 5),
        ("DEGREE_LEVEL", 3),
    ],
)
def test_each_table_is_whole(name: str, count: int) -> None:
    """So many codes, each with one name, none twice."""
    entries = code_table(name).entries

    assert len(entries) == count
    assert all(len(meanings) == 1 and meanings[0].name for meanings in entries.values())


def test_every_listed_table_can_be_loaded() -> None:
    """The list and the file name the same tables, and there is no other."""
    assert all(code_table(name).entries for name in TABLES)
    with pytest.raises(KeyError):
        code_table("GB/T9999")


def test_every_code_table_of_the_catalog_exists() -> None:
    """A catalog type `code:GB/T…` or `code:NSRZT_DM` names a table of ours."""
    types = {line.split("|")[3] for line in CATALOG.read_text("utf-8").splitlines()[1:]}
    named = {each.removeprefix("code:") for each in types if each.startswith("code:")}

    assert {name for name in named if name.startswith(("GB/T", "NSRZT"))} <= set(TABLES)


@pytest.mark.parametrize(
    ("table", "code", "name"),
    [
        ("GB/T2261.1", "2", "女性"),
        ("GB/T2261.2", "23", "复婚"),
        ("GB/T3304", "01", "汉族"),
        ("GB/T3304", "56", "基诺族"),
        ("GB/T4658", "21", "大学本科毕业"),
        ("GB/T4761", "10", "配偶"),
        ("INSURANCE_KIND", "110", "企业职工基本养老保险"),
        ("NSRZT_DM", "03", "正常"),
        ("USCC_PREFIX", "91", "企业"),
        ("ITEM_TYPE", "05", "行政给付"),
    ],
)
def test_a_code_has_its_name(table: str, code: str, name: str) -> None:
    """One of each table the design page names."""
    entry = code_table(table).lookup(code, at=TODAY)

    assert entry is not None
    assert entry.name == name


def test_a_code_younger_than_the_day_is_known_and_not_in_force() -> None:
    """Hainan was no province in 1980."""
    entry = code_table("GB/T2260.1").lookup("46", at=date(1980, 1, 1))

    assert entry is not None
    assert not entry.in_force(date(1980, 1, 1))
    assert entry.in_force(TODAY)


def test_codes_that_name_each_other_end() -> None:
    """A mistake in a table may be wrong, but it does not hang."""
    row = {"name": "x", "valid_from": "", "valid_to": "1990-01-01"}
    table = build_table(
        "t", [{"code": a, "successors": b, **row} for a, b in (("1", "2"), ("2", "1"))]
    )

    assert table.current("1", at=TODAY) == ()
    assert table.lookup("1", at=TODAY) == Entry(
        code="1", name="x", valid_to=date(1990, 1, 1), successors=("2",)
    )


@pytest.mark.parametrize(
    ("address", "county"),
    [
        ("山东省济南市莱芜区凤城街道某小区", "山东省济南市莱芜区"),
        ("山东省莱芜市莱城区某路1号", "山东省莱芜市莱城区"),
        ("山东省潍坊市青州市某街道", "山东省潍坊市青州市"),
        ("山东省青州市某街道", "山东省青州市"),
        ("山东省惠民地区滨县某公社", "山东省惠民地区滨县"),
        ("山东省德州市德州天衢新区某路", "山东省德州市德州天衢新区"),
        ("山东省烟台市长岛县某镇", "山东省烟台市长岛县"),
        ("济南市章丘区某村", "济南市章丘区"),
        ("河北省石家庄市长安区某路", "河北省石家庄市长安区"),
    ],
)
def test_an_address_is_cut_at_its_county_unit(address: str, county: str) -> None:
    """By the names units bear or bore; elsewhere in China by the pattern."""
    assert value_of(EffectKind.GENERALISE, ("county",), "str200", address) == county


@pytest.mark.parametrize("address", ["山东省青州市某街道", "山东省章丘市某村"])
def test_a_county_level_city_is_not_given_for_a_city(address: str) -> None:
    """It is as fine as a county, and a city was granted."""
    with pytest.raises(EffectNotApplicable):
        value_of(EffectKind.GENERALISE, ("city",), "str200", address)


def test_every_county_unit_is_cut_exactly() -> None:
    """For all 151 names, with what must not leave behind them."""
    for unit in county_units(at=TODAY):
        city = code_table("GB/T2260").lookup(f"{unit.code[:4]}00", at=TODAY)
        assert city is not None
        upper = f"山东省{city.name}{unit.name}"

        assert (
            value_of(EffectKind.GENERALISE, ("county",), "str200", f"{upper}市北小区县前街1号")
            == upper
        )
        assert (
            value_of(EffectKind.GENERALISE, ("city",), "str200", f"{upper}1号")
            == f"山东省{city.name}"
        )


@given(st.integers(0, 9_999))
def test_registered_addresses_are_cut_at_their_division(index: int) -> None:
    """What the simulated register holds, down to the county and no further."""
    address = public_security_record(Population().person(index)).person_core.registered_address
    ends = find_ends(address)

    assert ends is not None
    assert ends.county is not None
    assert address[: ends.county].endswith(("区", "县", "市"))


@given(st.text(max_size=40))
def test_any_text_has_ends_inside_or_none(text: str) -> None:
    """No text of a register raises."""
    ends = find_ends(f"山东省{text}")

    assert ends is not None
    assert all(end is None or 3 < end <= len(text) + 3 for end in (ends.city, ends.county))


@pytest.mark.parametrize(
    "text", ["市中区某路1号", "河东区某街", "青州市某村", "北京市朝阳区某路", ""]
)
def test_without_province_or_city_nothing_is_known_to_be_of_shandong(text: str) -> None:
    """Other provinces have a 市中区 and a 河东区 too."""
    assert find_ends(text) is None
