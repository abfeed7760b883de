"""Each code of the tax department has one meaning, in a table and in a test."""

from collections.abc import Mapping

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.codes import (
    CREDIT_GRADES,
    INCOME_BANDS,
    INCOME_ITEMS,
    INSURANCE_KINDS,
    RECORD_FAILURES,
    REFUSALS,
    YES_NO,
)
from adapters.kinds.tax.questions import Question
from adapters.kinds.tax.reading import read_record
from adapters.port import FieldName, Finding, Indeterminate
from signing.encoding import JsonValue
from tests.adapters.tax.examples import (
    CLAIMS,
    ENTRY,
    FIRM,
    FIRM_RECORD,
    INCOME,
    PAYMENTS,
    REFUND,
    SOLE,
    WAGE,
    firm,
    paid,
    taxed,
    value_of,
)


def test_the_tables_are_the_manuals() -> None:
    """Every code the manual lists stands in one of them."""
    assert set(RECORD_FAILURES) == {"1002", "1004", "1005", "1006"}
    assert set(REFUSALS) == {*(f"9000000{n}" for n in range(1, 9)), "99999999"}
    assert {code for code, again in REFUSALS.items() if again} == {
        *("90000004", "90000005", "99999999")
    }
    assert set(YES_NO) == {"Y", "N"}
    assert {"110", "170", "210", "310", "410"} == INSURANCE_KINDS
    assert {"0101", "0400"} == INCOME_ITEMS
    assert {"B1", "B2", "B3", "B4", "B5"} == INCOME_BANDS
    assert {"A", "B", "M", "C", "D"} == CREDIT_GRADES


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1002", Indeterminate.SUBJECT_UNRESOLVED),
        ("1004", Indeterminate.SUBJECT_UNRESOLVED),
        ("1005", Indeterminate.QUESTION_REJECTED),
        ("1006", Indeterminate.PROVIDER_FAULT),
    ],
)
@pytest.mark.parametrize("question", [paid(), taxed(), firm()], ids=lambda q: q.service.name)
def test_each_failing_record_tells_nothing(
    question: Question, code: str, reason: Indeterminate
) -> None:
    """Whatever was asked, and whatever else the record says."""
    with pytest.raises(DepartmentFailed) as failed:
        read_record(question, {**PAYMENTS, **INCOME, **FIRM_RECORD, "JLDM": code})

    assert failed.value.reason is reason


@pytest.mark.parametrize("question", [taxed(), firm()], ids=lambda q: q.service.name)
def test_nobody_there_is_not_found(question: Question) -> None:
    """What that means is for the catalog to say."""
    assert read_record(question, {"JLDM": "1001", "JLXX": "x"}) is None


@pytest.mark.parametrize("code", ["", "0", "1007", "9999", "00000000"])
@pytest.mark.parametrize("question", [paid(), taxed(), firm()], ids=lambda q: q.service.name)
def test_a_record_code_of_no_list_is_malformed(question: Question, code: str) -> None:
    """The list is closed, so it is neither a value nor a "no"."""
    with pytest.raises(AnswerMalformed):
        read_record(question, {**PAYMENTS, **INCOME, **FIRM_RECORD, "JLDM": code})


def test_a_taxpayer_cannot_be_there_without_a_record() -> None:
    """Code 1003 is not one of that service."""
    with pytest.raises(AnswerMalformed):
        read_record(firm(), {**FIRM_RECORD, "JLDM": "1003"})


CLAIMED_PERIODS: list[tuple[Mapping[str, str], Finding | None]] = [
    ({"period": "202610"}, None),
    ({"period": "202511"}, None),
    ({"period": "202510"}, Finding.INDETERMINATE),
    ({"period": "202611"}, Finding.INDETERMINATE),
    ({"period": "201801"}, Finding.INDETERMINATE),
    ({}, Finding.NOT_APPLICABLE),
    ({"insurance_kind": "510"}, Finding.NOT_APPLICABLE),
    ({"insurance_kind": "pension"}, Finding.ERROR),
    ({"period": "2026-13"}, Finding.ERROR),
    ({"period": "202610", "insurance_kind": "510"}, Finding.INDETERMINATE),
    ({"period": "202610", "insurance_kind": "pension"}, Finding.ERROR),
]


@pytest.mark.parametrize(("claims", "finding"), CLAIMED_PERIODS)
def test_no_contribution_is_a_no_of_kept_periods_only(
    claims: Mapping[str, str], finding: Finding | None
) -> None:
    """Not found is the catalog's NO, so what is not kept must not be told as not found."""
    empty = {name: each for name, each in PAYMENTS.items() if name != "JFMX"}

    raw = read_record(paid(claims), {**empty, "JLDM": "1003"})

    assert raw == (None if finding is None else {FieldName("paid_in_period"): finding})


