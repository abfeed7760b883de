"""Every way a gateway or a machine on the way may lie in an answer, and the reason it gets."""

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hutong.accesslog.v1 import accesslog_pb2
from hutong.client import Client, ClientReason, Fault, MatterQuestion, Question, Unproven
from hutong.exchange.v1 import exchange_pb2
from tests.client.gateway_double import GatewayDouble
from tests.client.lies import LIES
from tests.client.local_refusals import ELSEWHERE, ROWS
from tests.client.log_double import path_of
from tests.client.record_lies import RECORD_LIES

R = ClientReason
ALL_LIES = LIES | RECORD_LIES


@pytest.mark.parametrize("what", ALL_LIES)
async def test_a_lie_in_an_answer_is_found(
    what: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """Nothing of the answer is given; the reason is the one of its row."""
    lie = ALL_LIES[what]
    double.twists = lie.twists
    lie.prepare(double)

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is lie.reason


async def test_no_error_text_holds_a_value(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Error texts name rules: neither what was asked nor what came back."""
    texts = []
    for lie in ALL_LIES.values():
        double.twists, double.signer, double.record_signer = lie.twists, None, None
        double.claims_hook = lambda claims: claims
        lie.prepare(double)
        with pytest.raises(Unproven) as told:
            await client.exchange(question)
        texts.append(str(told.value))

    secrets = (question.subject.identifier, "李明", "王芳", "李*", "MAYBE", "1980")
    assert not [text for text in texts for secret in secrets if secret in text]


async def test_the_receipt_of_another_request_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A receipt that proves the answer before this one proves nothing here."""
    earlier: list[exchange_pb2.Answer] = []

    def swap(answer: exchange_pb2.Answer) -> None:
        for other in earlier:
            answer.receipt.CopyFrom(other.receipt)
        earlier.append(exchange_pb2.Answer.FromString(answer.SerializeToString()))

    double.twists = {"answer": swap}
    await client.exchange(question)

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    # Its checkpoint is as old as the newest seen, so only the entry gives it away.
    assert told.value.reason is R.ENTRY_MISMATCH


async def test_an_older_tree_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """What answers a request is logged behind the newest checkpoint seen before it."""
    for _ in range(4):
        double.log.add({"kind": "tick", "queue": 0, "size": 0})
    await client.exchange(question)
    del double.log.entries[1:]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.CHECKPOINT_STALE


async def test_an_entry_of_before_the_request_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A log that keeps growing and shows an entry older than the question has forked."""
    for _ in range(4):
        double.log.add({"kind": "tick", "queue": 0, "size": 0})
    await client.exchange(question)

    def early(receipt: accesslog_pb2.Receipt, twisted: GatewayDouble) -> None:
        """Rewrite history: put the entry in place of an old one."""
        entries = twisted.log.entries
        entries[1] = entries[-1]
        changed = twisted.log.receipt(1, {})
        receipt.index = 1
        receipt.checkpoint = changed.checkpoint
        del receipt.inclusion_proof[:]
        receipt.inclusion_proof.extend(path_of(1, entries))

    double.twists = {"receipt": early}
    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.ENTRY_STALE


async def test_a_forked_tree_is_found(client: Client, double: GatewayDouble) -> None:
    """One size with two roots: the log shows different contents to different people."""
    await client.get_checkpoint()
    double.log.entries[0] = double.log.entries[0].replace(b'"queue":0', b'"queue":1')

    with pytest.raises(Unproven) as told:
        await client.get_checkpoint()

    assert told.value.reason is R.CHECKPOINT_FORKED


async def test_a_rewritten_history_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A longer tree that does not extend the one seen has no consistency proof."""
    await client.exchange(question)
    double.log.entries[0] = double.log.entries[0].replace(b'"queue":0', b'"queue":1')
    double.log.add({"kind": "tick", "queue": 0, "size": 0})

    with pytest.raises(Unproven) as told:
        await client.get_checkpoint()

    assert told.value.reason is R.CONSISTENCY_INVALID


async def test_a_rolled_back_checkpoint_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The newest checkpoint is never smaller than one seen before."""
    await client.exchange(question)
    del double.log.entries[1:]

    with pytest.raises(Unproven) as told:
        await client.get_checkpoint()

    assert told.value.reason is R.CHECKPOINT_STALE


async def test_a_wrong_leaf_is_found(client: Client, double: GatewayDouble) -> None:
    """An inclusion proof that starts from another leaf hash fails."""
    for _ in range(4):
        double.log.add({"kind": "tick", "queue": 0, "size": 0})
    double.twists = {
        "looked_up": lambda response: (
            setattr(response, "leaf_hash", bytes(32)) if hasattr(response, "leaf_hash") else None
        )
    }

    with pytest.raises(Unproven) as told:
        await client.get_inclusion_proof(2)

    assert told.value.reason is R.ENTRY_NOT_INCLUDED


def _drop_item(response: exchange_pb2.ExchangeMatterResponse) -> None:
    del response.items[-1]


MATTERS: dict[str, tuple[ClientReason, Callable[[exchange_pb2.ExchangeMatterResponse], None]]] = {
    "an item missing": (R.ITEMS_MISSING, _drop_item),
    "an item empty": (R.ITEMS_MISSING, lambda response: response.items[0].Clear()),
    "items in another order": (R.ITEM_MISMATCH, lambda response: response.items.reverse()),
    "one answer in two places": (
        R.ITEM_MISMATCH,
        lambda response: response.items[2].CopyFrom(response.items[0]),
    ),
}


@pytest.mark.parametrize("what", MATTERS)
async def test_a_lie_in_a_matter_is_found(
    what: str, client: Client, matter: MatterQuestion, double: GatewayDouble
) -> None:
    """One item per query, in the order asked, each proven; otherwise none is given."""
    reason, twist = MATTERS[what]
    double.twists = {"matter": twist}

    with pytest.raises(Unproven) as told:
        await client.exchange_matter(matter)

    assert told.value.reason is reason


async def test_an_earlier_receipt_of_another_exchange_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """GetReceipt gives the receipt asked for, and no other."""
    first = await client.exchange(question)
    second = await client.exchange(question)
    double.receipts[first.request_id] = double.receipts[second.request_id]

    with pytest.raises(Unproven) as told:
        await client.get_receipt(first.request_id)

    assert told.value.reason is R.ENTRY_MISMATCH


async def test_a_huge_message_is_a_fault(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """What exceeds the channel's bound is never read."""
    double.twists = {"response": lambda _: bytes(4_000_000)}

    with pytest.raises(Fault) as told:
        await client.exchange(question)

    assert told.value.reason is R.MESSAGE_TOO_LARGE


async def test_a_gateway_that_hangs_is_left(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The caller's time limit ends the call, whatever the other side does."""
    double.hangs = True

    with pytest.raises(Fault) as told:
        await asyncio.wait_for(client.exchange(question, timeout_s=0.2), 3)

    assert told.value.reason is R.DEADLINE_EXCEEDED


async def test_an_expired_gateway_certificate_is_found(
    double: GatewayDouble, client: Client, question: Question
) -> None:
    """A pinned certificate is believed within its own dates only."""
    month_ms = 30 * 86_400_000
    # Our own certificate of the channel lives on: what is over is the gateway's.
    tls = dataclasses.replace(client.identity.tls, not_after=datetime.max.replace(tzinfo=UTC))
    client._proving = dataclasses.replace(
        client._proving,
        identity=dataclasses.replace(client.identity, tls=tls),
        now_ms=lambda: double.world.now_ms + month_ms,
    )
    client._sender = dataclasses.replace(client._sender, proving=client._proving)

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.SIGNER_NOT_CURRENT


def test_every_reason_of_an_answer_has_a_lie() -> None:
    """No reason of an answer is left without a row: a new one needs its lie."""
    elsewhere = {
        R.UNAVAILABLE,
        R.GATEWAY_CERTIFICATE_UNTRUSTED,
        R.DEADLINE_EXCEEDED,
        R.CALL_FAILED,
        R.CALL_LIMITED,
        R.SIGNER_NOT_CURRENT,
        R.CHECKPOINT_STALE,
        R.CHECKPOINT_FORKED,
        R.ENTRY_STALE,
        R.CONSISTENCY_INVALID,
        R.RECORD_SIGNER_NOT_CURRENT,
        R.RECORD_ALGORITHM_UNAVAILABLE,
        R.ITEMS_MISSING,
        R.ANSWER_UNASKED,
        R.ANSWER_MISSING,
        R.REFUSAL_UNSIGNED,
        R.REFUSAL_DIFFERS,
        *ROWS,
        *ELSEWHERE,
    }

    assert set(ClientReason) - {lie.reason for lie in ALL_LIES.values()} == elsewhere
