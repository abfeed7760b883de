"""The gateway's side: a node that is away, hangs, is another, or proves nothing by its records."""

import asyncio
import dataclasses
from collections.abc import Callable

import pytest

from adapters.port import (
    BreakerState,
    Indeterminate,
    Outcome,
    Query,
    Record,
    Untold,
)
from adapters.records import RecordSource
from certs.algorithms import Suite, generate_private_key
from certs.registry_file import KeyPurpose, KeyState
from certs.trust_store import TrustStore, load_trust_store
from hutong.client.requests import build_exchange
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.record import Custody
from signing.signer import FileSigner
from tests.gateway.asking import core_question, moment
from tests.gateway.core import SpyAdapter, body_of, build_core
from tests.gateway.signed_records import disclosed_of, signed
from tests.node.asking import KIND, Way
from tests.node.node_double import (
    NodeDouble,
    adapter_for,
    changed,
    double_of,
    fetched_from,
    hang,
    nothing,
    query_for,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]


async def test_a_node_that_hangs_is_left_in_time(remote: Way) -> None:
    """The deadline is the asker's."""
    began = asyncio.get_running_loop().time()

    outcome, _ = await fetched_from(remote, hang, seconds=0.5)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert asyncio.get_running_loop().time() - began < 3


async def test_a_node_that_is_away_is_asked_no_more_for_a_while(remote: Way) -> None:
    """After some failures the breaker opens, and health says so."""
    async with double_of(remote, changed(nothing)) as double:
        port = double.port
    adapter = adapter_for(remote, port)

    before = await adapter.examine_health()
    outcomes = [await adapter.fetch(query_for(remote)) for _ in range(3)]
    after = await adapter.examine_health()
    state = adapter.breaker_state
    await adapter.close()

    assert outcomes == [Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)] * 3
    assert state is BreakerState.OPEN
    assert (before.reachable, before.detail) == (False, "PROVIDER_UNAVAILABLE")
    assert (after.reachable, after.detail) == (False, "BREAKER_OPEN")


async def test_health_reaches_a_node_without_a_question(remote: Way) -> None:
    """No requester's question is at hand for a probe: reaching the right node is what it tells."""
    async with double_of(remote, changed(nothing)) as double:
        adapter = adapter_for(remote, double.port)
        health = await adapter.examine_health()
        await adapter.close()

    assert (health.reachable, health.detail) == (True, "OK")
    assert double.payloads == []


@pytest.mark.parametrize("whose", ["education", "gateway"])
async def test_another_server_is_told_nothing(remote: Way, whose: str) -> None:
    """A certificate of the same authority for the same name, registered even: not this node's."""
    world = remote.sandbox.world
    tls = world.gateway_keys["tls"] if whose == "gateway" else world.node_keys[whose]["tls"]
    async with double_of(remote, changed(nothing), tls=tls) as double:
        adapter = adapter_for(remote, double.port)
        outcome = await adapter.fetch(query_for(remote))
        health = await adapter.examine_health()
        await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert not health.reachable
    assert double.payloads == []


def _trust_without(way: Way, usage: KeyPurpose, state: KeyState) -> TrustStore:
    """Return the gateway's trust with the node's key of one usage in another state."""
    material = load_trust_store(way.sandbox.world.folders.trust)._material
    uscc = way.sandbox.world.provider_of(KIND)
    organisations = tuple(
        dataclasses.replace(
            each,
            systems=tuple(
                dataclasses.replace(
                    system,
                    keys=tuple(
                        dataclasses.replace(key, state=state) if key.usage is usage else key
                        for key in system.keys
                    ),
                )
                for system in each.systems
            ),
        )
        if each.uscc == uscc
        else each
        for each in material.registry.organisations
    )
    registry = dataclasses.replace(material.registry, organisations=organisations)
    return TrustStore(lambda: dataclasses.replace(material, registry=registry))


