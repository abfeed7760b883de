"""Steps 6, 7, 11: nobody is asked before the ask is durable, nothing leaves before the answer is.

And nobody is asked at all when the decision is no, whatever makes it no.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from adapters.port import Subject, SubjectType
from adapters.records import RecordSource
from gateway.app import Gateway
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import Sandbox
from gateway.deciding import Deciding
from gateway.errors import Reason
from gateway.interrupted import Interrupted
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
    delivery_to,
    insured_question,
    moment,
    officer_of,
    person,
)
from tests.gateway.core import Core, body_of, build_core
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
def _cases(sandbox: Sandbox) -> None:
    """Cases that answer nothing."""
    mine = Subject(type=SubjectType.RESIDENT_ID, identifier=person("ordinary_pensioner").id_number)
    applicant = ((mine, Relation.APPLICANT),)
    foreign = dataclasses.replace(OPEN_CASE, organisation="12370000MB2DEM0882")
    with delivery_to(sandbox) as delivery:
        add = delivery.add_case
        add("CLOSED-1", dataclasses.replace(OPEN_CASE, state=CaseState.CLOSED), applicant)
        add("HELD-1", dataclasses.replace(OPEN_CASE, state=CaseState.HELD), applicant)
        add("OTHERS-1", OPEN_CASE, ())
        add("PARTY-1", OPEN_CASE, ((mine, Relation.PARTY),))
        add("FOREIGN-1", foreign, applicant)
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
        pytest.param(
            _with(fields=("no_such_field",)), Reason.QUERY_INVALID, id="a field nobody has"
        ),
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
    core: Core, sandbox: Sandbox, retirement: Identity
) -> None:
    """Of a protected person nothing leaves, and the refusal reads like any other."""
    someone = person("enumeration")
    with delivery_to(sandbox) as delivery:
        delivery.add_protected(Subject(type=SubjectType.RESIDENT_ID, identifier=someone.id_number))
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
