"""Numbers of certificates, accounts, cards, service items and vouchers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import AnswerMalformed
from adapters.mapping.identifiers import (
    KINDS,
    POLICY,
    IdentifierKind,
    Problem,
    Severity,
    examine,
    examine_account_number,
    examine_license_id,
    parse_diploma_number,
    split_degree_number,
    split_diploma_number,
)
from adapters.mapping.identifiers.bank import CARD_PREFIXES
from adapters.simulators.population.identity import card_number

TODAY = date(2026, 11, 23)
LICENSE = KINDS[IdentifierKind.LICENSE_ID].example
K = IdentifierKind
P = Problem
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def hybrid_check(body: str) -> str:
    """Compute ISO 7064 MOD 37,36 as the standard's recursion has it (8.2)."""
    value = 36
    for character in body:
        value = (value + ALPHANUMERIC.index(character)) % 36 or 36
        value = value * 2 % 37
    return ALPHANUMERIC[(37 - value) % 36]


@pytest.mark.parametrize(
    ("kind", "text", "problems"),
    [
        (K.DIPLOMA_NUMBER, "104221200405000123", ()),
        (K.DIPLOMA_NUMBER, "10422120020500012", ()),
        (K.DIPLOMA_NUMBER, "104229200405000123", (P.PART,)),
        (K.DIPLOMA_NUMBER, "104221200409000123", (P.PART,)),
        (K.DIPLOMA_NUMBER, "104221203005000123", (P.YEAR,)),
        (K.DIPLOMA_NUMBER, "104221190005000123", (P.YEAR,)),
        (K.DIPLOMA_NUMBER, "65370102000000123", ()),
        (K.DIPLOMA_NUMBER, "653701020000001234", ()),
        (K.DIPLOMA_NUMBER, "65379902000000123", (P.REGION,)),
        (K.DIPLOMA_NUMBER, "1042212004050001", (P.FORMAT,)),
        (K.DEGREE_NUMBER, "1042242004000123", ()),
        (K.DEGREE_NUMBER, "1042242004S00123", ()),
        (K.DEGREE_NUMBER, "z1042242004e00123", ()),
        (K.DEGREE_NUMBER, "1042292004000123", (P.PART,)),
        (K.DEGREE_NUMBER, "1042242004Q00123", (P.FORMAT,)),
        (K.DEGREE_NUMBER, "X1042242004000123", (P.FORMAT,)),
        (K.MARRIAGE_NUMBER, "J370102-2019-000123", ()),
        (K.MARRIAGE_NUMBER, "bl370102－2019—000123", ()),
        (K.MARRIAGE_NUMBER, "J371202-2010-000123", ()),
        (K.MARRIAGE_NUMBER, "L379902-2019-000123", (P.REGION,)),
        (K.MARRIAGE_NUMBER, "J370102-2031-000123", (P.YEAR,)),
        (K.MARRIAGE_NUMBER, "历字第12号", (P.FREE_TEXT,)),
        (K.MARRIAGE_NUMBER, "字" * 61, (P.FORMAT,)),
        (K.MARRIAGE_NUMBER, "K370102-2019-000123", (P.FORMAT,)),
        (K.SERVICE_ITEM, "11370000MB2DEM01052372014001000", ()),
        (K.SERVICE_ITEM, "11370000MB2DEM0105237201400100002", ()),
        (K.SERVICE_ITEM, "11370000MB2DEM01059372014001000", (P.PART,)),
        (K.SERVICE_ITEM, "11370000MB2DEM01052379914001000", (P.PART,)),
        (K.SERVICE_ITEM, "11370000MB2DEM01052992014001000", (P.PART,)),
        (K.SERVICE_ITEM, "11370000MB2DEM01072372014001000", (P.CREDIT_CODE_CHECK,)),
        (K.SERVICE_ITEM, "11370000MB2DEM0105237201400100", (P.FORMAT,)),
        (K.SERVICE_ITEM, "1137000OMB2DEM01052372014001000", (P.FORMAT,)),
        (K.ACCOUNT_NUMBER, "6217000000000000012", ()),
        (K.ACCOUNT_NUMBER, "6217 0000 0000 0000 012", ()),
        (K.ACCOUNT_NUMBER, "6228480000000000018", ()),
        (K.ACCOUNT_NUMBER, "6217000000000000013", (P.CARD_CHECK,)),
        (K.ACCOUNT_NUMBER, "1602001109000000013", ()),
        (K.ACCOUNT_NUMBER, "621700000000001", (P.FORMAT,)),
        (K.CNAPS, "102451000017", ()),
        (K.CNAPS, "10245100001", (P.FORMAT,)),
        (K.SOCIAL_CARD, "a12345678", ()),
        (K.SOCIAL_CARD, "A1234567X", ()),
        (K.SOCIAL_CARD, "AA2345678", (P.FORMAT,)),
        (K.VOUCHER, "337010260100000123", ()),
        (K.VOUCHER, "1234567", (P.FORMAT,)),
    ],
)
def test_each_number_is_read_by_its_rule(
    kind: IdentifierKind, text: str, problems: tuple[Problem, ...]
) -> None:
    """Layout refuses; parts, years and divisions that no table has are doubts."""
    examined = examine(kind, text, TODAY)

    assert examined.problems == problems
    assert bool(examined.value) is (P.FORMAT not in problems)


