"""Registers with one open case, and what is asked of them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.port import Subject, SubjectType
from gateway.policy.delivery import open_delivery
from gateway.policy.facts import (
    FactQuestion,
    OfficerFacts,
)
from gateway.policy.ports import (
    CaseRecord,
    CaseState,
    Occasion,
    Register,
    RegisterQuestion,
    Relation,
)
from gateway.policy.ports_sqlite import SqliteRegisters

NAME = "registers.sqlite"
KEY = bytes(range(32))
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
ASKED = RegisterQuestion(
    organisation=HRSS,
    matter="M2",
    case_number="BJ-1",
    subject=PENSIONER,
    at_ms=AT,
    needed=frozenset(Register),
)
QUESTION = FactQuestion(
    organisation=HRSS,
    matter="M2",
    case_number="BJ-1",
    subject=PENSIONER,
    officer=OfficerFacts(level="county", division="370102"),
    at_ms=AT,
)


@contextmanager
def opened_registers(folder: Path) -> Iterator[SqliteRegisters]:
    """Yield registers with one open case of one applicant."""
    with open_delivery(folder / NAME, KEY) as delivery:
        delivery.add_case("BJ-1", CASE, ((PENSIONER, Relation.APPLICANT), (CHILD, Relation.PARTY)))
    with closing(SqliteRegisters.open(folder / NAME, KEY)) as opened:
        yield opened
