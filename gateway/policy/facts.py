"""Gathers the facts of a question from the registers, the officer assertion and the clock given.

The names are those of the bundle's vocabulary (docs/policy/facts.md). Nothing is guessed: a
register that cannot tell leaves its facts unknown.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from adapters.port import Subject, SubjectType
from certs.quick import quickly_made
from gateway.policy.ports import (
    CaseRecord,
    CaseRegistry,
    Consent,
    ConsentKind,
    Guardianship,
    ProtectedPersons,
    Register,
    RegisterQuestion,
    Relation,
)
from gateway.policy.vocabulary import UNKNOWN, FactValue, Unknown

_CHINA: Final = timezone(timedelta(hours=8))
_RESIDENT_ID_LENGTH: Final = 18
_OF_CASES: Final = frozenset(
    {
        "case_state",
        "case_matter_agrees",
        "case_organisation_agrees",
        "in_investigation",
        "special_grade",
        "subject_is_applicant",
        "subject_is_party",
        "division_agrees",
    }
)
"""The facts that the register of cases tells."""
_CONSENTS: Final = (
    (ConsentKind.CONSENT, Register.CONSENT),
    (ConsentKind.MANDATE, Register.MANDATE),
)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerFacts:
    """What an officer assertion says that conditions may name."""

    level: str | None
    """province, city, county, township or village."""
    division: str | None
    """GB/T 2260 code, e.g. `370100`."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class FactQuestion:
    """What the registers are asked about."""

    organisation: str
    matter: str
    case_number: str = field(repr=False)
    subject: Subject
    officer: OfficerFacts | None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """The four ports."""

    cases: CaseRegistry
    consents: Consent
    protected: ProtectedPersons
    guardians: Guardianship


async def fetch_facts(
    registers: Registers, question: FactQuestion, named: frozenset[str]
) -> dict[str, FactValue]:
    """Return the facts named; a register none of whose facts is named is not asked."""
    facts = list_plain_facts(question)
    needed = _list_needed(named)
    if needed:
        asked = RegisterQuestion(
            organisation=question.organisation,
            matter=question.matter,
            case_number=question.case_number,
            subject=question.subject,
            at_ms=question.at_ms,
            needed=needed,
        )
        facts |= await _fetch_told(registers, asked, question)
    return {name: value for name, value in facts.items() if name in named}


@lru_cache(maxsize=1_024)
def _list_needed(named: frozenset[str]) -> frozenset[Register]:
    """Return what the registers have to tell so that these facts are known."""
    # There are as many sets of names as agreements; the bound keeps swapped bundles from piling up.
    return frozenset(
        each
        for each in Register
        if (_OF_CASES & named if each is Register.CASE else each.value in named)
    )


async def _fetch_told(
    registers: Registers, asked: RegisterQuestion, question: FactQuestion
) -> dict[str, FactValue]:
    # One after another: the registers that exist answer from a local file within microseconds, and
    # five tasks per question cost more than they do. A register over a network gathers by itself.
    facts: dict[str, FactValue] = {}
    needed = asked.needed
    if Register.CASE in needed:
        facts |= _list_case_facts(await registers.cases.fetch_case(asked), question)
    for kind, register in _CONSENTS:
        if register in needed:
            facts[kind.value] = await registers.consents.fetch_consent(kind, asked)
    if Register.PROTECTED in needed:
        facts["protected"] = await registers.protected.fetch_protected(asked)
    if Register.GUARDIAN in needed:
        facts["guardian"] = await registers.guardians.fetch_guardian_consent(asked)
    return facts


def list_plain_facts(question: FactQuestion) -> dict[str, FactValue]:
    """Return what no register is asked for: it stands in the question itself.

    UNKNOWN in here stays UNKNOWN, whatever a register tells.
    """
    subject = question.subject
    # One zone, no summer time: the days and hours of conditions are those of China.
    local = datetime.fromtimestamp(question.at_ms / 1000, UTC).astimezone(_CHINA)
    is_person = subject.type is SubjectType.RESIDENT_ID
    facts: dict[str, FactValue] = {
        "subject_kind": "person" if is_person else "organisation",
        "age": compute_age(subject.identifier, local.date()) if is_person else UNKNOWN,
        "staff_level": _level(question.officer),
        "working_day": UNKNOWN,  # no calendar of working days (调休) is connected
        "hour": local.hour,
    }
    if question.officer is None or question.officer.division is None:
        # Whatever division the case has, nobody's covers it: no register makes that known.
        facts["division_agrees"] = UNKNOWN
    return facts


def _level(officer: OfficerFacts | None) -> FactValue:
    return UNKNOWN if officer is None or officer.level is None else officer.level


def _list_case_facts(
    case: CaseRecord | Unknown | None, question: FactQuestion
) -> dict[str, FactValue]:
    if case is None:
        # There is no such case: nothing agrees, which is known.
        return {
            "case_matter_agrees": False,
            "case_organisation_agrees": False,
            "subject_is_applicant": False,
            "subject_is_party": False,
        }
    # Left out rather than false: "not the applicant" would be an answer nobody gave.
    if isinstance(case, Unknown):
        return {}
    officer = question.officer
    return {
        "case_state": case.state.value,
        "case_matter_agrees": case.matter == question.matter,
        "case_organisation_agrees": case.organisation == question.organisation,
        "in_investigation": case.in_investigation,
        "special_grade": case.special_grade,
        "subject_is_applicant": case.relation is Relation.APPLICANT,
        "subject_is_party": case.relation is not Relation.NONE,
        "division_agrees": UNKNOWN
        if officer is None or officer.division is None
        else covers_division(officer.division, case.division),
    }


def covers_division(wider: str, narrower: str) -> bool:
    """Whether a division is another or lies above it, e.g. 370100 above 370102 (GB/T 2260)."""
    # A pair of zeros is no place but "all of it"; the province's two digits stay.
    while wider.endswith("00") and len(wider) > len("37"):
        wider = wider[:-2]
    return narrower.startswith(wider)


def compute_age(identifier: str, today: date) -> int | Unknown:
    """Return full years by a resident number of 18 characters (GB 11643)."""
    born = identifier[6:14]
    if len(identifier) != _RESIDENT_ID_LENGTH or not (born.isascii() and born.isdigit()):
        return UNKNOWN
    try:
        birth = date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return UNKNOWN
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return years if years >= 0 else UNKNOWN
