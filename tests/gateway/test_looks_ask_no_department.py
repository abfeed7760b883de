"""Explanations, lists and receipts: logged as looks, charged, and told to the parties only."""

import asyncio
import json

import pytest

from gateway.errors import Reason
from gateway.model import EntryKind
from gateway.outcome import Answered as CoreAnswered
from gateway.progress import Call
from gateway.quota import BurstLimit, BurstLimiter
from gateway.statement.kinds import QuestionKind
from hutong.accesslog.v1 import accesslog_pb2
from hutong.catalog.v1 import catalog_pb2
from hutong.client import (
    Client,
    Identity,
    Refused,
)
from hutong.client.requests import (
    SignedRequest,
    build_agreements,
    build_exchange,
    build_explain,
    build_receipt,
)
from tests.gateway.asking import (
    call_of,
    core_question,
    diploma_question,
    insured_question,
    moment,
)
from tests.gateway.core import Core, answer_of
from tests.gateway.provoked import note, require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_explain_asks_no_department(core: Core, retirement: Identity) -> None:
    """An explanation is logged as a look and answered from the agreement alone."""
    request = build_explain(retirement, core_question(retirement), moment(core.now_ms))
    call = call_of(retirement, request)

    outcome = await core.lookup.explain(call, QuestionKind.EXCHANGE)
    twin = await core.lookup.explain(call, QuestionKind.EXCHANGE)

    assert isinstance(outcome, CoreAnswered)
    assert isinstance(twin, CoreAnswered)
    assert twin.envelope == outcome.envelope
    assert core.events == ["view"]


async def test_an_explanation_is_charged_to_its_agreement(core: Core, retirement: Identity) -> None:
    """As many fields as it names to the day, durably; nothing to the case, where nobody looks."""
    question = core_question(retirement)
    request = build_explain(retirement, question, moment(core.now_ms))

    await core.lookup.explain(call_of(retirement, request), QuestionKind.EXCHANGE)

    (charge,) = core.log.entries(EntryKind.VIEW)[0].charges
    assert charge.cost == len(question.fields)
    assert core.gateway.log.used(charge.counter, charge.period) == len(question.fields)


async def test_explanations_end_with_the_quota(core: Core, retirement: Identity) -> None:
    """Beyond the limit per second there is a refusal, like for any question."""
    core.deciding._limiters["XY-2026-201"] = BurstLimiter(BurstLimit(per_second=0.001, burst=1))
    outcomes = []
    for _ in range(2):
        request = build_explain(retirement, core_question(retirement), moment(core.now_ms))
        outcomes.append(
            await core.lookup.explain(call_of(retirement, request), QuestionKind.EXCHANGE)
        )

    assert isinstance(outcomes[0], CoreAnswered)
    require_refused(outcomes[1], Reason.QUOTA_EXHAUSTED)


async def test_explain_tells_each_field_over_the_wire(client: Client) -> None:
    """Effect and words per field, in the order asked; what depends on the subject is said to."""
    question = diploma_question(client.identity)

    explained = await client.explain(question)

    assert [each.name for each in explained.fields] == list(question.fields)
    assert all(each.text_zh and each.text_en for each in explained.fields)


async def test_agreements_and_datasets_are_ones_own(client: Client, job_client: Client) -> None:
    """Two systems of one organisation see two lists that share nothing."""
    own, other = await client.list_agreements(), await job_client.list_agreements()
    datasets = await client.list_datasets()

    numbers = {each.number for each in own.agreements}
    assert numbers == {f"XY-2026-20{number}" for number in range(1, 6)}
    assert not numbers & {each.number for each in other.agreements}
    assert {each.name for each in datasets} == {each.dataset for each in own.agreements}
    assert {each.name for each in datasets if each.connected} == {each.name for each in datasets}


async def test_a_receipt_is_for_the_parties_only(client: Client, job_client: Client) -> None:
    """Another system is told the same as for an exchange that never was."""
    answer = await client.exchange(insured_question(client.identity, "ordinary_employee"))

    own = await client.get_receipt(answer.request_id)
    refused = []
    for request_id in (answer.request_id, bytes(16)):
        with pytest.raises(Refused) as caught:
            await job_client.get_receipt(request_id)
        refused.append(caught.value)

    assert own.index == answer.receipt.index
    assert [each.reason for each in refused] == [Reason.RECEIPT_UNAVAILABLE] * 2
    assert refused[0].text_en == refused[1].text_en
    note(refused[0].reason)


async def test_the_receipt_of_an_open_ask_opens_nothing(core: Core, retirement: Identity) -> None:
    """Before there is an answer the ask is proven; neither its tokens nor its rules are told."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    gate = core.spies["ps."].gate = asyncio.Event()
    under_way = asyncio.ensure_future(core.ask(retirement, request))
    async with asyncio.timeout(5):
        while "fetch" not in core.events:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.01)
    lookup = build_receipt(retirement, moment(core.now_ms), request.request_id)

    looked = await core.lookup.receipt(_call(retirement, lookup, "GetReceipt"))

    gate.set()
    await under_way
    assert isinstance(looked, CoreAnswered)
    body = accesslog_pb2.ReceiptBody.FromString(answer_of(looked.envelope).body)
    assert json.loads(body.receipt.entry)["kind"] == "ask"
    assert list(body.receipt.openings) == []


async def test_a_look_is_logged_before_it_is_answered(core: Core, retirement: Identity) -> None:
    """Agreements and receipts have a view entry, also when there is nothing to see."""
    agreements = build_agreements(retirement, moment(core.now_ms))
    receipt = build_receipt(retirement, moment(core.now_ms), bytes(16))

    listed = await core.lookup.agreements(_call(retirement, agreements, "ListAgreements"))
    refused = await core.lookup.receipt(_call(retirement, receipt, "GetReceipt"))

    assert isinstance(listed, CoreAnswered)
    require_refused(refused, Reason.RECEIPT_UNAVAILABLE)
    assert core.events[:2] == ["view", "view"]


def _call(identity: Identity, request: SignedRequest, name: str) -> Call:
    message_class = {
        "ListAgreements": catalog_pb2.AgreementsStatement,
        "GetReceipt": accesslog_pb2.ReceiptStatement,
    }[name]
    return call_of(identity, request, message_class=message_class)


async def test_entries_hold_no_subject_in_clear(client: Client) -> None:
    """What a receipt shows names the fields and effects, never the person or the values."""
    question = core_question(client.identity, "sole_trader")
    answer = await client.exchange(question)

    receipt = await client.get_receipt(answer.request_id)

    shown = answer.receipt.form.entry + receipt.form.entry
    members = json.loads(receipt.form.entry)
    assert members["kind"] in {"answer", "ask"}
    for secret in (question.subject.identifier, question.subject.full_name, "SB-M2"):
        assert secret.encode() not in shown