@pytest.mark.parametrize("usage", [KeyPurpose.TLS, KeyPurpose.ENVELOPE])
@pytest.mark.parametrize("state", [KeyState.SUSPENDED, KeyState.REVOKED])
async def test_a_node_whose_key_was_withdrawn_is_not_believed(
    remote: Way, usage: KeyPurpose, state: KeyState
) -> None:
    """Also over a connection that stands: without a current certificate nothing is sent."""
    trust = [remote.gateway.trust, _trust_without(remote, usage, state)]
    async with double_of(remote, changed(nothing)) as double:
        adapter = adapter_for(remote, double.port)
        before = await adapter.fetch(query_for(remote))
        adapter._link = dataclasses.replace(adapter._link, snapshot=lambda: trust[1].snapshot)
        after = await adapter.fetch(query_for(remote))
        await adapter.close()

    assert before == Record(sd_jwt="r")
    assert after == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)
    assert len(double.payloads) == (1 if usage is KeyPurpose.TLS else 2)


async def test_a_question_that_fits_into_no_query_is_not_sent(remote: Way) -> None:
    """A request of the largest size leaves no room for what a node has to be told beside it."""
    query = query_for(remote)
    statement = exchange_pb2.ExchangeRequest.FromString(query.request_envelope)
    full = exchange_pb2.ExchangeStatement.FromString(statement.envelope.payload)
    room = 65_536 - len(statement.envelope.payload) - 100
    full.query.claims.add(name="x", value="y" * room)
    statement.envelope.payload = full.SerializeToString(deterministic=True)
    large = dataclasses.replace(
        query, request_envelope=statement.SerializeToString(deterministic=True)
    )
    async with double_of(remote, changed(nothing)) as double:
        adapter = adapter_for(remote, double.port)
        outcome = await adapter.fetch(large)
        await adapter.close()

    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert double.payloads == []


LIES: dict[str, tuple[Callable[[SpyAdapter, Query], Record], str]] = {
    "another key": (
        lambda spy, query: signed(
            spy,
            query,
            disclosed_of(query),
            signer=FileSigner.of(generate_private_key(Suite.ES256)),
            custody=Custody.PROVIDER_NODE,
        ),
        "key_unknown",
    ),
    "embedded custody": (
        lambda spy, query: signed(spy, query, disclosed_of(query)),
        "wrong_custody",
    ),
    "another subject": (
        lambda spy, query: signed(
            spy,
            query,
            disclosed_of(query),
            custody=Custody.PROVIDER_NODE,
            subject_digest=bytes(32),
        ),
        "wrong_subject",
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_the_gateway_proves_the_record_of_a_node_like_any_other(
    remote: Way, lie: str
) -> None:
    """The node signed the outcome; whose facts they are is proven by the record alone."""
    way, (forge, cause) = remote, LIES[lie]
    world, gateway = way.sandbox.world, remote.gateway
    source = RecordSource(
        organisation=world.provider_of(KIND), signer=world.record_keys[KIND].signer
    )
    core = build_core(gateway, {"ps.": source})
    spy = core.spies["ps."]
    asked: list[Query] = []

    def answer(double: NodeDouble, query: provider_pb2.Query) -> bytes:
        return double.sign(double.outcome(query, forge(spy, asked[-1]).sd_jwt))

    async with double_of(way, answer) as double:
        adapter = adapter_for(way, double.port)
        fetch = adapter.fetch

        async def noted(query: Query) -> Outcome:
            asked.append(query)
            return await fetch(query)

        adapter.fetch = noted  # type: ignore[method-assign] # to see what the exchange asks
        adapters = dict.fromkeys(spy.datasets, adapter)
        core.exchange._parts = dataclasses.replace(
            core.parts, adapters=adapters, at_nodes=spy.datasets
        )
        request = build_exchange(way.retirement, core_question(way.retirement), moment(core.now_ms))
        body = body_of(await core.ask(way.retirement, request))
        await adapter.close()

    assert body.state == exchange_pb2.ANSWER_STATE_INDETERMINATE
    assert body.record == ""
    assert core.observed.distrusted_causes == [cause]