@pytest.mark.parametrize(("claims", "finding"), CLAIMED_PERIODS)
def test_of_nobody_it_is_not_told_that_a_period_was_not_paid(
    claims: Mapping[str, str], finding: Finding | None
) -> None:
    """Code 1001 does not say which periods are kept, so none can be called unpaid."""
    raw = read_record(paid(claims), {"JLDM": "1001", "JLXX": "x"})

    assert raw == {FieldName("paid_in_period"): finding or Finding.INDETERMINATE}


PAID_CASES: dict[str, tuple[list[JsonValue], Mapping[str, str], Finding]] = {
    "paid": ([ENTRY], CLAIMS, Finding.YES),
    "paid, written otherwise": ([ENTRY], {"period": "2026-10"}, Finding.YES),
    "paid, any insurance": ([ENTRY], {"period": "202610"}, Finding.YES),
    "another insurance only": ([{**ENTRY, "XZ": "310"}], CLAIMS, Finding.NO),
    "another period only": ([{**ENTRY, "SSQ": "202609"}], CLAIMS, Finding.NO),
    "arrived twice": ([ENTRY, ENTRY], CLAIMS, Finding.YES),
    "refunded": ([ENTRY, REFUND], CLAIMS, Finding.NO),
    "refund alone": ([REFUND], CLAIMS, Finding.NO),
    "arrived twice, refunded once": ([ENTRY, ENTRY, REFUND], CLAIMS, Finding.NO),
    "refunded in part": ([ENTRY, {**REFUND, "DWJE": "0.00"}], CLAIMS, Finding.YES),
    "paid nothing": ([{**ENTRY, "DWJE": "0.00", "GRJE": "0.00"}], CLAIMS, Finding.NO),
    "unknown sort of entry": ([{**ENTRY, "LXDM": "2"}], CLAIMS, Finding.INDETERMINATE),
    "unknown sort elsewhere": (
        [ENTRY, {**REFUND, "LXDM": "2", "XZ": "210"}],
        CLAIMS,
        Finding.YES,
    ),
    "unknown insurance beside nothing": (
        [{**ENTRY, "XZ": "120"}],
        CLAIMS,
        Finding.INDETERMINATE,
    ),
    "unknown insurance beside a refund": (
        [ENTRY, REFUND, {**ENTRY, "XZ": "120", "SPHM": "3" * 18}],
        CLAIMS,
        Finding.INDETERMINATE,
    ),
    "unknown insurance beside a payment": (
        [ENTRY, {**ENTRY, "XZ": "120", "SPHM": "3" * 18}],
        CLAIMS,
        Finding.YES,
    ),
    "unknown insurance of another period": (
        [{**ENTRY, "XZ": "120", "SSQ": "202609"}],
        CLAIMS,
        Finding.NO,
    ),
    "before what is kept": ([ENTRY], {"period": "202510"}, Finding.INDETERMINATE),
    "after what is kept": ([ENTRY], {"period": "202611"}, Finding.INDETERMINATE),
    "no period named": ([ENTRY], {}, Finding.NOT_APPLICABLE),
    "no month": ([ENTRY], {"period": "last month"}, Finding.ERROR),
    "unknown insurance": ([ENTRY], {**CLAIMS, "insurance_kind": "999"}, Finding.INDETERMINATE),
    "no insurance": ([ENTRY], {**CLAIMS, "insurance_kind": "x"}, Finding.ERROR),
}


@pytest.mark.parametrize("case", PAID_CASES)
def test_whether_a_period_was_paid(case: str) -> None:
    """Net, each voucher once, and only where it can be told."""
    entries, claims, finding = PAID_CASES[case]

    raw = read_record(paid(claims), {**PAYMENTS, "JFMX": entries})

    assert value_of(raw, "paid_in_period") is finding


def test_the_asked_entry_is_told_and_no_other() -> None:
    """Other periods and insurances are over-returned and dropped; a refund lends no voucher."""
    other = {**ENTRY, "SSQ": "202609", "SPHM": "372609000000000008", "JFJS": "9.00"}
    health = {**ENTRY, "XZ": "310", "SPHM": "372610200000000008", "DWJE": "5.00"}
    half = {**REFUND, "DWJE": "-33.28", "GRJE": "-16.64", "RKRQ": "20261028"}

    raw = read_record(paid(), {**PAYMENTS, "JFMX": [other, health, half, ENTRY]})

    assert raw == {
        "period": "202610",
        "insurance_kind": "110",
        "base_amount": "12708.00",
        "paid_unit": "2000.00",
        "paid_person": "1000.00",
        "paid_date": "2026-10-21",
        "voucher_no": "372610000000000008",
        "paid_in_period": Finding.YES,
    }


