"""A value has the form of its catalog type, or it is told that it has not."""

from pathlib import Path

import pytest

from adapters.conformance.forms import has_form
from adapters.effects.families import family_of
from gateway.catalog import load_catalog
from signing.encoding import JsonValue

CATALOG = load_catalog(Path(__file__).parents[3] / "gateway" / "bundle" / "catalog.yaml")


@pytest.mark.parametrize(
    ("catalog_type", "good", "bad"),
    [
        ("date", "2022-01-29", "2022-02-30"),
        ("date", "2024-02-29", "20220129"),
        ("cid18", "370102195603159016", "370102560315901"),
        ("cid18", "370102195603159016", "370102195603159017"),
        ("uscc18", "11370000MB2DEM0105", "11370000mb2dem0105"),
        (r"re:\d{6}", "202601", "2026-01"),
        (r"re:\d{17,18}", "990191200405549684", "9901912004"),
        ("code:GB/T2260", "370102", "37"),
        ("code:1/5/6/7", "5", "x" * 65),
        ("int", "12", "12x"),
        ("dec12.2", "-0.50", "1,000.00"),
        ("bool", "true", "1"),
        ("str3", "三个字", "四个字了"),
        ("str", "x" * 500, ""),
        ("list", ["110"], "110"),
        ("date", "2022-01-29", ["2022-01-29"]),
        ("date", "2022-01-29", None),
    ],
)
def test_a_form_is_told_from_another(catalog_type: str, good: JsonValue, bad: JsonValue) -> None:
    """One that is right and one that is only nearly so."""
    assert has_form(catalog_type, good)
    assert not has_form(catalog_type, bad)


def test_every_type_of_the_catalog_is_judged() -> None:
    """A type nobody knows would pass whatever it holds, or end the run."""
    types = {field.type for each in CATALOG.datasets.values() for field in each.fields}

    assert all(family_of(each) for each in types)
    assert not any(has_form(each, None) for each in types)
