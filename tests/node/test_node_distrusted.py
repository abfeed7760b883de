"""The gateway's side: what a node answers is believed only as far as it is proven."""

from collections.abc import Callable

import pytest

from adapters.port import (
    Indeterminate,
    NotFound,
    Record,
    Untold,
)
from adapters.provider_node.reasons import TEXTS, NodeReason
from adapters.provider_node.wire import MAX_MESSAGE, REFUSAL_TYPE
from gateway.cli.sandbox.authority import MadeKey
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from tests.node.asking import KIND, Way
from tests.node.node_double import (
    Answering,
    Message,
    NodeDouble,
    adapter_for,
    changed,
    double_of,
    fetched_from,
    nothing,
    query_for,
    signed_envelope,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]


async def test_an_honest_node_is_believed(remote: Way) -> None:
    """What the lies below change is right as it stands; the query holds the requester's bytes."""
    request_seen, double = await fetched_from(remote, changed(nothing))

    assert request_seen == Record(sd_jwt="r")
    query = provider_pb2.Query.FromString(double.payloads[0])
    statement = exchange_pb2.ExchangeStatement.FromString(query.request_envelope.payload)
    assert query.officer_assertion == statement.purpose.officer_assertion != ""


async def test_an_honest_node_that_holds_nothing_is_believed(remote: Way) -> None:
    """Not found is a word of the department, and signed."""

    def absent(outcome: Message) -> None:
        outcome.state = exchange_pb2.ANSWER_STATE_NOT_FOUND

    assert (await fetched_from(remote, changed(absent)))[0] == NotFound(sd_jwt="r")


def _untold(
    reason: exchange_pb2.IndeterminateReason.ValueType,
) -> Callable[[Message], None]:
    def change(outcome: Message) -> None:
        outcome.record = ""
        outcome.state = exchange_pb2.ANSWER_STATE_INDETERMINATE
        outcome.indeterminate_reason = reason

    return change


async def test_why_it_cannot_be_told_is_passed_on(remote: Way) -> None:
    """The closed reasons come through, a time to ask again with them."""

    def pending(outcome: Message) -> None:
        _untold(exchange_pb2.INDETERMINATE_REASON_PENDING)(outcome)
        outcome.retry_after.FromMilliseconds(2500)

    quota = _untold(exchange_pb2.INDETERMINATE_REASON_PROVIDER_QUOTA)

    assert (await fetched_from(remote, changed(pending)))[0] == Untold(
        reason=Indeterminate.PENDING, retry_after_s=2.5
    )
    assert (await fetched_from(remote, changed(quota)))[0] == Untold(
        reason=Indeterminate.PROVIDER_QUOTA
    )


def _other_request(outcome: Message) -> None:
    outcome.header.request_id = bytes(16)


def _other_digest(outcome: Message) -> None:
    outcome.header.request_digest = bytes(32)


def _other_item(outcome: Message) -> None:
    outcome.header.item = 1


def _other_sender(outcome: Message) -> None:
    outcome.header.sender = "11370000MB2DEM0287/provider"


def _other_receiver(outcome: Message) -> None:
    outcome.header.receiver = "11370000MB2DEM0105/other"


def _long_ago(outcome: Message) -> None:
    outcome.header.issue_time.seconds -= 60


def _from_the_future(outcome: Message) -> None:
    outcome.header.issue_time.seconds += 60


@pytest.mark.parametrize(
    "lie",
    [
        _other_request,
        _other_digest,
        _other_item,
        _other_sender,
        _other_receiver,
        _long_ago,
        _from_the_future,
    ],
)
async def test_an_answer_to_another_query_is_unproven(
    remote: Way, lie: Callable[[Message], None]
) -> None:
    """Signed by the node, and yet not its word on this question."""
    outcome, _ = await fetched_from(remote, changed(lie))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


async def test_an_earlier_answer_is_unproven(remote: Way) -> None:
    """The same question asked twice is two queries: what fitted the first does not the second."""
    kept: list[bytes] = []

    def once(double: NodeDouble, query: provider_pb2.Query) -> bytes:
        kept.append(double.sign(double.outcome(query)))
        return kept[0]

    async with double_of(remote, once) as double:
        adapter = adapter_for(remote, double.port)
        query = query_for(remote)
        first, second = [await adapter.fetch(query) for _ in range(2)]
        await adapter.close()

    assert first == Record(sd_jwt="r")
    assert second == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


def _keys_of_others(way: Way) -> dict[str, MadeKey]:
    world = way.sandbox.world
    return {
        "the gateway": world.gateway_keys["envelope"],
        "another node": world.node_keys["education"]["envelope"],
        "the department's record key": world.record_keys[KIND],
    }


