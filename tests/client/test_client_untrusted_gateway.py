"""A gateway nobody vouches for is told apart from one that is away, and is tried once."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import grpc
import pytest

from certs.algorithms import Suite, generate_private_key
from certs.authority import TlsPurpose
from certs.certificate import PEM_LABEL
from certs.naming import SubjectName
from certs.pem import encode_pem
from hutong.client import Client, ClientReason, Fault, Identity, Question, Settings
from hutong.client.channel import Connection
from hutong.client.refusals import fault_of
from hutong.client.sending import waiting_time
from tests.client.double_server import serve
from tests.client.gateway_double import GatewayDouble
from tests.client.log_double import LogDouble
from tests.client.synthetic_world import World, build_world

PATIENCE_S = 5.0


def _another_authority(identity: Identity) -> Identity:
    other = build_world().authority_pem
    return dataclasses.replace(identity, tls=dataclasses.replace(identity.tls, authority=other))


def _another_name(identity: Identity) -> Identity:
    return dataclasses.replace(identity, tls_server_name="gateway.example")


def _as_it_is(identity: Identity) -> Identity:
    return identity


def _expired(world: World) -> World:
    """Return the world with a gateway whose TLS certificate is over."""
    key = generate_private_key(Suite.ES256)
    long_ago = world.authority.certificate.not_before - timedelta(days=900)
    chain = world.authority.issue_tls(
        SubjectName(common_name="localhost"), key.public_key, TlsPurpose.SERVER, at=long_ago
    )
    return dataclasses.replace(
        world,
        server_key=key.encode_pkcs8(None),
        server_chain=encode_pem(chain.der, PEM_LABEL),
    )


def _current(world: World) -> World:
    return world


Row = tuple[Callable[[World], World], Callable[[Identity], Identity]]
WAYS: dict[str, Row] = {
    "issued by another authority": (_current, _another_authority),
    "of another name": (_current, _another_name),
    "expired": (_expired, _as_it_is),
}


@pytest.fixture(params=WAYS)
async def untrusting(
    request: pytest.FixtureRequest, world: World, identity: Identity
) -> AsyncIterator[tuple[Client, GatewayDouble]]:
    """A client that has no reason to believe the gateway it reaches."""
    spoil_gateway, spoil_identity = WAYS[request.param]
    spoilt = spoil_gateway(world)
    double = GatewayDouble(world=spoilt, log=LogDouble(spoilt))
    server, port = await serve(double)
    at_port = dataclasses.replace(spoil_identity(identity), address=f"127.0.0.1:{port}")
    settings = Settings(timeout_s=PATIENCE_S, stream_patience_s=PATIENCE_S)
    async with Client.open(at_port, settings, clock=lambda: world.now_ms) as opened:
        yield opened, double
    await server.stop(None)


async def test_a_gateway_nobody_vouches_for_gets_no_question(
    untrusting: tuple[Client, GatewayDouble],
    question: Question,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One attempt, a reason of its own, and the requester's side; nothing reaches it."""
    client, double = untrusting
    attempts = 0
    call = Connection.call

    async def counted(self: Connection, method: str, message: bytes, timeout_s: float) -> bytes:
        nonlocal attempts
        attempts += 1
        return await call(self, method, message, timeout_s)

    monkeypatch.setattr(Connection, "call", counted)

    with pytest.raises(Fault) as told:
        await client.exchange(question)

    assert told.value.reason is ClientReason.GATEWAY_CERTIFICATE_UNTRUSTED
    assert told.value.side == "requester"
    assert "authority.pem" in told.value.text_zh
    assert "authority.pem" in told.value.text_en
    assert attempts == 1
    assert double.seen == []


async def test_a_stream_to_a_gateway_nobody_vouches_for_ends(
    untrusting: tuple[Client, GatewayDouble], question: Question
) -> None:
    """Each question of it gets that reason as its outcome."""
    client, double = untrusting

    async def one() -> AsyncIterator[Question]:
        yield question

    outcomes = [each.outcome async for each in client.exchange_stream(one())]

    assert [type(each) for each in outcomes] == [Fault]
    assert isinstance(outcomes[0], Fault)
    assert outcomes[0].reason is ClientReason.GATEWAY_CERTIFICATE_UNTRUSTED
    assert double.seen == []


async def test_an_unsigned_call_says_so_too(untrusting: tuple[Client, GatewayDouble]) -> None:
    """What needs only the channel has no channel."""
    client, _double = untrusting

    with pytest.raises(Fault) as told:
        await client.list_datasets()

    assert told.value.reason is ClientReason.GATEWAY_CERTIFICATE_UNTRUSTED


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "Connection refused", ClientReason.UNAVAILABLE),
        (grpc.StatusCode.UNAVAILABLE, None, ClientReason.UNAVAILABLE),
        (grpc.StatusCode.INTERNAL, "CERTIFICATE_VERIFY_FAILED", ClientReason.CALL_FAILED),
    ],
)
def test_only_a_failed_handshake_is_one(
    code: grpc.StatusCode, text: str | None, reason: ClientReason
) -> None:
    """A gateway that is away is waited for still; a text under another status means nothing."""
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=text)

    assert fault_of(error).reason is reason


def test_bytes_are_not_sent_again_to_a_gateway_nobody_vouches_for() -> None:
    """Waiting makes no certificate right, and gives who stands in between more time."""
    fault = Fault(ClientReason.GATEWAY_CERTIFICATE_UNTRUSTED, "UNAVAILABLE")

    assert waiting_time(fault, 0, bytes(16)) is None
