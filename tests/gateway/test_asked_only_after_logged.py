"""Steps 6, 7, 11: nobody is asked before the ask is durable, nothing leaves before the answer is.

And nobody is asked at all when the decision is no, whatever makes it no.
"""

import asyncio
import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from adapters.port import Outcome, Query, Subject, SubjectType
from adapters.records import RecordSource
from gateway.access_log.errors import ClockBackwards, LogUnavailable
from gateway.access_log.intake import QueueLimits
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox
from gateway.cli.sandbox.world import HRSS
from gateway.clock import BACKWARDS_TOLERANCE_MS
from gateway.deciding import Deciding
from gateway.errors import Reason
from gateway.interrupted import Interrupted
from gateway.model import EntryKind
from gateway.outcome import Answered
from gateway.policy.bundle import load_bundle
from gateway.policy.facts import Registers
from gateway.policy.ports import CaseRecord, CaseState, Relation
from gateway.policy.ports_sqlite import SqliteRegisters
from gateway.quota import BurstLimit, BurstLimiter
from hutong.client import Identity, Question
from hutong.client.requests import build_exchange
from tests.gateway.asking import (
    core_question,
    deceased_question,
    insured_question,
    moment,
    officer_of,
    person,
)
from tests.gateway.core import Core, SpyAdapter, body_of, build_core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

Change = Callable[[Question, Identity], Question]
OPEN_CASE = CaseRecord(
    state=CaseState.OPEN,
    matter="M2",
    organisation=HRSS,
    division="370102",
    relation=Relation.APPLICANT,
)


def _with_case(number: str) -> Change:
    def change(question: Question, _identity: Identity) -> Question:
        purpose = dataclasses.replace(question.purpose, case_number=number)
        return dataclasses.replace(question, purpose=purpose)

    return change


def _with(**members: object) -> Change:
    return lambda question, _identity: dataclasses.replace(question, **members)  # type: ignore[arg-type] # names vary


def _with_purpose(**members: str) -> Change:
    def change(question: Question, _identity: Identity) -> Question:
        purpose = dataclasses.replace(question.purpose, **members)
        return dataclasses.replace(question, purpose=purpose)

    return change


@pytest.fixture(scope="module")
def _cases(gateway: Gateway) -> None:
    """Cases that answer nothing."""
    mine = Subject(type=SubjectType.RESIDENT_ID, identifier=person("ordinary_pensioner").id_number)
    applicant = ((mine, Relation.APPLICANT),)
    add = gateway.registers.add_case
    add("CLOSED-1", dataclasses.replace(OPEN_CASE, state=CaseState.CLOSED), applicant)
    add("HELD-1", dataclasses.replace(OPEN_CASE, state=CaseState.HELD), applicant)
    add("OTHERS-1", OPEN_CASE, ())
    add("PARTY-1", OPEN_CASE, ((mine, Relation.PARTY),))
    add("FOREIGN-1", dataclasses.replace(OPEN_CASE, organisation="12370000MB2DEM0882"), applicant)
    add("MATTER-1", dataclasses.replace(OPEN_CASE, matter="M5"), applicant)


NOTHING, NOT_APPLICABLE = Reason.NOTHING_GRANTED, Reason.AGREEMENT_NOT_APPLICABLE


@pytest.mark.usefixtures("_cases")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(_with_case("NO-SUCH-CASE"), NOTHING, id="no case"),
        pytest.param(_with_case("SB-M2-000004"), NOTHING, id="case of another subject"),
        pytest.param(_with_case("FOREIGN-1"), NOTHING, id="case of another organisation"),
        pytest.param(_with_case("CLOSED-1"), NOTHING, id="closed case"),
        pytest.param(_with_case("OTHERS-1"), NOTHING, id="subject not in the case"),
        pytest.param(_with_case("PARTY-1"), NOTHING, id="subject not the applicant"),
        pytest.param(_with_case("MATTER-1"), NOTHING, id="case of another matter"),
        pytest.param(
            _with(agreement="XY-2026-101", dataset="ps.person_verify@1", fields=("deceased",)),
            NOT_APPLICABLE,
            id="agreement of another system",
        ),
        pytest.param(_with(agreement="XY-2099-999"), NOT_APPLICABLE, id="no such agreement"),
        pytest.param(_with(agreement="XY-2026-202"), NOT_APPLICABLE, id="another dataset"),
        pytest.param(_with(dataset="ps.person_core@2"), NOT_APPLICABLE, id="another version"),
        pytest.param(_with_purpose(matter="M5"), NOT_APPLICABLE, id="another matter"),
        pytest.param(
            _with_purpose(legal_basis="数据安全法第三十八条"), NOT_APPLICABLE, id="another basis"
        ),
        pytest.param(
            lambda question, identity: dataclasses.replace(
                question, officer=officer_of(identity, role="查询员")
            ),
            NOT_APPLICABLE,
            id="another role",
        ),
        pytest.param(_with(fields=("ethnicity",)), NOTHING, id="a field without a cell"),
        pytest.param(_with(fields=("no_such_field",)), NOTHING, id="a field nobody has"),
    ],
)
async def test_a_department_is_not_asked_what_is_refused(
    core: Core, retirement: Identity, change: Change, reason: Reason
) -> None:
    """One code for each kind of no, one entry, and no department hears of it."""
    question = change(core_question(retirement), retirement)
    request = build_exchange(retirement, question, moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    require_refused(outcome, reason)
    assert core.events == ["refuse"]


async def test_an_unreachable_case_registry_closes(
    gateway: Gateway,
    sources: Mapping[str, RecordSource],
    retirement: Identity,
    tmp_path: Path,
) -> None:
    """What cannot be known is not granted."""
    registers = SqliteRegisters.open(tmp_path / "registers.db", bytes(32))
    registers.close()
    ports = Registers(cases=registers, consents=registers, protected=registers, guardians=registers)
    core = build_core(gateway, sources, registers=ports)
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.NOTHING_GRANTED)

    assert core.events == ["refuse"]