def test_the_parts_of_a_diploma_number_are_told() -> None:
    """School, type, year, level, serial; of a self-taught one only division and serial."""
    ordinary = split_diploma_number("104221200405000123")
    self_taught = split_diploma_number("65370102000000123")

    assert ordinary is not None
    assert (ordinary.school, ordinary.type, ordinary.year) == ("10422", "1", 2004)
    assert (ordinary.level, ordinary.serial) == ("05", "000123")
    assert self_taught is not None
    assert (self_taught.division, self_taught.serial) == ("370102", "000000123")
    assert (self_taught.type, self_taught.school, self_taught.year) == ("6", None, None)
    assert split_diploma_number("1") is None


def test_the_parts_of_a_degree_number_are_told() -> None:
    """Prefix, unit, level, year, serial with its letter."""
    parts = split_degree_number("Z1042242004S00123")

    assert parts is not None
    assert (parts.prefix, parts.unit, parts.level) == ("Z", "10422", "4")
    assert (parts.year, parts.serial) == (2004, "S00123")
    assert split_degree_number("1") is None


@given(st.text(ALPHANUMERIC, min_size=1, max_size=32), st.integers(0, 999))
def test_a_certificate_identifier_has_the_check_of_the_standard(serial: str, version: int) -> None:
    """For any serial and version, by the recursion of ISO 7064; every other character refuses."""
    kind, issuer = "11100000000013338W000", "11370000MB2DEM0105"
    right = hybrid_check(f"{kind}{issuer}{serial}{version:03d}")
    stem = f"1.2.156.3005.2.{kind}.{issuer}.{serial}.{version:03d}."

    for check in ALPHANUMERIC:
        problems = examine_license_id(stem + check).refused
        assert problems == (() if check == right else (Problem.CERTIFICATE_CHECK,))


@pytest.mark.parametrize(
    "text",
    [
        LICENSE.replace(".001.Q", ".1.Q"),
        LICENSE.replace("3005.2", "3005.3"),
        LICENSE.replace(".11370000MB2DEM0105.", ".1137000OMB2DEM0105."),
        LICENSE.replace("11100000000013338W000", "I1100000000013338W000"),
        LICENSE.replace(".", ""),
    ],
)
def test_another_layout_is_no_certificate_identifier(text: str) -> None:
    """Root, type, issuer, version: each part has its form."""
    assert examine_license_id(text).refused == (Problem.FORMAT,)


def test_the_published_pair_of_versions() -> None:
    """The design page's identifier ends in Q, its next version in O."""
    assert examine_license_id(LICENSE).problems == ()
    assert examine_license_id(LICENSE.replace(".001.Q", ".002.O")).problems == ()


@given(st.sampled_from(sorted(CARD_PREFIXES)), st.integers(0, 10**12 - 1))
def test_a_card_is_judged_by_luhn_under_a_known_prefix(prefix: str, serial: int) -> None:
    """The simulators' own Luhn is accepted, each of the nine other digits is refused."""
    card = card_number(f"{prefix}{serial:012d}")

    assert examine_account_number(card).problems == ()
    for digit in set("0123456789") - {card[-1]}:
        assert examine_account_number(card[:-1] + digit).refused == (Problem.CARD_CHECK,)


@pytest.mark.parametrize("kind", IdentifierKind)
def test_every_example_is_right(kind: IdentifierKind) -> None:
    """What the page shows has no problem, in lower case and full width too."""
    example = KINDS[kind].example
    wide = "".join(chr(ord(c) + 0xFEE0) for c in example)

    assert examine(kind, example, TODAY).problems == ()
    assert examine(kind, wide.lower(), TODAY).value == example


@given(st.sampled_from(IdentifierKind), st.text(max_size=90))
def test_examining_any_text_gives_a_report_of_the_kind(kind: IdentifierKind, text: str) -> None:
    """Nothing raises, and only problems that the page lists for the kind are found."""
    examined = examine(kind, text, TODAY)

    assert set(examined.problems) <= {Problem.FORMAT, *KINDS[kind].problems}
    assert examine(kind, examined.value, TODAY).value == examined.value


def test_every_problem_has_a_severity_and_a_kind_that_shows_it() -> None:
    """The policy is complete, and nothing in it is dead."""
    shown = {problem for rule in KINDS.values() for problem in rule.problems}

    assert set(POLICY) == set(Problem) == shown | {Problem.FORMAT}
    assert set(POLICY.values()) == set(Severity)


def test_a_department_is_told_the_problem_and_not_the_number() -> None:
    """The error names the rule."""
    with pytest.raises(AnswerMalformed) as caught:
        parse_diploma_number("12345")

    assert str(caught.value) == "identifier: FORMAT"
