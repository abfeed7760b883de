"""Each code of the health department and what it means; the tables are those of its page."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.errors import AnswerMalformed
from adapters.kinds.health.codes import (
    ANSWERED,
    FAULTS,
    REFUSALS,
    STATES,
    SUCCESS_FINDINGS,
    Certificate,
    Failure,
    find_record,
    read_fault,
    read_refusal,
    read_state,
)
from adapters.port import Finding, Indeterminate

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "health.md").read_text("utf-8")
VALID, REPLACED, VOID = Certificate.VALID, Certificate.REPLACED, Certificate.VOID


def _pairs(pattern: str) -> dict[str, str]:
    return {found[1]: found[2] for found in re.finditer(pattern, PAGE, re.MULTILINE)}


def test_each_fault_of_the_page_has_its_reason() -> None:
    """Code by code, the reason in the last column; none is left out, none is added."""
    documented = _pairs(r"^\| `(HC-\d{4})` \|.*\| `(\w+)` \|$")

    assert {code: failure.reason.value for code, failure in FAULTS.items()} == documented
    assert len(documented) == 7


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("HC-5000", Failure(reason=Indeterminate.PROVIDER_UNAVAILABLE, attempts=None)),
        ("HC-4001", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("HC-4010", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("HC-4011", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("HC-4012", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("HC-4013", Failure(reason=Indeterminate.PROVIDER_FAULT, attempts=2)),
        ("HC-4030", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("HC-5001", Failure(reason=Indeterminate.PROVIDER_UNAVAILABLE, attempts=None)),
        ("HC-4999", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("", Failure(reason=Indeterminate.PROVIDER_FAULT)),
    ],
)
def test_each_fault_is_asked_again_as_often_as_it_may(code: str, expected: Failure) -> None:
    """What the server broke as often as configured, a used nonce twice, everything else once."""
    assert read_fault(code) == expected


def test_each_success_of_the_page_has_its_meaning() -> None:
    """Value by value, the reason the page names; 0 is read and 4 is a finding."""
    documented = _pairs(r"^\| `(\d)` \| [^|]+ \| `([A-Z_]+)`[^|]*\|$")
    listed = set(_pairs(r"^\| `(\d)` \| ([^|`]+) \| [^|]+ \|$"))

    assert {code: failure.reason.value for code, failure in REFUSALS.items()} == documented
    assert listed == {ANSWERED, *REFUSALS, *SUCCESS_FINDINGS}
    assert SUCCESS_FINDINGS == {"4": Finding.ERROR}


@pytest.mark.parametrize(
    ("success", "expected"),
    [
        ("1", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("2", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("3", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("5", Failure(reason=Indeterminate.QUESTION_REJECTED)),
        ("6", Failure(reason=Indeterminate.SUBJECT_UNRESOLVED)),
        ("7", Failure(reason=Indeterminate.PROVIDER_QUOTA)),
        ("8", Failure(reason=Indeterminate.PROVIDER_UNAVAILABLE, attempts=None)),
        ("9", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("00", Failure(reason=Indeterminate.PROVIDER_FAULT)),
        ("", Failure(reason=Indeterminate.PROVIDER_FAULT)),
    ],
)
def test_each_refusal_is_asked_again_only_when_it_may_pass(success: str, expected: Failure) -> None:
    """A quota lasts until the next second and a wrong question for ever."""
    assert read_refusal(success) == expected


@pytest.mark.parametrize(("code", "state"), [("1", VALID), ("2", REPLACED), ("3", VOID)])
def test_each_state_is_read(code: str, state: Certificate) -> None:
    """The three of the page and no other."""
    assert read_state(code) is state
    assert len(STATES) == len(Certificate) == 3


@pytest.mark.parametrize("code", ["", "0", "4", "01", "\uff11", " 1"])
def test_an_unknown_state_is_malformed(code: str) -> None:
    """It is not taken for one that does not stand: that would be half of a "no"."""
    with pytest.raises(AnswerMalformed):
        read_state(code)


@pytest.mark.parametrize(
    ("states", "finding"),
    [
        ([VALID], Finding.YES),
        ([REPLACED, VALID], Finding.YES),
        ([VALID, REPLACED, VOID], Finding.YES),
        ([REPLACED], Finding.INDETERMINATE),
        ([VOID], Finding.INDETERMINATE),
        ([VOID, REPLACED], Finding.INDETERMINATE),
    ],
)
def test_one_that_stands_is_yes_and_none_is_for_a_person(
    states: Sequence[Certificate], finding: Finding
) -> None:
    """A death that was taken back is neither a death nor a life."""
    assert find_record(states) is finding


def test_two_that_stand_are_malformed() -> None:
    """The page allows one; which of two counts nobody can tell."""
    with pytest.raises(AnswerMalformed):
        find_record([VALID, REPLACED, VALID])
