"""Exits: a refusal is small, says nothing of the request, and cannot be used to fill the disk."""

import dataclasses
import json
from collections.abc import Mapping

import grpc
import pytest

from adapters.port import DatasetName
from adapters.records import RecordSource
from gateway.access_log.errors import LogUnavailable
from gateway.app import Gateway
from gateway.errors import TEXTS, GatewayError, Reason, Refusal, Side
from gateway.exits import ROLL_UP_WINDOW_MS, WITHOUT_RECEIPT
from gateway.model import EntryKind
from gateway.outcome import Answered
from gateway.progress import Call, Peer, Progress
from gateway.quota import BurstLimit
from gateway.rpc.services import CODES as NUMBERS
from gateway.rpc.status import CODES, DETAILS_KEY, status_details
from gateway.statement.kinds import QuestionKind
from hutong.client import Client, Identity, Question
from hutong.client import Refused as ClientRefused
from hutong.client.clock import system_clock
from hutong.client.refusals import WITHOUT_RECEIPT as CLIENTS_LIST
from hutong.client.requests import build_exchange
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import call_of, core_question, moment
from tests.gateway.core import Core, answer_of, build_core, refusal_of
from tests.gateway.provoked import note, require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAX_STATUS = 6 * 1024
MAX_ENTRY = 2_048


def _without_case(identity: Identity) -> Question:
    question = core_question(identity)
    purpose = dataclasses.replace(question.purpose, case_number="NO-SUCH-CASE")
    return dataclasses.replace(question, purpose=purpose)