@pytest.mark.parametrize("who", ["the gateway", "another node", "the department's record key"])
async def test_an_outcome_of_another_key_is_unproven(remote: Way, who: str) -> None:
    """Only the envelope key registered for this node speaks for it."""
    signer = _keys_of_others(remote)[who].signer

    outcome, _ = await fetched_from(
        remote, lambda double, query: double.sign(double.outcome(query), signer)
    )

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


async def test_an_outcome_that_was_changed_is_unproven(remote: Way) -> None:
    """The signature is over these bytes or over none."""

    def flipped(double: NodeDouble, query: provider_pb2.Query) -> bytes:
        response = provider_pb2.FetchResponse.FromString(double.sign(double.outcome(query)))
        response.envelope.payload = response.envelope.payload[:-1] + b"x"
        return response.SerializeToString(deterministic=True)

    outcome, _ = await fetched_from(remote, flipped)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


def _reason_beside_record(outcome: Message) -> None:
    outcome.indeterminate_reason = exchange_pb2.INDETERMINATE_REASON_PENDING


def _no_record(outcome: Message) -> None:
    outcome.record = ""


def _no_state(outcome: Message) -> None:
    outcome.state = exchange_pb2.ANSWER_STATE_UNSPECIFIED


def _pending_for_ever(outcome: Message) -> None:
    _untold(exchange_pb2.INDETERMINATE_REASON_PENDING)(outcome)


def _pending_for_years(outcome: Message) -> None:
    _untold(exchange_pb2.INDETERMINATE_REASON_PENDING)(outcome)
    outcome.retry_after.seconds = 10**9


def _retry_without_pending(outcome: Message) -> None:
    _untold(exchange_pb2.INDETERMINATE_REASON_PROVIDER_FAULT)(outcome)
    outcome.retry_after.seconds = 1


@pytest.mark.parametrize(
    "lie",
    [
        _reason_beside_record,
        _no_record,
        _no_state,
        _pending_for_ever,
        _pending_for_years,
        _retry_without_pending,
    ],
)
async def test_an_outcome_that_contradicts_itself_is_malformed(
    remote: Way, lie: Callable[[Message], None]
) -> None:
    """Which of two things a node meant is nobody's to guess."""
    outcome, _ = await fetched_from(remote, changed(lie))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


def _refusing(reason: str) -> Answering:
    def answer(double: NodeDouble, query: provider_pb2.Query) -> bytes:
        refusal = provider_pb2.QueryRefusal(header=double.header(query), reason=reason)
        payload = refusal.SerializeToString(deterministic=True)
        envelope = signed_envelope(double.signer, REFUSAL_TYPE, payload)
        return provider_pb2.FetchResponse(refusal=envelope).SerializeToString(deterministic=True)

    return answer


@pytest.mark.parametrize("reason", NodeReason)
async def test_a_refusal_is_told_as_its_table_says(
    remote: Way, reason: NodeReason, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads the reason, the requester what stands beside it."""
    outcome, _ = await fetched_from(remote, _refusing(reason))

    assert outcome == Untold(reason=TEXTS[reason].told)
    assert f"refused: {reason}" in caplog.text


async def test_a_refusal_for_no_known_reason_is_malformed(
    remote: Way, caplog: pytest.LogCaptureFixture
) -> None:
    """What a node writes for a reason does not get into anybody's log."""
    outcome, _ = await fetched_from(remote, _refusing("王守仁"))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    assert "王守仁" not in caplog.text


def _both(double: NodeDouble, query: provider_pb2.Query) -> bytes:
    response = provider_pb2.FetchResponse.FromString(double.sign(double.outcome(query)))
    response.refusal.CopyFrom(response.envelope)
    return response.SerializeToString(deterministic=True)


def _as_refusal(double: NodeDouble, query: provider_pb2.Query) -> bytes:
    response = provider_pb2.FetchResponse.FromString(double.sign(double.outcome(query)))
    swapped = provider_pb2.FetchResponse(refusal=response.envelope)
    return swapped.SerializeToString(deterministic=True)


def _two_signatures(double: NodeDouble, query: provider_pb2.Query) -> bytes:
    response = provider_pb2.FetchResponse.FromString(double.sign(double.outcome(query)))
    response.envelope.signatures.append(
        envelope_pb2.Signature(value=bytes(64), keyid=response.envelope.signatures[0].keyid)
    )
    return response.SerializeToString(deterministic=True)


def _oversized(double: NodeDouble, query: provider_pb2.Query) -> bytes:
    return double.sign(double.outcome(query)) + bytes(MAX_MESSAGE)


@pytest.mark.parametrize(
    "answer",
    [
        _both,
        _as_refusal,
        _two_signatures,
        _oversized,
        lambda _double, _query: b"",
        lambda _double, _query: b"\xff",
    ],
)
async def test_a_response_out_of_form_is_malformed(remote: Way, answer: Answering) -> None:
    """Two envelopes, none, too many bytes: nothing is made of it."""
    outcome, _ = await fetched_from(remote, answer)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)
