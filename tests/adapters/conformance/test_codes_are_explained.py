"""The list of codes is closed, explained in two languages, and the page says what the code says."""

import re
from pathlib import Path

import pytest

from adapters.causes import Cause
from adapters.conformance import EXPLAINED, TITLES, Case, Code, Deviation, Role

PAGE = Path(__file__).parents[3] / "docs" / "adapters" / "conformance.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODES: list[Code] = [*Cause, *Deviation]


@pytest.mark.parametrize("code", CODES)
def test_each_code_says_what_it_means_and_how_it_is_mended(code: Code) -> None:
    """In both languages, and in the right one each."""
    text = EXPLAINED[code]

    assert CHINESE.search(text.zh)
    assert CHINESE.search(text.mend_zh)
    assert text.en
    assert text.mend_en
    assert not CHINESE.search(text.en + text.mend_en)


def test_no_code_stands_in_both_lists() -> None:
    """A report gives the code alone."""
    assert set(EXPLAINED) == set(CODES)
    assert len({code.value for code in CODES}) == len(CODES)


def test_the_page_lists_every_code_as_the_code_does() -> None:
    """Code, weight, side and texts of every one, in the order of the lists."""
    documented = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if re.match(r"\| `[A-Z][A-Z0-9_]+` \|", line)
    ]

    assert documented == [
        [code, text.weight, text.side, text.zh, text.mend_zh, text.en, text.mend_en]
        for code, text in ((each, EXPLAINED[each]) for each in CODES)
    ]


def test_the_page_lists_every_case_and_role() -> None:
    """What is tried, and whom a sample may hold."""
    text = PAGE.read_text("utf-8")

    for case in Case:
        assert f"| `{case.value}` | {TITLES[case][0]} | {TITLES[case][1]} |" in text
    assert {role.value for role in Role} < {case.value for case in Case}