def test_without_claims_the_latest_pension_entry_stands_for_the_person() -> None:
    """And no period was asked about."""
    older = {**ENTRY, "SSQ": "202609", "SPHM": "372609000000000008"}
    health = {**ENTRY, "XZ": "310", "SPHM": "372610200000000008"}

    raw = read_record(paid({}), {**PAYMENTS, "JFMX": [older, health, ENTRY]})

    assert value_of(raw, "voucher_no") == ENTRY["SPHM"]
    assert value_of(raw, "paid_in_period") is Finding.NOT_APPLICABLE


def test_two_bases_are_no_base_and_an_unknown_insurance_no_value() -> None:
    """What cannot be one value is none."""
    second = {**ENTRY, "JFJS": "1.00", "SPHM": "372610900000000008"}
    two = read_record(paid(), {**PAYMENTS, "JFMX": [ENTRY, second]})
    odd = read_record(paid({"period": "202610"}), {**PAYMENTS, "JFMX": [{**ENTRY, "XZ": "999"}]})

    assert value_of(two, "base_amount") is None
    assert value_of(odd, "insurance_kind") is None
    assert value_of(odd, "paid_in_period") is Finding.YES


@pytest.mark.parametrize(
    "claims",
    [
        {"period": "2026-13"},
        {"period": "2026-13", "insurance_kind": "110"},
        {"period": "202610", "insurance_kind": "pension"},
        {"insurance_kind": "pension"},
    ],
)
def test_a_claim_that_cannot_be_read_brings_no_values(claims: Mapping[str, str]) -> None:
    """Neither the latest month's nor the pension's: nobody asked about them."""
    raw = read_record(paid(claims), PAYMENTS)

    assert raw == {"paid_in_period": Finding.ERROR}


def test_an_entry_nobody_explained_leaves_no_amount() -> None:
    """It may add to the period or take from it; the payment beside it is one all the same."""
    odd = {**REFUND, "LXDM": "2", "DWJE": "-1.00"}

    raw = read_record(paid(), {**PAYMENTS, "JFMX": [ENTRY, odd]})

    assert raw == {
        "period": "202610",
        "insurance_kind": "110",
        "paid_date": "2026-10-21",
        "voucher_no": "372610000000000008",
        "paid_in_period": Finding.INDETERMINATE,
    }


def test_where_the_period_holds_nothing_nothing_is_told_of_another() -> None:
    """Money booked for the month before is not this month's."""
    raw = read_record(paid(), {**PAYMENTS, "JFMX": [{**ENTRY, "SSQ": "202609"}]})

    assert raw == {"paid_in_period": Finding.NO}


WAGE_CASES: dict[str, tuple[list[JsonValue], Mapping[str, str], Finding]] = {
    "wages": ([WAGE], CLAIMS, Finding.YES),
    "fees": ([{**WAGE, "SDXM": "0400"}], CLAIMS, Finding.NO),
    "fees and wages": ([{**WAGE, "SDXM": "0400"}, WAGE], CLAIMS, Finding.YES),
    "wages of nothing": ([{**WAGE, "SRE": "0.00"}], CLAIMS, Finding.NO),
    "wages taken back": ([{**WAGE, "SRE": "-1.00"}], CLAIMS, Finding.NO),
    "wages of another year": ([{**WAGE, "SSQ": "202412"}], CLAIMS, Finding.NO),
    "unknown item": ([{**WAGE, "SDXM": "0999"}], CLAIMS, Finding.INDETERMINATE),
    "no year named": ([WAGE], {}, Finding.NOT_APPLICABLE),
    "no year": ([WAGE], {"tax_year": "25"}, Finding.ERROR),
    "a year to come": ([WAGE], {"tax_year": "2027"}, Finding.INDETERMINATE),
    "a year before all": ([WAGE], {"tax_year": "2018"}, Finding.INDETERMINATE),
}


@pytest.mark.parametrize("case", WAGE_CASES)
def test_whether_wages_were_declared(case: str) -> None:
    """In the year that was asked, as wages, more than nothing."""
    rows, claims, finding = WAGE_CASES[case]

    raw = read_record(taxed(claims), {**INCOME, "SRMX": rows})

    assert value_of(raw, "has_wage_income") is finding


