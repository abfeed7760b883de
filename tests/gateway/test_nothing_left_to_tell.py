"""A department asked in vain: refused as if nothing were granted, closed in the log, charged."""

import dataclasses
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import pytest

from adapters.port import DatasetName
from adapters.records import RecordSource
from gateway.access_log.errors import LogUnavailable
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox
from gateway.errors import Reason
from gateway.model import EntryKind
from gateway.outcome import Answered, Refused
from gateway.rpc.status import status_details
from hutong.accesslog.v1 import accesslog_pb2
from hutong.client import Answered as ClientAnswered
from hutong.client import Client, Identity, MatterQuestion, Question
from hutong.client import Refused as ClientRefused
from hutong.client.requests import SignedRequest, build_exchange, build_matter, build_receipt
from hutong.evidence import Outcome, examine_log, parse_log_key
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import call_of, core_question, insured_question, moment
from tests.gateway.core import RAW, Core, SpyAdapter, answer_of, refusal_of
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADDRESS = "registered_address"
UNGRANTED = "ethnicity"
UNREADABLE = RAW | {ADDRESS: "文化东路1号"}
"""An address that names no county cannot be made coarser."""


def _asked(core: Core, identity: Identity, *fields: str) -> SignedRequest:
    question = dataclasses.replace(core_question(identity), fields=fields)
    return build_exchange(identity, question, moment(core.now_ms))


async def _looked_up(core: Core, identity: Identity, request: SignedRequest) -> Answered | Refused:
    lookup = build_receipt(identity, moment(core.now_ms), request.request_id)
    call = call_of(identity, lookup, message_class=accesslog_pb2.ReceiptStatement)
    return await core.lookup.receipt(call)


def _told(refused: Refused) -> Mapping[str, object]:
    """Return what a requester can read of a refusal that is not this request's own."""
    refusal = refusal_of(refused)
    body = exchange_pb2.RefusalBody.FromString(refusal.body)
    body.ClearField("header")
    entry = json.loads(refusal.receipt.entry)
    own = {"ts", "tx", "request"}
    return {
        "body": body,
        "entry": {name: value for name, value in entry.items() if name not in own},
        "members": sorted(entry),
        "openings": len(refusal.receipt.openings),
        "body size": len(refusal.body),
        "retry": refused.retry_after_s,
        "details": len(status_details(dataclasses.replace(refused, envelope=b""))),
    }


async def test_the_refusal_is_the_one_of_a_prohibition(core: Core, retirement: Identity) -> None:
    """Asked in vain or not asked at all: code, texts, entry and receipt are the same."""
    core.spies["ps."].raw = UNREADABLE

    vain = await core.ask(retirement, _asked(core, retirement, ADDRESS))
    events = core.events.copy()
    never = await core.ask(retirement, _asked(core, retirement, UNGRANTED))

    assert events == ["ask", "fetch", "answer", "refuse"]
    assert core.events == [*events, "refuse"]
    assert _told(require_refused(vain, Reason.NOTHING_GRANTED)) == _told(
        require_refused(never, Reason.NOTHING_GRANTED)
    )


async def test_the_ask_is_closed_and_tells_that_nothing_was_told(
    core: Core, retirement: Identity
) -> None:
    """The log's own entry counts what was withheld and commits to no answer."""
    core.spies["ps."].raw = UNREADABLE

    await core.ask(retirement, _asked(core, retirement, ADDRESS, UNGRANTED))

    (answer,) = core.log.entries(EntryKind.ANSWER)
    assert (answer.members["state"], answer.members["withheld"]) == ("WITHHELD", 2)
    assert "answer" not in {each.member for each in answer.committed}
    (refusal,) = core.log.entries(EntryKind.REFUSE)
    assert "ask" not in refusal.members


async def test_one_field_left_is_an_answer(core: Core, retirement: Identity) -> None:
    """A field that the department has no value of is told; only a whole nothing is refused."""
    core.spies["ps."].raw = {name: value for name, value in UNREADABLE.items() if name != "sex"}

    outcome = await core.ask(retirement, _asked(core, retirement, ADDRESS, "sex"))

    assert isinstance(outcome, Answered)


async def test_its_twin_gets_the_same_bytes(core: Core, retirement: Identity) -> None:
    """The same request again is refused with the same envelope; nobody is asked a second time."""
    core.spies["ps."].raw = UNREADABLE
    request = _asked(core, retirement, ADDRESS)
    first = await core.ask(retirement, request)
    events = core.events.copy()

    second = await core.ask(retirement, request)

    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert second.envelope == first.envelope
    assert core.events == events


