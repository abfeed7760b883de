"""What a node refuses of a gateway: its channel, its envelope, its query; over real TLS."""

import dataclasses

import grpc
import pytest

from adapters.provider_node.reasons import NodeReason
from adapters.provider_node.wire import MAX_MESSAGE, METHOD, QUERY_TYPE
from certs.pem import encode_pem
from gateway.node.building import RunningNode
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.signer import Signer
from tests.node.asking import (
    Caller,
    Change,
    Way,
    request_of,
    require_refused,
    stamp,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]


def _to_another_node(query: provider_pb2.Query) -> None:
    query.header.receiver = "11370000MB2DEM0287/provider"


def _of_another_gateway(query: provider_pb2.Query) -> None:
    query.header.sender = "11370000MB2DEM0105/other"


def _of_another_method(query: provider_pb2.Query) -> None:
    query.header.method = "/hutong.exchange.v1.ExchangeService/Exchange"


@pytest.mark.parametrize("change", [_to_another_node, _of_another_gateway, _of_another_method])
async def test_a_query_for_somebody_else_is_refused(
    caller: Caller, remote: Way, change: Change
) -> None:
    """What one node was asked is of no use at another."""
    ended = await caller.ask(request_of(remote), change)

    require_refused(ended, NodeReason.BINDING_WRONG, signed=False)


@pytest.mark.parametrize(
    ("issued_s", "expires_s"), [(-400, -340), (100, 160), (0, 301), (0, 0), (-100_000, 60)]
)
async def test_a_query_of_another_time_is_refused(
    caller: Caller, remote: Way, issued_s: int, expires_s: int
) -> None:
    """Expired, from the future, or for longer than anybody remembers."""
    now_ms = remote.gateway.clock.now_ms()

    def change(query: provider_pb2.Query) -> None:
        stamp(query, now_ms + issued_s * 1000, now_ms + expires_s * 1000)

    ended = await caller.ask(request_of(remote), change)

    require_refused(ended, NodeReason.NOT_FRESH, signed=False)


async def test_a_query_from_before_the_start_is_refused(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier process executed is not remembered, so it is not executed again either."""
    message = caller.signed(caller.query(request_of(remote)))
    monkeypatch.setattr(node.node.judge, "_since_ms", remote.gateway.clock.now_ms() + 1)

    require_refused(await caller.call(message), NodeReason.NOT_FRESH, signed=False)


def _without_request(query: provider_pb2.Query) -> None:
    query.ClearField("request_envelope")


def _without_grants(query: provider_pb2.Query) -> None:
    del query.grants[:]


def _field_twice(query: provider_pb2.Query) -> None:
    query.grants.append(query.grants[0])


def _withheld(query: provider_pb2.Query) -> None:
    query.grants[0].effect = exchange_pb2.EFFECT_WITHHOLD


def _no_effect(query: provider_pb2.Query) -> None:
    query.grants[0].effect = exchange_pb2.EFFECT_UNSPECIFIED


def _item_33(query: provider_pb2.Query) -> None:
    query.item = 32


def _half_digest(query: provider_pb2.Query) -> None:
    query.policy_digest = bytes(16)


def _short_id(query: provider_pb2.Query) -> None:
    query.header.request_id = bytes(15)


def _other_statement(query: provider_pb2.Query) -> None:
    query.request_envelope.payload_type = (
        "application/vnd.hutong.accesslog.v1.ReceiptStatement+protobuf"
    )


def _many_parameters(query: provider_pb2.Query) -> None:
    query.grants[0].parameters.extend(["1"] * 5)


@pytest.mark.parametrize(
    "change",
    [
        _without_request,
        _without_grants,
        _field_twice,
        _withheld,
        _no_effect,
        _item_33,
        _half_digest,
        _short_id,
        _other_statement,
        _many_parameters,
    ],
)
async def test_a_query_out_of_form_is_refused(caller: Caller, remote: Way, change: Change) -> None:
    """Each member is bounded before anything is made of it."""
    ended = await caller.ask(request_of(remote), change)

    require_refused(ended, NodeReason.QUERY_MALFORMED, signed=False)


async def test_bytes_that_are_no_query_are_refused(caller: Caller) -> None:
    """Signed nonsense is nonsense."""
    ended = await caller.call(caller.signed(b"\x07nonsense"))

    require_refused(ended, NodeReason.QUERY_MALFORMED, signed=False)


@pytest.mark.parametrize("message", [b"", bytes(MAX_MESSAGE + 1)])
async def test_a_message_of_no_or_too_much_length_is_refused(
    caller: Caller, message: bytes
) -> None:
    """Bounded before it is parsed."""
    ended = await caller.call(message)

    require_refused(ended, NodeReason.MESSAGE_INVALID, signed=False)


async def test_another_system_than_a_gateway_is_refused(caller: Caller, remote: Way) -> None:
    """A partner has a certificate of the same authority, and is no gateway of this node."""
    partner = remote.sandbox.world.partners[remote.retirement.system_id]
    asking = dataclasses.replace(caller, tls=partner.tls, signer=remote.retirement.signer)

    ended = await asking.ask(request_of(remote))

    require_refused(ended, NodeReason.CHANNEL_REFUSED, signed=False)


async def test_a_gateway_this_node_does_not_name_is_refused(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered as a gateway, and not one of this node's."""
    holding = dataclasses.replace(node.node.judge.holding, gateways=frozenset({"another"}))
    monkeypatch.setattr(node.node.judge, "holding", holding)

    ended = await caller.ask(request_of(remote))

    require_refused(ended, NodeReason.CHANNEL_REFUSED, signed=False)


def _signers(way: Way) -> dict[str, Signer]:
    world = way.sandbox.world
    return {
        "a partner": way.retirement.signer,
        "the node itself": world.node_keys["public_security"]["envelope"].signer,
        "the gateway's log key": world.gateway_keys["log"].signer,
    }


@pytest.mark.parametrize("who", ["a partner", "the node itself", "the gateway's log key"])
async def test_an_envelope_of_another_key_than_the_channels_is_refused(
    caller: Caller, remote: Way, who: str
) -> None:
    """Over the gateway's channel only the gateway's envelope key speaks."""
    asking = dataclasses.replace(caller, signer=_signers(remote)[who])

    ended = await asking.ask(request_of(remote))

    require_refused(ended, NodeReason.ENVELOPE_REFUSED, signed=False)


async def test_an_envelope_that_is_not_signed_is_refused(caller: Caller, remote: Way) -> None:
    """Over the carried bytes, as the type it is sent as."""
    payload = caller.query(request_of(remote))
    other_type = QUERY_TYPE.replace("Query", "QueryOutcome")
    flipped = bytearray(caller.signed(payload))
    flipped[flipped.index(payload[:16])] ^= 1

    for message in (caller.signed(payload, other_type), bytes(flipped), b"\xff"):
        ended = await caller.call(message)
        require_refused(ended, NodeReason.ENVELOPE_REFUSED, signed=False)


async def test_a_stranger_cannot_connect(caller: Caller, remote: Way) -> None:
    """Without a certificate there is no channel at all."""
    authority = remote.sandbox.world.authority.authority.certificate.der
    credentials = grpc.ssl_channel_credentials(encode_pem(authority, "CERTIFICATE"))
    options = (("grpc.ssl_target_name_override", "localhost"),)
    address = f"127.0.0.1:{caller.port}"
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(b"", timeout=5)

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