@pytest.mark.parametrize(
    ("year", "finding"),
    [("x", Finding.ERROR), ("2027", Finding.INDETERMINATE), ("2018", Finding.INDETERMINATE)],
)
def test_a_year_that_cannot_be_asked_about_brings_no_values(year: str, finding: Finding) -> None:
    """The department is asked about last year instead, and last year's income is not told."""
    assert read_record(taxed({"tax_year": year}), INCOME) == {"has_wage_income": finding}


CLAIMED_YEARS: list[tuple[Mapping[str, str], Finding | None]] = [
    (CLAIMS, None),
    ({}, Finding.NOT_APPLICABLE),
    ({"tax_year": "x"}, Finding.ERROR),
    ({"tax_year": "2027"}, Finding.INDETERMINATE),
    ({"tax_year": "2018"}, Finding.INDETERMINATE),
]


@pytest.mark.parametrize(("claims", "finding"), CLAIMED_YEARS)
@pytest.mark.parametrize("code", ["1001", "1003"])
def test_nothing_declared_is_a_no_of_the_asked_year_only(
    code: str, claims: Mapping[str, str], finding: Finding | None
) -> None:
    """Of a year that cannot be asked about nobody can say that nothing was declared."""
    empty = {name: INCOME[name] for name in ("ZJHM", "XM", "GXSJ", "ND")}

    raw = read_record(taxed(claims), {**empty, "JLDM": code, "JLXX": "x"})

    assert raw == (None if finding is None else {FieldName("has_wage_income"): finding})


@pytest.mark.parametrize(("band", "value"), [*((b, b) for b in INCOME_BANDS), ("B6", None)])
def test_each_band_is_itself_and_another_is_none(band: str, value: str | None) -> None:
    """A band nobody defined is no conclusion."""
    raw = read_record(taxed(), {**INCOME, "SRDC": band})

    assert value_of(raw, "income_band") == value


def test_what_the_catalog_withholds_is_no_raw_value() -> None:
    """It is added up for the manifest and goes no further; nor does anything over-returned."""
    raw = read_record(taxed(), {**INCOME, "QTND": [{"ND": 2024, "YNSSDE": "1.00"}]})

    assert raw == {
        "tax_year": "2025",
        "income_band": "B3",
        "withholding_agent": FIRM,
        "has_wage_income": Finding.YES,
    }


def test_an_agent_of_another_number_is_no_value() -> None:
    """Taxed, and under no credit code."""
    raw = read_record(taxed(), {**INCOME, "KJYWRSBH": "370102123456789"})

    assert value_of(raw, "withholding_agent") is None


@pytest.mark.parametrize("state", ["03", "04", "05", "07", "99"])
def test_each_state_of_a_taxpayer_is_passed_on(state: str) -> None:
    """Listed or not: the type of the field is the department's own table."""
    assert value_of(read_record(firm(), {**FIRM_RECORD, "NSRZT_DM": state}), "taxpayer_state") == (
        state
    )


@pytest.mark.parametrize(
    ("code", "finding"), [*YES_NO.items(), ("1", Finding.INDETERMINATE), ("y", "INDETERMINATE")]
)
@pytest.mark.parametrize(("member", "name"), [("QSBZ", "in_arrears"), ("XWQYBZ", "is_micro")])
def test_each_mark_of_a_taxpayer_has_its_finding(
    member: str, name: str, code: str, finding: Finding
) -> None:
    """Another letter is neither yes nor no."""
    assert value_of(read_record(firm(), {**FIRM_RECORD, member: code}), name) == finding


@pytest.mark.parametrize(("grade", "value"), [*((g, g) for g in CREDIT_GRADES), ("E", None)])
def test_each_grade_is_itself_and_another_is_none(grade: str, value: str | None) -> None:
    """A grade nobody defined is no value."""
    assert value_of(read_record(firm(), {**FIRM_RECORD, "NSXYJB": grade}), "credit_grade") == value


def test_a_sole_trader_is_not_graded() -> None:
    """Code 92: not applicable; of any other a missing grade is malformed."""
    bare = {name: each for name, each in FIRM_RECORD.items() if name != "NSXYJB"}

    raw = read_record(firm(SOLE), {**bare, "NSRSBH": SOLE})

    assert value_of(raw, "credit_grade") is Finding.NOT_APPLICABLE
    with pytest.raises(AnswerMalformed):
        read_record(firm(), bare)
