"""The registers in SQLite, and the facts gathered from them: what cannot be told is unknown."""

import os
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.port import Subject, SubjectType
from gateway.policy import UNKNOWN, Bundle
from gateway.policy.facts import (
    FactQuestion,
    OfficerFacts,
    Registers,
    compute_age,
    covers_division,
    fetch_facts,
)
from gateway.policy.ports import CaseRecord, CaseState, ConsentKind, Occasion, Relation
from gateway.policy.ports_sqlite import SqliteRegisters

HRSS = "11370000MB2DEM0105"
AT = 1_795_392_000_000  # 2026-11-23T00:00:00Z, 8 o'clock in China
DAY = 86_400_000
PENSIONER = Subject(type=SubjectType.RESIDENT_ID, identifier="370102195603150026")
CHILD = Subject(type=SubjectType.RESIDENT_ID, identifier="370102201511240021")
FIRM = Subject(type=SubjectType.USCC, identifier="91370000MA3DEM094M")
CASE = CaseRecord(
    state=CaseState.OPEN,
    matter="M2",
    organisation=HRSS,
    division="370102",
    relation=Relation.NONE,
    special_grade=True,
)
OCCASION = Occasion(organisation=HRSS, matter="M2", at_ms=AT)
QUESTION = FactQuestion(
    organisation=HRSS,
    matter="M2",
    case_number="BJ-1",
    subject=PENSIONER,
    officer=OfficerFacts(level="county", division="370102"),
    at_ms=AT,
)

EVERY_FACT = frozenset(
    {
        *("age", "subject_kind", "protected", "consent", "mandate", "guardian", "staff_level"),
        *("case_state", "case_matter_agrees", "case_organisation_agrees", "in_investigation"),
        *("special_grade", "subject_is_applicant", "subject_is_party", "division_agrees"),
        *("working_day", "hour"),
    }
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRegisters]:
    """Yield registers with one open case of one applicant."""
    opened = SqliteRegisters.open(tmp_path / "registers.sqlite", os.urandom(32))
    opened.add_case("BJ-1", CASE, ((PENSIONER, Relation.APPLICANT), (CHILD, Relation.PARTY)))
    yield opened
    opened.close()


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


async def test_registers_that_are_gone_leave_their_facts_unknown(store: SqliteRegisters) -> None:
    """A closed file is unknown everywhere, and nothing is raised."""
    store.close()

    facts = await fetch_facts(all_of(store), QUESTION, EVERY_FACT)

    for name in ("consent", "mandate", "guardian", "protected"):
        assert facts[name] is UNKNOWN
    assert "case_state" not in facts
    assert "subject_is_applicant" not in facts


async def test_a_consent_is_bound_to_subject_matter_organisation_and_time(
    store: SqliteRegisters,
) -> None:
    """Any other subject, matter, organisation, kind or time has none."""
    store.add_consent(ConsentKind.CONSENT, PENSIONER, OCCASION, AT + DAY)

    async def ask(kind: ConsentKind, subject: Subject, **changes: object) -> object:
        occasion = replace(OCCASION, **changes)  # type: ignore[arg-type]  # names of the value
        return await store.fetch_consent(kind, subject, occasion)

    assert await ask(ConsentKind.CONSENT, PENSIONER) is True
    assert await ask(ConsentKind.CONSENT, PENSIONER, at_ms=AT + DAY - 1) is True
    assert await ask(ConsentKind.CONSENT, PENSIONER, at_ms=AT + DAY) is False
    assert await ask(ConsentKind.CONSENT, PENSIONER, at_ms=AT - 1) is False
    assert await ask(ConsentKind.CONSENT, PENSIONER, matter="M4") is False
    assert await ask(ConsentKind.CONSENT, PENSIONER, organisation="x") is False
    assert await ask(ConsentKind.CONSENT, CHILD) is False
    assert await ask(ConsentKind.MANDATE, PENSIONER) is False


async def test_guardians_and_protection_are_kept(store: SqliteRegisters) -> None:
    """What was added is found, for that subject."""
    store.add_guardian_consent(CHILD, OCCASION, AT + DAY)
    store.add_protected(PENSIONER)

    assert await store.fetch_guardian_consent(CHILD, OCCASION) is True
    assert await store.fetch_guardian_consent(PENSIONER, OCCASION) is False
    assert await store.fetch_protected(PENSIONER) is True
    assert await store.fetch_protected(CHILD) is False


async def test_no_identifier_stands_in_the_file(tmp_path: Path) -> None:
    """A copy of the file names nobody."""
    path = tmp_path / "registers.sqlite"
    store = SqliteRegisters.open(path, bytes(32))
    store.add_case("BJ-1", CASE, ((PENSIONER, Relation.APPLICANT),))
    store.add_consent(ConsentKind.CONSENT, PENSIONER, OCCASION, AT + DAY)
    store.add_protected(PENSIONER)
    store.close()

    assert PENSIONER.identifier.encode() not in path.read_bytes()


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    """32 bytes, no less."""
    with pytest.raises(ValueError, match="32 bytes"):
        SqliteRegisters.open(tmp_path / "x.sqlite", b"short")


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


async def test_a_replaced_case_forgets_its_former_parties(store: SqliteRegisters) -> None:
    """Who is no longer a party is none, and may not be asked about in this case."""
    store.add_case("BJ-1", CASE, ((CHILD, Relation.APPLICANT),))

    former = await store.fetch_case(HRSS, "BJ-1", PENSIONER)

    assert isinstance(former, CaseRecord)
    assert former.relation is Relation.NONE


async def test_a_case_that_cannot_be_written_changes_nothing(store: SqliteRegisters) -> None:
    """A party named twice is refused, and the case stays as it was."""
    twice = ((CHILD, Relation.APPLICANT), (CHILD, Relation.PARTY))
    with pytest.raises(sqlite3.IntegrityError):
        store.add_case("BJ-1", CASE, twice)

    kept = await store.fetch_case(HRSS, "BJ-1", PENSIONER)

    assert isinstance(kept, CaseRecord)
    assert kept.relation is Relation.APPLICANT
