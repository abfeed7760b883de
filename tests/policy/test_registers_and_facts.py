"""The facts gathered from the registers: what cannot be told is unknown."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.policy import UNKNOWN, Bundle
from gateway.policy.facts import (
    Registers,
    compute_age,
    covers_division,
    fetch_facts,
)
from gateway.policy.ports_sqlite import SqliteRegisters
from tests.policy.registering import AT, CHILD, FIRM, QUESTION, opened_registers

EVERY_FACT = frozenset(
    {
        *("age", "subject_kind", "protected", "consent", "mandate", "guardian", "staff_level"),
        *("case_state", "case_matter_agrees", "case_organisation_agrees", "in_investigation"),
        *("special_grade", "subject_is_applicant", "subject_is_party", "division_agrees"),
        *("working_day", "hour"),
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRegisters]:
    """Yield registers with one open case of one applicant."""
    with opened_registers(tmp_path) as opened:
        yield opened


def all_of(store: SqliteRegisters) -> Registers:
    """Return the four ports of one store."""
    return Registers(cases=store, consents=store, protected=store, guardians=store)


async def test_an_open_case_of_the_applicant_gives_every_case_fact(store: SqliteRegisters) -> None:
    """State, matter, organisation, relation, grade and division are known."""
    facts = await fetch_facts(all_of(store), QUESTION, EVERY_FACT)

    assert facts["case_state"] == "open"
    assert facts["case_matter_agrees"] is True
    assert facts["case_organisation_agrees"] is True
    assert facts["subject_is_applicant"] is True
    assert facts["subject_is_party"] is True
    assert facts["special_grade"] is True
    assert facts["in_investigation"] is UNKNOWN
    assert facts["division_agrees"] is True
    assert facts["staff_level"] == "county"
    assert facts["age"] == 70
    assert facts["hour"] == 8
    assert facts["working_day"] is UNKNOWN
    assert facts["protected"] is False
    assert facts["guardian"] is False


async def test_a_party_is_no_applicant_and_a_stranger_is_neither(store: SqliteRegisters) -> None:
    """Relations are kept apart."""
    party = await fetch_facts(all_of(store), replace(QUESTION, subject=CHILD), EVERY_FACT)
    stranger = await fetch_facts(all_of(store), replace(QUESTION, subject=FIRM), EVERY_FACT)

    assert (party["subject_is_applicant"], party["subject_is_party"]) == (False, True)
    assert (stranger["subject_is_applicant"], stranger["subject_is_party"]) == (False, False)
    assert stranger["subject_kind"] == "organisation"
    assert stranger["age"] is UNKNOWN


@pytest.mark.parametrize(
    "change", [{"case_number": "BJ-9"}, {"organisation": "11370000MB2DEM045P"}]
)
async def test_a_case_that_is_not_there_agrees_with_nothing(
    store: SqliteRegisters, change: dict[str, str]
) -> None:
    """A foreign or invented number opens nothing."""
    question = replace(QUESTION, **change)  # type: ignore[arg-type]  # names of the value

    facts = await fetch_facts(all_of(store), question, EVERY_FACT)

    assert "case_state" not in facts
    assert facts["case_matter_agrees"] is False
    assert facts["subject_is_applicant"] is False


async def test_a_case_of_another_matter_does_not_agree(store: SqliteRegisters) -> None:
    """The matter asked under must be the case's."""
    facts = await fetch_facts(all_of(store), replace(QUESTION, matter="M4"), EVERY_FACT)

    assert facts["case_matter_agrees"] is False


async def test_registers_that_are_gone_leave_their_facts_unknown(
    store: SqliteRegisters, capsys: pytest.CaptureFixture[str]
) -> None:
    """A closed file is unknown everywhere, nothing is raised, and the operator is told."""
    store.close()

    facts = await fetch_facts(all_of(store), QUESTION, EVERY_FACT)

    for name in ("consent", "mandate", "guardian", "protected"):
        assert facts[name] is UNKNOWN
    assert "case_state" not in facts
    assert "subject_is_applicant" not in facts
    assert "registers_unreadable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("identifier", "today", "expected"),
    [
        ("370102201211230021", date(2026, 11, 22), 13),
        ("370102201211230021", date(2026, 11, 23), 14),
        ("370102201202290021", date(2026, 2, 28), 13),
        ("370102201202290021", date(2026, 3, 1), 14),
        ("370102202702290021", date(2026, 3, 1), UNKNOWN),
        ("370102202711230021", date(2026, 3, 1), UNKNOWN),
        ("370102560315002", date(2026, 3, 1), UNKNOWN),
        ("37010219560315002X", date(2026, 3, 1), 69),
        ("370102" + "\uff11" * 8 + "002X", date(2026, 3, 1), UNKNOWN),
    ],
)
def test_age_is_full_years_or_unknown(identifier: str, today: date, expected: object) -> None:
    """Birthdays count on the day; impossible dates are unknown."""
    assert compute_age(identifier, today) == expected


@pytest.mark.parametrize(
    ("wider", "narrower", "covered"),
    [
        ("370000", "370102", True),
        ("370100", "370102", True),
        ("370102", "370102", True),
        ("370102", "370100", False),
        ("370200", "370102", False),
        ("320000", "370102", False),
    ],
)
def test_a_division_covers_those_below_it(wider: str, narrower: str, *, covered: bool) -> None:
    """By the digits of GB/T 2260."""
    assert covers_division(wider, narrower) == covered


async def test_every_fact_gathered_is_declared(sandbox: Bundle, store: SqliteRegisters) -> None:
    """The vocabulary of the sandbox and what is gathered are one list."""
    facts = await fetch_facts(all_of(store), QUESTION, EVERY_FACT)

    assert facts.keys() == sandbox.vocabulary.keys()
    assert datetime.fromtimestamp(AT / 1000, UTC).hour == 0


async def test_only_what_is_named_is_gathered(store: SqliteRegisters) -> None:
    """What no condition of the agreement names is nobody's to know, also not ours."""
    facts = await fetch_facts(all_of(store), QUESTION, frozenset({"protected", "case_state"}))

    assert facts == {"protected": False, "case_state": "open"}


class _AskedRegister:
    """A register of every kind that must not be asked."""

    async def fetch_case(self, *_question: object) -> None:
        """Fail."""
        raise AssertionError

    fetch_consent = fetch_protected = fetch_guardian_consent = fetch_case


async def test_a_register_is_not_asked_for_facts_nobody_named() -> None:
    """A look into a register of persons needs a condition that depends on it."""
    asked = _AskedRegister()
    registers = Registers(
        cases=asked,
        consents=asked,  # type: ignore[arg-type]  # it returns nothing, ever
        protected=asked,  # type: ignore[arg-type]  # it returns nothing, ever
        guardians=asked,  # type: ignore[arg-type]  # it returns nothing, ever
    )

    facts = await fetch_facts(registers, QUESTION, frozenset({"hour", "age"}))

    assert facts == {"hour": 8, "age": 70}
