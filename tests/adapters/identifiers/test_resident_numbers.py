"""Resident numbers: what refuses, what is only doubtful, and that the old are not turned away."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mapping.codes import LISTED_ON, county_units
from adapters.mapping.identifiers import (
    Problem,
    examine_resident_id,
    find_birth_date,
    widen_resident_id,
)
from adapters.simulators.population import Planted, planted

TODAY = date(2026, 11, 23)
UNITS = [entry.code for entry in county_units(at=LISTED_ON)]

# GB 11643-1999 4.3, written from the standard: what the implementation has from a library.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(division: str, born: date, sequence: int = 2) -> str:
    """Compose a number by the standard's table."""
    body = f"{division}{born:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize("year", [1897, 1931, 1955, 1975, 1985, 2020])
def test_every_county_unit_is_accepted_for_every_age(year: int) -> None:
    """All 151 units of Shandong, zones included, at any year of birth (finding 7)."""
    found = {
        problem
        for code in UNITS
        for problem in examine_resident_id(number(code, date(year, 3, 15)), TODAY).problems
    }

    assert len(UNITS) == 151
    assert found == set()


def test_the_fifteen_zones_are_among_them() -> None:
    """They have statistical codes, and people with numbers."""
    zones = [code for code in UNITS if code[4] == "7"]

    assert len(zones) == 15
    assert not any(examine_resident_id(number(z, date(1950, 1, 1)), TODAY).problems for z in zones)


def test_a_number_of_fifteen_digits_of_somebody_of_95_is_widened() -> None:
    """1931 is written 31; the century is 19 and the check character is computed."""
    whole = number("370811", date(1931, 4, 9), 901)

    examined = examine_resident_id(whole[:6] + whole[8:17], TODAY)

    assert examined.value == whole
    assert examined.problems == ()
    assert widen_resident_id(whole[:6] + whole[8:17]) == whole


@given(
    st.sampled_from(UNITS),
    st.dates(min_value=date(1900, 1, 1), max_value=date(1999, 12, 31)),
    st.integers(0, 999),
)
def test_widening_is_what_the_standard_says(division: str, born: date, sequence: int) -> None:
    """For any number of the first generation, by the reference."""
    whole = number(division, born, sequence)

    assert examine_resident_id(whole[:6] + whole[8:17], TODAY).value == whole
    assert find_birth_date(whole) == born


@pytest.mark.parametrize("someone", planted(), ids=lambda each: str(each.index))
def test_nothing_is_wrong_with_the_synthetic_people(someone: Planted) -> None:
    """The population was written by others from the same standard."""
    assert examine_resident_id(someone.id_number, TODAY).problems == ()


@given(st.sampled_from(UNITS), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_refuses(division: str, place: int, other: str) -> None:
    """No single slip of the pen gives another accepted number."""
    right = number(division, date(1956, 3, 15))
    wrong = right[:place] + other + right[place + 1 :]

    assert wrong == right or examine_resident_id(wrong, TODAY).refused


@pytest.mark.parametrize(
    ("born", "problems"),
    [
        (TODAY, ()),
        (TODAY + timedelta(days=1), (Problem.BIRTH_IN_FUTURE,)),
        (date(2100, 1, 1), (Problem.BIRTH_IN_FUTURE,)),
        (date(1896, 1, 1), ()),
        (date(1895, 12, 31), (Problem.AGE,)),
        (date(1000, 1, 1), (Problem.AGE,)),
    ],
)
def test_a_birth_date_that_cannot_be_refuses(born: date, problems: tuple[Problem, ...]) -> None:
    """Born tomorrow or older than 130 years."""
    examined = examine_resident_id(number("370102", born), TODAY)

    assert examined.problems == problems
    assert examined.refused == problems


def test_without_a_day_a_birth_date_is_compared_with_none() -> None:
    """What a department answers is read without asking what day it is."""
    assert examine_resident_id(number("370102", date(2100, 1, 1))).problems == ()


@pytest.mark.parametrize("day", ["19820230", "19821301", "00000101", "19820015"])
def test_a_day_no_calendar_has_refuses(day: str) -> None:
    """Even under a right check character."""
    body = f"370102{day}001"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))

    assert examine_resident_id(body + "10X98765432"[total % 11], TODAY).refused == (
        Problem.BIRTH_DATE,
    )


@pytest.mark.parametrize("division", ["370199", "379999", "990102"])
def test_an_unknown_division_is_a_doubt_that_refuses_nothing(division: str) -> None:
    """No table is complete."""
    examined = examine_resident_id(number(division, date(1956, 3, 15)), TODAY)

    assert examined.problems == (Problem.REGION,)
    assert examined.refused == ()


@pytest.mark.parametrize(
    "division", ["371202", "370181", "372922", "379006", "370101", "110105", "830000", "650102"]
)
def test_a_division_that_was_one_is_known_for_ever(division: str) -> None:
    """Abolished, renamed, a city's placeholder, or another province's."""
    assert examine_resident_id(number(division, date(1956, 3, 15)), TODAY).problems == ()


@pytest.mark.parametrize("text", ["", "3701", "X" * 18, "37010219820315002", "٣" * 18, "1" * 16])
def test_what_has_not_the_form_has_no_value(text: str) -> None:
    """Neither 15 digits nor 18 characters; the report repeats nothing."""
    examined = examine_resident_id(text, TODAY)

    assert examined.problems == (Problem.FORMAT,)
    assert examined.value == ""


@given(st.text(max_size=30))
def test_examining_never_raises(text: str) -> None:
    """A report comes back for any text, and it shows no identifier."""
    examined = examine_resident_id(text, TODAY)

    assert examined.value == "" or len(examined.value) == 18
    assert examined.value == "" or examined.value not in repr(examined)
