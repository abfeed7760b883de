"""One request id, one execution, one answer: in parallel, later, and after a restart."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

import pytest

from adapters.records import RecordSource
from gateway.access_log.errors import LogUnavailable
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox
from gateway.errors import Reason
from gateway.interrupted import Interrupted, close_open_asks
from gateway.model import EntryKind
from gateway.outcome import Answered
from gateway.progress import LEEWAY_MS
from gateway.replay import SPACE, ReplayGuard
from hutong.client import Client, Identity, Question
from hutong.client.requests import SignedRequest, build_exchange, build_matter
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import (
    core_question,
    insured_question,
    matter_question,
    moment,
    retold,
)
from tests.gateway.core import Core, build_core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _request(core: Core, identity: Identity) -> SignedRequest:
    return build_exchange(identity, core_question(identity), moment(core.now_ms))


def _same_id(identity: Identity, request: SignedRequest) -> SignedRequest:
    """Return other content under the same request id (and no officer: step 3 comes first)."""

    def change(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.query.fields[:] = ["sex"]

    return retold(identity, request, exchange_pb2.ExchangeStatement, change)


async def test_twins_in_parallel_are_one_execution(core: Core, retirement: Identity) -> None:
    """Eight calls with the same bytes ask once and get the same bytes."""
    request = _request(core, retirement)
    gate = core.spies["ps."].gate = asyncio.Event()
    calls = [asyncio.ensure_future(core.ask(retirement, request)) for _ in range(8)]
    await asyncio.sleep(0.05)

    gate.set()
    outcomes = await asyncio.gather(*calls)

    assert {each.envelope for each in outcomes if isinstance(each, Answered)} == {
        outcomes[0].envelope
    }
    assert all(isinstance(each, Answered) for each in outcomes)
    assert core.events == ["ask", "fetch", "answer"]


async def test_a_later_twin_gets_the_same_bytes(core: Core, retirement: Identity) -> None:
    """The same bytes minutes later are answered with the same bytes and no further entry."""
    request = _request(core, retirement)
    first = await core.ask(retirement, request)
    core.clock.advance(100_000)

    second = await core.ask(retirement, request)

    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert second.envelope == first.envelope
    assert core.events == ["ask", "fetch", "answer"]


async def test_another_content_under_the_same_id_is_refused(
    core: Core, retirement: Identity
) -> None:
    """One id stands for one content, during its execution and after."""
    request = _request(core, retirement)
    other = _same_id(retirement, request)
    gate = core.spies["ps."].gate = asyncio.Event()
    first = asyncio.ensure_future(core.ask(retirement, request))
    await asyncio.sleep(0.05)

    during = await core.ask(retirement, other)
    gate.set()
    answered = await first
    after = await core.ask(retirement, other)

    require_refused(during, Reason.REQUEST_ID_REUSED)
    require_refused(after, Reason.REQUEST_ID_REUSED)
    assert isinstance(answered, Answered)
    assert isinstance(await core.ask(retirement, request), Answered)
    assert core.events.count("fetch") == 1


async def test_two_systems_may_use_one_id(
    core: Core, retirement: Identity, recertification: Identity
) -> None:
    """Ids are a system's own: nobody can block another's."""
    request = _request(core, retirement)
    await core.ask(retirement, request)
    own = build_exchange(recertification, core_question(retirement), moment(core.now_ms))

    def change(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.header.request_id = request.request_id

    twin = retold(recertification, own, exchange_pb2.ExchangeStatement, change)
    outcome = await core.ask(recertification, twin)

    assert not isinstance(outcome, Answered)
    assert outcome.reason is not Reason.REQUEST_ID_REUSED


async def test_a_refused_request_stays_refused(core: Core, retirement: Identity) -> None:
    """A refusal is an execution too: the same bytes get the same signed refusal."""
    question = core_question(retirement)
    purpose = dataclasses.replace(question.purpose, case_number="NO-SUCH-CASE")
    request = build_exchange(
        retirement, dataclasses.replace(question, purpose=purpose), moment(core.now_ms)
    )

    first = require_refused(await core.ask(retirement, request), Reason.NOTHING_GRANTED)
    second = require_refused(await core.ask(retirement, request), Reason.NOTHING_GRANTED)

    assert first.envelope == second.envelope
    assert core.events == ["refuse"]


async def test_a_caller_that_goes_away_does_not_interrupt(core: Core, retirement: Identity) -> None:
    """The walk goes on, its answer is logged, and a twin is given it."""
    request = _request(core, retirement)
    gate = core.spies["ps."].gate = asyncio.Event()
    gone = asyncio.ensure_future(core.ask(retirement, request))
    await asyncio.sleep(0.05)
    gone.cancel()
    gate.set()
    await core.exchange.drain()

    outcome = await core.ask(retirement, request)

    assert isinstance(outcome, Answered)
    assert core.events == ["ask", "fetch", "answer"]


async def test_answers_are_forgotten_oldest_first(core: Core, retirement: Identity) -> None:
    """Beyond the room for answers a twin is told that it was executed; its receipt remains."""
    guard = ReplayGuard(kept_bytes=0)
    core.exchange._parts = dataclasses.replace(core.parts, replay=guard)
    request = _request(core, retirement)
    first = await core.ask(retirement, request)

    second = await core.ask(retirement, request)

    assert isinstance(first, Answered)
    require_refused(second, Reason.REPLAYED)
    assert core.events.count("fetch") == 1


def _restarted(
    gateway: Gateway,
    sources: Mapping[str, RecordSource],
    interrupted: Interrupted | None = None,
    secret: bytes | None = None,
) -> Core:
    """Return a core as after a restart: nothing in memory, the durable claims loaded."""
    core = build_core(gateway, sources, interrupted=interrupted, secret=secret)
    core.parts.replay.load(gateway.log.live_claims(SPACE, core.now_ms))
    return core


async def test_after_a_restart_the_same_bytes_are_replayed(
    core: Core, gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """The id is durable with its ask: the answer is not given twice, and nobody is asked again."""
    request = _request(core, retirement)
    await core.ask(retirement, request)
    after = _restarted(gateway, sources)

    same = await after.ask(retirement, request)
    other = await after.ask(retirement, _same_id(retirement, request))

    require_refused(same, Reason.REPLAYED)
    require_refused(other, Reason.REQUEST_ID_REUSED)
    assert "fetch" not in after.events


async def test_the_logs_own_claim_refuses_a_twin_that_memory_missed(
    core: Core, gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """Even with an empty memory the transaction of the ask holds the id."""
    request = _request(core, retirement)
    await core.ask(retirement, request)
    forgetful = build_core(gateway, sources)

    outcome = await forgetful.ask(retirement, request)

    assert not isinstance(outcome, Answered)
    assert outcome.reason in {Reason.REPLAYED, Reason.LOG_UNAVAILABLE}
    assert "fetch" not in forgetful.events


async def test_a_matter_is_replayed_after_a_restart(
    core: Core, gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """Each item holds the id durably: not one department is asked again."""
    request = build_matter(retirement, matter_question(retirement), moment(core.now_ms))
    first = await core.ask_matter(retirement, request)
    again = await core.ask_matter(retirement, request)
    after = _restarted(gateway, sources)

    late = await after.ask_matter(retirement, request)

    assert isinstance(first, Answered)
    assert isinstance(again, Answered)
    assert first.envelope == again.envelope
    require_refused(late, Reason.REPLAYED)
    assert "fetch" not in after.events


async def test_a_replayed_request_still_has_its_receipt(
    client: Client, gateway: Gateway, sandbox: Sandbox
) -> None:
    """Over the wire: after an answer, GetReceipt proves it again, also when nothing is kept."""
    assert sandbox.simulators
    answer = await client.exchange(insured_question(client.identity))
    gateway.exchange._parts.replay._kept.clear()
    gateway.exchange._parts.replay._kept_bytes = 0

    receipt = await client.get_receipt(answer.request_id)

    assert receipt.index == answer.receipt.index


async def test_an_interrupted_ask_is_closed_and_its_retry_costs_nothing(
    core: Core, gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """A crash between ask and answer is closed as INTERRUPTED; its retry is free, once."""
    core.log.failing = {EntryKind.ANSWER: LogUnavailable("the process dies here")}
    request = _request(core, retirement)
    await core.ask(retirement, request)
    interrupted = Interrupted()
    interrupted.load(gateway.log.live_claims(SPACE, 0))
    closed = await close_open_asks(gateway.log, interrupted)
    after = _restarted(gateway, sources, interrupted, core.deciding._secret)

    def again() -> SignedRequest:
        retry = moment(after.now_ms, retries=request.request_id)
        return build_exchange(retirement, core_question(retirement), retry)

    first, second = await after.ask(retirement, again()), await after.ask(retirement, again())

    assert closed >= 1
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    charged = [draft.members["charge"] for draft in after.log.entries(EntryKind.ASK)]
    assert charged[0] == 0
    assert isinstance(charged[1], int)
    assert charged[1] > 0
    assert gateway.log.open_asks() == ()


def _other_fields(question: Question) -> Question:
    return dataclasses.replace(question, fields=("sex",))


def _other_claims(question: Question) -> Question:
    return dataclasses.replace(question, claims={"sex": "1"})


def _other_name(question: Question) -> Question:
    subject = dataclasses.replace(question.subject, full_name="王守义")
    return dataclasses.replace(question, subject=subject)


@pytest.mark.parametrize("change", [_other_fields, _other_claims, _other_name])
async def test_a_retry_of_something_else_is_charged(
    core: Core,
    gateway: Gateway,
    sources: Mapping[str, RecordSource],
    retirement: Identity,
    change: Callable[[Question], Question],
) -> None:
    """Naming an interrupted request waives nothing for other fields, nor for another guess."""
    core.log.failing = {EntryKind.ANSWER: LogUnavailable("the process dies here")}
    request = _request(core, retirement)
    await core.ask(retirement, request)
    interrupted = Interrupted()
    interrupted.load(gateway.log.live_claims(SPACE, 0))
    await close_open_asks(gateway.log, interrupted)
    after = _restarted(gateway, sources, interrupted, core.deciding._secret)
    question = change(core_question(retirement))
    other = build_exchange(retirement, question, moment(after.now_ms, retries=request.request_id))

    await after.ask(retirement, other)

    charge = after.log.entries(EntryKind.ASK)[0].members["charge"]
    assert isinstance(charge, int)
    assert charge > 0


async def test_an_id_is_free_again_when_nobody_could_accept_it(
    core: Core, retirement: Identity
) -> None:
    """Claims are kept until the request has expired for everyone, then forgotten."""
    await core.ask(retirement, _request(core, retirement))
    held = len(core.parts.replay._standings)
    core.clock.advance(300_000 + 2 * LEEWAY_MS)

    await core.ask(retirement, _request(core, retirement))

    assert held == 1
    assert len(core.parts.replay._standings) == 1