async def test_its_receipt_is_that_of_the_refusal(core: Core, retirement: Identity) -> None:
    """GetReceipt shows neither the ask nor how it was closed."""
    core.spies["ps."].raw = UNREADABLE
    request = _asked(core, retirement, ADDRESS)
    refused = require_refused(await core.ask(retirement, request), Reason.NOTHING_GRANTED)

    looked = await _looked_up(core, retirement, request)

    assert isinstance(looked, Answered)
    body = accesslog_pb2.ReceiptBody.FromString(answer_of(looked.envelope).body)
    receipt = refusal_of(refused).receipt
    assert (body.receipt.entry, body.receipt.index) == (receipt.entry, receipt.index)


async def test_without_its_refusal_there_is_no_receipt(core: Core, retirement: Identity) -> None:
    """If the log fails in between, the closed ask is not shown in place of the refusal."""
    core.spies["ps."].raw = UNREADABLE
    core.log.failing[EntryKind.REFUSE] = LogUnavailable("full")
    request = _asked(core, retirement, ADDRESS)
    require_refused(await core.ask(retirement, request), Reason.LOG_UNAVAILABLE)
    core.log.failing.clear()

    looked = await _looked_up(core, retirement, request)

    require_refused(looked, Reason.RECEIPT_UNAVAILABLE)
    assert len(core.log.entries(EntryKind.ANSWER)) == 1


async def test_the_charge_stays(core: Core, retirement: Identity) -> None:
    """Ten questions of a case are agreed; those asked in vain are among them, retried or not."""
    core.spies["ps."].raw = UNREADABLE
    outcomes, retries = [], b""
    for _ in range(11):
        question = dataclasses.replace(core_question(retirement), fields=(ADDRESS,))
        request = build_exchange(retirement, question, moment(core.now_ms, retries))
        outcomes.append(await core.ask(retirement, request))
        retries = request.request_id

    for outcome in outcomes[:10]:
        require_refused(outcome, Reason.NOTHING_GRANTED)
    require_refused(outcomes[10], Reason.QUOTA_EXHAUSTED)


async def test_it_costs_a_matter_its_own_item(core: Core, retirement: Identity) -> None:
    """One item of a matter is refused so; the other is answered."""
    core.spies["ps."].raw = UNREADABLE
    vain = dataclasses.replace(core_question(retirement), fields=(ADDRESS,))
    good = insured_question(retirement)
    matter = MatterQuestion(
        queries=(vain.query, good.query),
        subject=good.subject,
        purpose=good.purpose,
        officer=good.officer,
    )

    outcome = await core.ask_matter(
        retirement, build_matter(retirement, matter, moment(core.now_ms))
    )

    assert isinstance(outcome, Answered)
    first, second = exchange_pb2.ExchangeMatterResponse.FromString(outcome.envelope).items
    assert first.refusal.reason == Reason.NOTHING_GRANTED
    assert second.HasField("answer")


@contextmanager
def _unreadable(gateway: Gateway, sources: Mapping[str, RecordSource]) -> Iterator[None]:
    """Let the running gateway ask a register whose addresses name no county."""
    adapters = gateway.exchange._parts.adapters
    assert isinstance(adapters, dict)
    name = DatasetName("ps.person_core@1")
    held = adapters[name]
    adapters[name] = SpyAdapter(sources["ps."], frozenset({name}), [], raw=UNREADABLE)
    try:
        yield
    finally:
        adapters[name] = held


async def test_a_stream_and_the_evidence_take_it_as_any_refusal(
    client: Client, gateway: Gateway, sources: Mapping[str, RecordSource], sandbox: Sandbox
) -> None:
    """Over the wire it is a proven refusal that ends nothing, and the log holds as a whole."""
    good = insured_question(client.identity)
    vain = dataclasses.replace(core_question(client.identity), fields=(ADDRESS,))

    async def both() -> AsyncIterator[Question]:
        yield vain
        yield good

    with _unreadable(gateway, sources):
        told = [each async for each in client.exchange_stream(both())]

    first, second = sorted(told, key=lambda each: each.question is good)
    refused = first.outcome
    assert isinstance(refused, ClientRefused)
    assert refused.reason == Reason.NOTHING_GRANTED
    assert refused.receipt is not None
    assert isinstance(second.outcome, ClientAnswered)
    assert (await client.get_receipt(first.request_id)).index == refused.receipt.index
    path = sandbox.world.folders.log / "access.db"
    report = examine_log(path, parse_log_key(sandbox.world.log_vkey), [refused.receipt.form])
    assert report.outcome is Outcome.PROVEN, report.findings
    assert refused.receipt.index not in {each.index for each in report.unanswered}
