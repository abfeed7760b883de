"""Each code of civil affairs: the lists of the page are complete here, and no other code is NO."""

import re
from pathlib import Path

import pytest

from adapters.errors import AnswerMalformed
from adapters.kinds.civil_affairs.codes import (
    ASSIST_STATES,
    CATEGORIES,
    CHILD_OPERATIONS,
    CHILD_TYPES,
    CLOCK_CODES,
    INNER_FAILURES,
    MARITAL,
    OPERATIONS,
    OUTER_AGAIN,
    OUTER_FAILURES,
    REGISTRATION_STATES,
    ROW_STATES,
    SQLSTATES,
    find_couple,
    look_up,
    reason_of_sqlstate,
)
from adapters.port import Finding, Indeterminate

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "civil_affairs.md").read_text("utf-8")


def test_the_outer_codes_are_those_of_the_page() -> None:
    """A code the page adds has to get its meaning."""
    section = PAGE.partition("### 3.5")[2].partition("外层成功")[0]
    listed = set(re.findall(r"^\| `(-1|E-\d+)` \|", section, re.MULTILINE))

    assert listed == set(OUTER_FAILURES)
    assert listed >= OUTER_AGAIN | CLOCK_CODES


def test_the_inner_codes_are_those_of_the_page() -> None:
    """The same of the register's own."""
    section = PAGE.partition("外层成功、内层失败")[2].partition("## 4")[0]
    listed = set(re.findall(r"^\| `(\d+)` \|", section, re.MULTILINE))

    assert listed == set(INNER_FAILURES)


def test_the_marital_codes_are_those_of_the_page() -> None:
    """10, never married, is none of them."""
    section = PAGE.partition("`marry_status`（GB/T 2261.2）：")[2].partition("本库从不给")[0]
    listed = set(re.findall(r"^\| `(\d+)` \|", section, re.MULTILINE))

    assert listed == set(MARITAL)
    assert "10" not in MARITAL


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("-1", Indeterminate.PROVIDER_FAULT),
        ("E-101", Indeterminate.PROVIDER_FAULT),
        ("E-102", Indeterminate.PROVIDER_FAULT),
        ("E-103", Indeterminate.PROVIDER_FAULT),
        ("E-105", Indeterminate.PROVIDER_FAULT),
        ("E-106", Indeterminate.PROVIDER_FAULT),
        ("E-107", Indeterminate.PROVIDER_FAULT),
        ("E-108", Indeterminate.PROVIDER_FAULT),
        ("E-109", Indeterminate.PROVIDER_FAULT),
        ("E-110", Indeterminate.PROVIDER_FAULT),
    ],
)
def test_each_outer_code_has_its_reason(code: str, reason: Indeterminate) -> None:
    """None of them tells of a person."""
    assert OUTER_FAILURES[code] is reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [("1", Indeterminate.QUESTION_REJECTED), ("9", Indeterminate.PROVIDER_UNAVAILABLE)],
)
def test_each_inner_code_has_its_reason(code: str, reason: Indeterminate) -> None:
    """The register's own refusals."""
    assert INNER_FAILURES[code] is reason


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("25006", Indeterminate.PROVIDER_FAULT),
        ("28000", Indeterminate.PROVIDER_FAULT),
        ("28P01", Indeterminate.PROVIDER_FAULT),
        ("42501", Indeterminate.PROVIDER_FAULT),
        ("42703", Indeterminate.PROVIDER_FAULT),
        ("42P01", Indeterminate.PROVIDER_FAULT),
        ("53300", Indeterminate.PROVIDER_UNAVAILABLE),
        ("55P03", Indeterminate.PROVIDER_TIMEOUT),
        ("57014", Indeterminate.PROVIDER_TIMEOUT),
        ("57P01", Indeterminate.PROVIDER_UNAVAILABLE),
        ("XX000", Indeterminate.PROVIDER_UNAVAILABLE),
        (None, Indeterminate.PROVIDER_UNAVAILABLE),
    ],
)
def test_each_sqlstate_has_its_reason(state: str | None, reason: Indeterminate) -> None:
    """Those of the page, and any other."""
    assert reason_of_sqlstate(state) is reason


def test_every_sqlstate_of_the_page_is_listed() -> None:
    """An operator is told what it means."""
    listed = set(re.findall(r"(?<![A-Za-z0-9-])(\d{2}[0-9P][0-9A-Z]\d)(?![0-9A-Za-z])", PAGE))

    assert {"42501", "42703", "42P01", "55P03", "57014", "53300"} <= listed & set(SQLSTATES)


@pytest.mark.parametrize(
    ("op_type", "reg_state", "expected"),
    [
        ("1", "1", Finding.YES),
        ("3", "1", Finding.YES),
        ("1", "0", Finding.NO),
        ("3", "0", Finding.NO),
        *((code, state, Finding.NO) for code in "245" for state in "01"),
    ],
)
def test_a_couple_is_one_after_the_last_marriage_of_both(
    op_type: str, reg_state: str, expected: Finding
) -> None:
    """Every operation with every state of a registration."""
    assert find_couple(op_type, reg_state) is expected


@pytest.mark.parametrize(("op_type", "reg_state"), [("7", "1"), ("1", "7"), ("", "1"), ("2", "")])
def test_a_couple_of_unlisted_codes_is_malformed(op_type: str, reg_state: str) -> None:
    """Never NO."""
    with pytest.raises(AnswerMalformed):
        find_couple(op_type, reg_state)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (OPERATIONS, {"1": "结婚", "2": "离婚", "3": "补领", "4": "补领", "5": "撤销"}),
        (MARITAL, {"20": "20", "22": "22", "30": "30", "40": "40", "90": "90"}),
        (REGISTRATION_STATES, {"1": Finding.YES, "0": Finding.NO}),
        (CATEGORIES, {"1": "低保", "2": "特困", "3": "低边"}),
        (ASSIST_STATES, {"1": Finding.YES, "2": Finding.INDETERMINATE, "3": Finding.NO}),
        (CHILD_TYPES, {"1": "收养", "2": "孤儿", "3": "事实无人抚养"}),
        (CHILD_OPERATIONS, {"1": True, "2": False}),
        (ROW_STATES, {"1": True, "0": False}),
    ],
)
def test_each_code_has_its_meaning(table: dict[str, object], expected: dict[str, object]) -> None:
    """And no other code has one."""
    assert dict(table) == expected
    for code in ("", "7", "10", "\uff11", " 1"):
        with pytest.raises(AnswerMalformed):
            look_up(table, code, "code")