async def test_a_protected_person_is_not_asked_about(
    core: Core, gateway: Gateway, retirement: Identity
) -> None:
    """Of a protected person nothing leaves, and the refusal reads like any other."""
    someone = person("enumeration")
    gateway.registers.add_protected(
        Subject(type=SubjectType.RESIDENT_ID, identifier=someone.id_number)
    )
    question = core_question(retirement, "enumeration")
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.NOTHING_GRANTED)

    assert core.events == ["refuse"]


@pytest.mark.parametrize("start", [date(2020, 1, 1), date(2040, 1, 1)])
async def test_an_agreement_out_of_its_dates_is_not_applicable(
    core: Core, retirement: Identity, sandbox: Sandbox, start: date
) -> None:
    """An agreement that has ended, or has not begun, opens nothing."""
    other = core.deciding
    core.exchange._deciding = Deciding(
        load_bundle(sandbox.world.bundle_path, start),
        other._registers,
        other._tokeniser,
        other._secret,
        Interrupted(),
    )
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.AGREEMENT_NOT_APPLICABLE)

    assert core.events == ["refuse"]


async def test_a_used_up_quota_asks_nobody(core: Core, retirement: Identity) -> None:
    """Ten questions per case and subject are agreed; the eleventh is refused and costs nothing."""
    outcomes = []
    for _ in range(11):
        request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
        outcomes.append(await core.ask(retirement, request))

    assert all(isinstance(each, Answered) for each in outcomes[:10])
    require_refused(outcomes[10], Reason.QUOTA_EXHAUSTED)
    assert core.events.count("fetch") == 10
    other = build_exchange(retirement, insured_question(retirement), moment(core.now_ms))
    assert isinstance(await core.ask(retirement, other), Answered)


async def test_a_limit_per_second_says_when_to_come_back(core: Core, retirement: Identity) -> None:
    """The agreed burst protects the department, before anything is asked."""
    core.deciding._limiters["XY-2026-201"] = BurstLimiter(BurstLimit(per_second=0.01, burst=1))
    requests = [
        build_exchange(retirement, core_question(retirement), moment(core.now_ms)) for _ in range(2)
    ]
    outcomes = [await core.ask(retirement, each) for each in requests]

    refused = require_refused(outcomes[1], Reason.QUOTA_EXHAUSTED)

    assert refused.retry_after_s is not None
    assert core.events.count("fetch") == 1


async def test_the_ask_is_on_disk_when_the_department_hears_of_it(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """Another connection to the log's file reads the ask while the adapter is being asked."""
    path = sandbox.world.folders.log / "access.db"
    seen: list[dict[str, object]] = []

    def look(spy: SpyAdapter, query: Query) -> Outcome:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        rows = connection.execute("SELECT body FROM entry ORDER BY idx DESC LIMIT 5").fetchall()
        connection.close()
        entries = [json.loads(row[0]) for row in rows]
        seen.extend(each for each in entries if each.get("tx") == query.request_id.hex())
        return spy.honest(query)

    core.spies["ps."].twist = look
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    assert isinstance(outcome, Answered)
    assert [each["kind"] for each in seen] == ["ask"]
    assert core.events == ["ask", "fetch", "answer"]


async def test_a_log_that_fails_at_the_ask_asks_nobody(core: Core, retirement: Identity) -> None:
    """Not logged is not asked; the same bytes may be sent again and are then answered."""
    core.log.failing = {EntryKind.ASK: LogUnavailable("disk")}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.LOG_UNAVAILABLE)

    assert core.events == []
    core.log.failing = {}
    assert isinstance(await core.ask(retirement, request), Answered)


async def test_a_log_that_fails_at_the_answer_releases_nothing(
    core: Core, retirement: Identity
) -> None:
    """The department was asked, the answer could not be logged: nothing of it leaves, ever."""
    core.log.failing = {EntryKind.ANSWER: LogUnavailable("disk")}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    first = require_refused(await core.ask(retirement, request), Reason.LOG_UNAVAILABLE)

    assert core.events == ["ask", "fetch"]
    assert "王" not in repr(first.envelope)
    core.log.failing = {}
    require_refused(await core.ask(retirement, request), Reason.REPLAYED)
    assert core.events.count("fetch") == 1


