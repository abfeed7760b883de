"""Credit codes, organisation codes and taxpayers' numbers: doubts, never refusals of a person."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from adapters.mapping.identifiers import (
    Examined,
    Problem,
    examine_organisation_code,
    examine_tax_id,
    examine_uscc,
)
from adapters.mapping.identifiers.organisation import credit_code_check, organisation_check
from adapters.simulators.population.identity import credit_code
from adapters.simulators.population.identity import organisation_check as other_check

TODAY = date(2026, 11, 23)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PUBLISHED = ("91370100MA3FAKE04Q", "92370102MA3GEKE74B", "11370000MB2DEM0105", "52370000MJD000011X")


@pytest.mark.parametrize("code", PUBLISHED)
def test_a_right_code_has_no_problem(code: str) -> None:
    """The vectors of the design page, and a foreign implementation agrees."""
    examined = examine_uscc(code.lower())

    assert examined.value == code
    assert examined.problems == ()
    assert uscc.is_valid(code)


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_the_check_character_is_the_one_another_library_computes(seventeen: str) -> None:
    """GB 32100-2015 5.3, for any 17 characters of the alphabet."""
    assert credit_code_check(seventeen) == uscc.calc_check_digit(seventeen)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_the_organisation_check_is_the_simulators(eight: str) -> None:
    """GB 11714-1997, written twice by different hands."""
    assert organisation_check(eight) == other_check(eight)


def test_the_organisation_check_of_the_design_page() -> None:
    """MA3FAKE0 gives 4; 10 is written X and 11 is written 0."""
    assert organisation_check("MA3FAKE0") == "4"
    assert {organisation_check(f"{n:08d}") for n in range(400)} == set("0123456789X")


@pytest.mark.parametrize(
    ("code", "problems"),
    [
        ("91370100MA3FAKE041", (Problem.CREDIT_CODE_CHECK,)),
        ("91370100MA3FAKE05N", (Problem.ORGANISATION_CHECK,)),
        ("Q1370100MA3FAKE04K", (Problem.PREFIX,)),
        ("91379900MA3FAKE04T", (Problem.REGION,)),
    ],
)
def test_each_doubt_warns_and_refuses_nothing(code: str, problems: tuple[Problem, ...]) -> None:
    """Lawful codes are known to fail; the department decides (finding 8)."""
    fixed = code if Problem.CREDIT_CODE_CHECK in problems else _checked(code)

    examined = examine_uscc(fixed)

    assert examined.problems == problems
    assert examined.warnings == problems
    assert examined.refused == ()


def _checked(code: str) -> str:
    return code[:17] + uscc.calc_check_digit(code[:17])


def test_a_body_of_the_nation_has_a_known_region() -> None:
    """100000 is no division of a province, and ministries bear it."""
    code = credit_code("11", "100000", "00001333")

    assert examine_uscc(code).problems == ()


@pytest.mark.parametrize(
    "code", ["", "91370100MA3FAKE04", "9137010OMA3FAKE04Q", "9137AB00MA3FAKE04Q"]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    """Length, alphabet and digits for the division."""
    assert examine_uscc(code).refused == (Problem.FORMAT,)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("MA3FAKE0-4", ()),
        ("ma3fake04", ()),
        ("MA3FAKE05", (Problem.ORGANISATION_CHECK,)),
        ("MA3FAKE0", (Problem.FORMAT,)),
    ],
)
def test_an_organisation_code_stands_by_itself(text: str, problems: tuple[Problem, ...]) -> None:
    """With or without the hyphen; a failing check is a doubt."""
    assert examine_organisation_code(text).problems == problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("91370100MA3FAKE04Q", ()),
        ("370102198203150024", ()),
        ("37010219820315002400", ()),
        ("370100MA3FAKE04", ()),
        ("370102820315002", ()),
        ("370102MA3FAKE05", (Problem.ORGANISATION_CHECK,)),
        ("379999MA3FAKE04", (Problem.REGION,)),
        ("1234567890ABCDEFG", ()),
        ("37010219820315002500", (Problem.PERSON_CHECK,)),
        ("91370100MA3FAKE041", (Problem.CREDIT_CODE_CHECK,)),
        ("12345678901234", (Problem.FORMAT,)),
        ("1" * 21, (Problem.FORMAT,)),
    ],
)
def test_a_taxpayer_is_numbered_in_several_layouts(
    text: str, problems: tuple[Problem, ...]
) -> None:
    """A credit code, a resident number with or without two more, an office's division."""
    assert examine_tax_id(text, TODAY).problems == problems


@given(st.text(max_size=24), st.sampled_from([examine_uscc, examine_organisation_code]))
def test_examining_never_raises(text: str, examine: Callable[[str], Examined]) -> None:
    """A report comes back for any text."""
    assert examine(text).value in {"", *_spellings(text)}
    assert examine_tax_id(text, TODAY) is not None


def _spellings(text: str) -> set[str]:
    folded = "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else c for c in text)
    upper = folded.replace("\u3000", " ").strip().upper()
    return {upper, upper.replace("-", "")}