async def test_a_refusal_over_the_wire_is_small_and_proven(client: Client) -> None:
    """Status, two texts, signed refusal and receipt together take at most 6 KiB."""
    request = build_exchange(
        client.identity, _without_case(client.identity), moment(system_clock())
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client._connection.call(request.method, request.message, 5.0)
    with pytest.raises(ClientRefused) as proven:
        await client.exchange(_without_case(client.identity))

    details = dict(caught.value.trailing_metadata() or ())[DETAILS_KEY]
    assert len(details) <= MAX_STATUS
    assert proven.value.reason == Reason.NOTHING_GRANTED
    assert proven.value.receipt is not None
    assert proven.value.text_zh
    for secret in (b"NO-SUCH-CASE", b"person_core", "王守仁".encode(), b"full_name"):
        assert secret not in bytes(details)
    note(Reason.NOTHING_GRANTED)


async def test_entries_stay_below_two_kibibytes(core: Core, retirement: Identity) -> None:
    """The question that names every field of a dataset, and an earlier request, fits one entry."""
    dataset = core.deciding.bundle.catalog.datasets[DatasetName("ps.person_core@1")]
    names = tuple(str(each.name) for each in dataset.fields)
    question = dataclasses.replace(core_question(retirement), fields=names)
    request = build_exchange(retirement, question, moment(core.now_ms, retries=bytes(16)))

    outcome = await core.ask(retirement, request)

    assert isinstance(outcome, Answered)
    assert len(answer_of(outcome.envelope).receipt.entry) <= MAX_ENTRY
    assert core.log.entries(EntryKind.ASK)


async def test_the_most_fields_asked_end_in_an_outcome(core: Core, retirement: Identity) -> None:
    """Names the dataset does not have never stand in an entry: the question is refused."""
    names = tuple(f"f{number:02d}".ljust(64, "x") for number in range(63))
    question = dataclasses.replace(core_question(retirement), fields=("full_name", *names))
    request = build_exchange(retirement, question, moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    require_refused(outcome, Reason.QUERY_INVALID)
    assert core.events == ["refuse"]


async def test_refusals_before_the_channel_is_known_are_rolled_up(
    core: Core, retirement: Identity
) -> None:
    """A thousand calls of one stranger become one entry per window, without receipt."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    call = call_of(retirement, request)
    strangers = [
        dataclasses.replace(call, peer=Peer(leaf_thumbprint=bytes([number]) * 32, address="x"))
        for number in (1, 2)
    ]
    for _ in range(500):
        for stranger in strangers:
            outcome = await core.put(stranger, QuestionKind.EXCHANGE)
            assert require_refused(outcome, Reason.CHANNEL_REFUSED).envelope is None
    before = list(core.events)

    await core.parts.exits.flush(core.now_ms + ROLL_UP_WINDOW_MS - 1)
    early = list(core.events)
    await core.parts.exits.flush(core.now_ms + ROLL_UP_WINDOW_MS)

    rolled = core.log.entries(EntryKind.REFUSE)
    assert before == early == []
    assert sorted(draft.members["count"] for draft in rolled) == [500, 500]
    assert {draft.members["reason"] for draft in rolled} == {"CHANNEL_REFUSED"}
    await core.parts.exits.flush(core.now_ms + 3 * ROLL_UP_WINDOW_MS)
    assert len(core.log.entries(EntryKind.REFUSE)) == 2


async def test_beyond_its_budget_a_systems_refusals_are_rolled_up(
    gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """A registered system that only errs gets its own entries for a while, then one per window."""
    core = build_core(gateway, sources, refusals=BurstLimit(per_second=0.001, burst=5))
    outcomes = []
    for _ in range(50):
        request = build_exchange(retirement, _without_case(retirement), moment(core.now_ms))
        outcomes.append(await core.ask(retirement, request))

    await core.parts.exits.flush(core.now_ms + ROLL_UP_WINDOW_MS)

    for each in outcomes[:5]:
        require_refused(each, Reason.NOTHING_GRANTED)
    for each in outcomes[5:]:
        require_refused(each, Reason.RATE_LIMITED)
    entries = core.log.entries(EntryKind.REFUSE)
    assert len(entries) == 6
    assert entries[-1].members["count"] == 45


async def test_a_stranger_cannot_grow_the_table_of_peers(core: Core) -> None:
    """Beyond 1,024 peers the rest is counted together."""
    for number in range(1_500):
        peer = Peer(leaf_thumbprint=number.to_bytes(32), address="x")
        call = Call(method="/x/Y", payload_type="", body=b"", peer=peer, deadline=1e12)
        await core.put(call, QuestionKind.EXCHANGE)

    assert len(core.parts.exits._rolled) <= 1_025


@pytest.mark.parametrize("reason", list(Reason))
async def test_a_receipt_is_due_unless_the_list_says_otherwise(
    core: Core, retirement: Identity, reason: Reason
) -> None:
    """Every reason outside of the closed list is logged and carries its receipt."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    progress = Progress(call=call_of(retirement, request), started=0.0, now_ms=core.now_ms)
    progress.system = core.parts.trust.snapshot.registry.systems[retirement.system_id]

    refused = await core.parts.exits.refuse(progress, GatewayError(reason), 0, 1.0)

    refusal = refusal_of(refused)
    body = exchange_pb2.RefusalBody.FromString(refusal.body)
    assert refusal.HasField("receipt") is (reason not in WITHOUT_RECEIPT)
    assert body.reason == reason
    assert body.side == TEXTS[reason].side
    assert refusal.ByteSize() <= MAX_STATUS
    assert len(status_details(refused)) <= MAX_STATUS
    if refusal.HasField("receipt"):
        assert json.loads(refusal.receipt.entry)["reason"] == reason


async def test_client_and_gateway_agree_on_what_needs_no_receipt() -> None:
    """The closed list is the same at both ends."""
    assert {str(reason) for reason in WITHOUT_RECEIPT} == CLIENTS_LIST


async def test_every_reason_has_a_text_a_side_and_a_code() -> None:
    """No reason is left without words in two languages and a gRPC code."""
    assert set(TEXTS) == set(CODES) == set(NUMBERS) == set(Reason)
    for text in TEXTS.values():
        assert text.side in set(Side)
        assert text.zh.endswith("。")
        assert text.en.endswith(".")


async def test_diagnostics_stay_in_the_process(core: Core, retirement: Identity) -> None:
    """What is noted for operators is neither in the entry nor in the envelope."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    progress = Progress(call=call_of(retirement, request), started=0.0, now_ms=core.now_ms)
    progress.system = core.parts.trust.snapshot.registry.systems[retirement.system_id]
    error = Refusal(Reason.QUERY_INVALID, diagnostics="inner-detail-7781")

    refused = await core.parts.exits.refuse(progress, error, 0, 1.0)

    assert refused.envelope is not None
    assert b"inner-detail-7781" not in refused.envelope


async def test_a_count_that_could_not_be_logged_is_not_lost(
    core: Core, retirement: Identity
) -> None:
    """What was rolled up while the log was gone is logged with the rest once it is back."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    stranger = dataclasses.replace(
        call_of(retirement, request), peer=Peer(leaf_thumbprint=bytes(32), address="x")
    )
    await core.put(stranger, QuestionKind.EXCHANGE)
    core.log.failing = {EntryKind.REFUSE: LogUnavailable("gone")}
    with pytest.raises(LogUnavailable):
        await core.parts.exits.flush(core.now_ms + ROLL_UP_WINDOW_MS)
    core.log.failing = {}
    await core.put(stranger, QuestionKind.EXCHANGE)

    await core.parts.exits.flush(core.now_ms + 2 * ROLL_UP_WINDOW_MS)

    assert [each.members["count"] for each in core.log.entries(EntryKind.REFUSE)] == [2]
