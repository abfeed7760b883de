"""How a node ends a query: answered, busy, broken, late; and that every reason was seen."""

import asyncio
import dataclasses

import grpc
import pytest

from adapters.port import ProviderAdapter, Query, Record
from adapters.provider_node.reasons import NodeReason
from gateway.clock import VirtualClock
from gateway.node.building import RunningNode, build_node
from gateway.node.config import NodeConfig
from gateway.node.judging import Judge, NodeRefused
from hutong.client.requests import (
    build_exchange,
)
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import (
    core_question,
    moment,
)
from tests.node.asking import (
    PROVOKED,
    Caller,
    Ended,
    Way,
    query_of,
    read,
    request_of,
    require_refused,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]
DAY_MS = 86_400_000


async def test_with_expired_trust_nothing_is_answered(
    caller: Caller, remote: Way, node: RunningNode
) -> None:
    """A node nobody keeps stops by itself, and says whose the remedy is."""
    clock = VirtualClock(remote.gateway.clock.now_ms())
    judge = Judge(node.node.judge.holding, clock)
    body = caller.signed(caller.query(request_of(remote)))
    clock.advance(8 * DAY_MS)

    with pytest.raises(NodeRefused) as refused:
        judge.receive(body, caller.tls.certificate.thumbprint_sha256)

    assert refused.value.reason is NodeReason.TRUST_UNAVAILABLE
    PROVOKED.add(NodeReason.TRUST_UNAVAILABLE)


async def test_a_busy_node_says_so(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounded before anything is computed, and the place is given back."""
    monkeypatch.setattr(node.node, "_places", 0)
    busy = await caller.ask(request_of(remote))
    monkeypatch.undo()

    assert busy.status is grpc.StatusCode.UNAVAILABLE
    require_refused(busy, NodeReason.NODE_BUSY, signed=False)
    assert (await caller.ask(request_of(remote))).outcome is not None


async def test_what_nobody_foresaw_tells_nothing(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours in judging is INTERNAL, without its text."""

    def broken(*_: object) -> None:
        raise KeyError("王守仁")

    monkeypatch.setattr(node.node.judge, "receive", broken)

    ended = await caller.ask(request_of(remote))

    require_refused(ended, NodeReason.INTERNAL, signed=False)


async def test_an_adapter_that_breaks_has_told_nothing(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed all the same: the gateway learns that the department's fault it was."""

    async def broken(_query: Query) -> None:
        await asyncio.sleep(0)
        raise KeyError("王守仁")

    async def nonsense(_query: Query) -> str:
        await asyncio.sleep(0)
        return "nonsense"

    for wrong in (broken, nonsense):
        monkeypatch.setattr(node.node.adapter, "fetch", wrong)
        ended: Ended = await caller.ask(request_of(remote))
        assert ended.outcome is not None
        fault = exchange_pb2.INDETERMINATE_REASON_PROVIDER_FAULT
        assert ended.outcome.indeterminate_reason == fault
        assert "王守仁".encode() not in ended.raw


async def test_a_department_that_takes_too_long_is_told_in_time(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node's own deadline is inside the gateway's."""

    async def hang(_query: Query) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(node.node.adapter, "fetch", hang)
    message = caller.signed(caller.query(request_of(remote)))

    ended = await caller.call(message, timeout_s=2.0)

    assert ended.outcome is not None
    timeout = exchange_pb2.INDETERMINATE_REASON_PROVIDER_TIMEOUT
    assert ended.outcome.indeterminate_reason == timeout


async def test_a_record_that_fits_into_no_envelope_is_told_as_malformed(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better a signed word about it than a call that ends without one."""
    honest = node.node.adapter.fetch

    async def huge(query: Query) -> object:
        outcome = await honest(query)
        assert isinstance(outcome, Record)
        return dataclasses.replace(outcome, sd_jwt="x" * 70_000)

    monkeypatch.setattr(node.node.adapter, "fetch", huge)

    ended = await caller.ask(request_of(remote))

    assert ended.outcome is not None
    malformed = exchange_pb2.INDETERMINATE_REASON_PROVIDER_MALFORMED
    assert ended.outcome.indeterminate_reason == malformed


async def test_the_outcome_is_signed_by_the_node_for_this_query(
    caller: Caller, remote: Way
) -> None:
    """Ids, digest of the query, both systems: of no use for another question."""
    request = request_of(remote)
    message = query_of(remote, request)
    payload = message.SerializeToString(deterministic=True)

    ended = read((await caller.call(caller.signed(payload))).raw)

    assert ended.outcome is not None
    header = ended.outcome.header
    assert header.request_id == request.request_id
    assert header.sender == message.header.receiver
    assert header.receiver == message.header.sender


async def test_a_second_node_over_the_same_configuration_is_another(
    node_config: NodeConfig, caller: Caller, remote: Way
) -> None:
    """A node that starts anew takes no query signed before."""
    message = caller.signed(caller.query(request_of(remote)))
    await asyncio.sleep(0.01)
    second = build_node(node_config)
    await second.start()

    ended = await dataclasses.replace(caller, port=second.port).call(message)
    await second.stop()

    require_refused(ended, NodeReason.NOT_FRESH, signed=False)


async def test_a_request_is_not_the_gateways_to_build(remote: Way, caller: Caller) -> None:
    """A system job of a requester that sends an officer is judged by what it signed."""
    question = dataclasses.replace(core_question(remote.retirement), officer=None)
    request = build_exchange(remote.retirement, question, moment(remote.gateway.clock.now_ms()))

    ended = await caller.ask(request)

    require_refused(ended, NodeReason.AGREEMENT_NOT_APPLICABLE, signed=True)


async def test_a_copy_is_begun_before_anybody_asks(node_config: NodeConfig) -> None:
    """Else the first system job of a node would be told that nothing could be told."""
    begun: list[bool] = []

    class Copying:
        """The adapter of a department that lays out a copy."""

        def __init__(self, adapter: ProviderAdapter) -> None:
            self._adapter = adapter

        def __getattr__(self, name: str) -> object:
            return getattr(self._adapter, name)

        def begin(self) -> None:
            begun.append(True)

    running = build_node(node_config)
    running.node.adapter = Copying(running.node.adapter)  # type: ignore[assignment]  # its face

    await running.start()
    await running.stop()

    assert begun == [True]


async def test_every_reason_was_provoked() -> None:
    """No reason of the list that nobody has seen."""
    assert set(NodeReason) == PROVOKED