@pytest.mark.parametrize("kind", list(EntryKind)[:3])
async def test_a_clock_that_goes_back_in_the_log_stops_the_exchange(
    core: Core, retirement: Identity, kind: EntryKind
) -> None:
    """The log's own refusal to date an entry back is told as such."""
    core.log.failing = {kind: ClockBackwards("clock")}
    question = core_question(retirement)
    if kind is EntryKind.REFUSE:
        question = _with_case("NO-SUCH-CASE")(question, retirement)
    request = build_exchange(retirement, question, moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    wanted = Reason.LOG_UNAVAILABLE if kind is EntryKind.REFUSE else Reason.CLOCK_BACKWARDS
    require_refused(outcome, wanted)


async def test_a_clock_behind_the_newest_checkpoint_answers_nobody(
    core: Core, retirement: Identity
) -> None:
    """Beyond five seconds back the gateway stops; within them it holds its floor."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    floor = core.now_ms
    core.clock.raise_floor(floor)
    core.clock.set(floor - BACKWARDS_TOLERANCE_MS)
    held = core.now_ms
    core.clock.set(floor - BACKWARDS_TOLERANCE_MS - 1)

    outcome = await core.ask(retirement, request)

    assert held == floor
    require_refused(outcome, Reason.CLOCK_BACKWARDS)
    assert core.events == []


@contextmanager
def _full_disk(gateway: Gateway) -> Iterator[None]:
    """Let the log think that its disk is at its reserve."""
    intake = gateway.log._writer.intake
    limits = intake._limits
    intake._limits = QueueLimits(reserve_share=1.0, reserve_bytes=1 << 62)
    intake._disk_asked_at = float("-inf")
    try:
        yield
    finally:
        intake._limits = limits
        intake._disk_asked_at = float("-inf")


async def test_a_full_disk_stops_the_exchange(
    core: Core, gateway: Gateway, retirement: Identity
) -> None:
    """Without room for the entry there is no question, and with room again there is."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    with _full_disk(gateway):
        outcome = await core.ask(retirement, request)

    require_refused(outcome, Reason.LOG_UNAVAILABLE)
    assert core.events == []
    assert isinstance(await core.ask(retirement, request), Answered)


class _Registers:
    """Case registry that breaks, or never answers."""

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs

    async def fetch_case(self, *_question: object) -> None:
        """Break, or hang."""
        if self._hangs:
            await asyncio.Event().wait()
        raise RuntimeError("370102195603159016")


def _broken(gateway: Gateway, sources: Mapping[str, RecordSource], *, hangs: bool) -> Core:
    own = gateway.exchange._deciding._registers
    broken = dataclasses.replace(own, cases=_Registers(hangs=hangs))
    return build_core(gateway, sources, registers=broken)


async def test_an_unforeseen_error_releases_nothing_and_says_nothing(
    gateway: Gateway,
    sources: Mapping[str, RecordSource],
    retirement: Identity,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the text of an error nor the names of our code leave the process or reach its log."""
    core = _broken(gateway, sources, hangs=False)
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    refused = require_refused(await core.ask(retirement, request), Reason.INTERNAL)

    shown = repr(refused.envelope) + capsys.readouterr().out
    assert "3701021956" not in shown
    assert "Traceback" not in shown
    assert "fetch" not in core.events


async def test_a_deadline_that_passes_before_the_ask_is_told(
    gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """When deciding takes too long the call ends with a status, and nobody is asked."""
    core = _broken(gateway, sources, hangs=True)
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request, patience_s=0.1)

    require_refused(outcome, Reason.DEADLINE_EXCEEDED)
    assert "fetch" not in core.events


async def test_what_is_granted_is_all_the_department_hears(
    core: Core, retirement: Identity
) -> None:
    """Fields that are not granted are not in the query, and the claims asked are."""
    question = dataclasses.replace(
        core_question(retirement), fields=("full_name", "ethnicity", "sex")
    )
    request = build_exchange(retirement, question, moment(core.now_ms))

    body = body_of(await core.ask(retirement, request))

    query = core.spies["ps."].queries[0]
    assert [grant.field for grant in query.grants] == ["full_name", "sex"]
    assert query.subject.identifier == person("ordinary_pensioner").id_number
    assert query.audience == retirement.system_id
    assert [each.field for each in body.fields] == ["full_name", "ethnicity", "sex"]


async def test_a_system_job_is_answered_without_an_officer(
    core: Core, recertification: Identity
) -> None:
    """M1 asks as a system, by an agreement that lists that role and predicates only."""
    request = build_exchange(recertification, deceased_question(), moment(core.now_ms))
    core.spies["ps."].raw = {"deceased": "false"}

    outcome = await core.ask(recertification, request)

    assert isinstance(outcome, Answered)
    assert core.spies["ps."].queries[0].end_user is None
