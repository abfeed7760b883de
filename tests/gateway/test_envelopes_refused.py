"""Step 2: an envelope that is not exactly what a key of the channel's system signed is refused."""

import random

import pytest

from certs.algorithms import Suite, generate_private_key
from gateway.cli.sandbox.running import Sandbox
from gateway.errors import Reason
from gateway.outcome import Answered, Refused
from gateway.statement.wrapper import MAX_MESSAGE_BYTES
from hutong.client import Identity
from hutong.client.requests import SignedRequest, build_exchange
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import pae
from signing.envelope import MAX_PAYLOAD
from signing.signer import FileSigner
from tests.gateway.asking import core_question, moment, payload_type_of, spelled, wrapped
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

TYPE = payload_type_of(exchange_pb2.ExchangeStatement)
STEP_2 = {
    Reason.ENVELOPE_MALFORMED,
    Reason.PAYLOAD_TYPE_WRONG,
    Reason.SIGNER_UNKNOWN,
    Reason.SIGNATURE_INVALID,
}
FLIPS = 150
ES256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256 (SEC 2, 2.4.2)."""


@pytest.fixture
def request_of(core: Core, retirement: Identity) -> SignedRequest:
    """A good request."""
    return build_exchange(retirement, core_question(retirement), moment(core.now_ms))


def _parts(request: SignedRequest) -> envelope_pb2.SignedEnvelope:
    return exchange_pb2.ExchangeRequest.FromString(request.message).envelope


async def test_an_unchanged_envelope_is_answered(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """What the tests below change is answered when nothing is changed."""
    outcome = await core.ask(retirement, request_of)

    assert isinstance(outcome, Answered)


async def test_every_flipped_bit_is_refused(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """Whichever bit of the carried message is flipped, nothing is asked and nothing released."""
    chance = random.Random(20261123)  # noqa: S311 - a repeatable sample, no secret
    message = request_of.message
    # The head of the wrapper and its tail (type, signature, key id) whole, the payload by sample.
    tail = range((len(message) - 200) * 8, len(message) * 8, 5)
    sample = {*range(48), *tail, *chance.sample(range(len(message) * 8), FLIPS)}
    seen = set()

    for bit in sorted(sample):
        flipped = bytearray(message)
        flipped[bit // 8] ^= 1 << bit % 8
        outcome = await core.ask_bytes(retirement, bytes(flipped))
        assert isinstance(outcome, Refused), f"bit {bit} changes nothing"
        seen.add(outcome.reason)

    assert "fetch" not in core.events
    assert seen == STEP_2


async def test_a_changed_payload_is_refused(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """Content that differs from what was signed fails its signature."""
    parts = _parts(request_of)
    payload = parts.payload.replace(b"XY-2026-201", b"XY-2026-202")

    signature = parts.signatures[0]
    message = spelled(payload, TYPE, signature.value, signature.keyid)

    require_refused(await core.ask_bytes(retirement, message), Reason.SIGNATURE_INVALID)


async def test_a_high_s_twin_signature_is_refused_or_the_same_request(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """The other valid spelling of an ECDSA signature never makes a second execution."""
    parts = _parts(request_of)
    value = parts.signatures[0].value
    other_s = (ES256_ORDER - int.from_bytes(value[32:])).to_bytes(32)
    twin = spelled(parts.payload, TYPE, value[:32] + other_s, parts.signatures[0].keyid)

    first = await core.ask(retirement, request_of)
    second = await core.ask_bytes(retirement, twin)

    assert core.events.count("fetch") == 1
    if isinstance(second, Answered):
        assert isinstance(first, Answered)
        assert second.envelope == first.envelope


async def test_a_payload_type_of_another_method_is_refused(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """A matter's type over an exchange's bytes is refused even when its signature is right."""
    other = payload_type_of(exchange_pb2.MatterStatement)
    message = wrapped(request_of.payload, other, retirement.signer)

    require_refused(await core.ask_bytes(retirement, message), Reason.PAYLOAD_TYPE_WRONG)


async def test_a_signature_over_the_bare_payload_is_refused(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """A signature that leaves the payload type out of what it covers proves nothing."""
    bare = retirement.signer.sign(request_of.payload)
    message = spelled(request_of.payload, TYPE, bare, retirement.signer.keyid)

    require_refused(await core.ask_bytes(retirement, message), Reason.SIGNATURE_INVALID)


@pytest.mark.parametrize("suite", [Suite.ES256, Suite.EDDSA])
async def test_a_key_of_nobody_is_refused(
    core: Core, retirement: Identity, request_of: SignedRequest, suite: Suite
) -> None:
    """A key that is not registered for the system of this channel is unknown."""
    stranger = FileSigner.of(generate_private_key(suite))
    message = wrapped(request_of.payload, TYPE, stranger)

    require_refused(await core.ask_bytes(retirement, message), Reason.SIGNER_UNKNOWN)


async def test_an_algorithm_does_not_follow_from_the_message(
    core: Core, retirement: Identity, request_of: SignedRequest
) -> None:
    """An Ed25519 signature under the key id of an ES256 key is no signature of that key."""
    stranger = FileSigner.of(generate_private_key(Suite.EDDSA))
    signature = stranger.sign(pae(TYPE, request_of.payload))
    message = spelled(request_of.payload, TYPE, signature, retirement.signer.keyid)

    require_refused(await core.ask_bytes(retirement, message), Reason.SIGNATURE_INVALID)


async def test_the_registered_key_of_another_system_is_refused(
    core: Core, retirement: Identity, recertification: Identity, request_of: SignedRequest
) -> None:
    """A key is looked up among the keys of the channel's system only."""
    message = wrapped(request_of.payload, TYPE, recertification.signer)

    require_refused(await core.ask_bytes(retirement, message), Reason.SIGNER_UNKNOWN)


@pytest.mark.parametrize("usage", ["officer", "record", "tls"])
async def test_a_key_of_another_usage_is_refused(
    core: Core, retirement: Identity, request_of: SignedRequest, sandbox: Sandbox, usage: str
) -> None:
    """A registered key signs envelopes only when it is registered for envelopes."""
    world = sandbox.world
    keys = {
        "officer": world.officers["11370000MB2DEM0105"],
        "record": world.record_keys["hrss"],
        "tls": world.partners[retirement.system_id].tls,
    }
    message = wrapped(request_of.payload, TYPE, keys[usage].signer)

    require_refused(await core.ask_bytes(retirement, message), Reason.SIGNER_UNKNOWN)


def _two_signatures(good: envelope_pb2.SignedEnvelope) -> bytes:
    good.signatures.append(good.signatures[0])
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString(deterministic=True)


def _no_signature(good: envelope_pb2.SignedEnvelope) -> bytes:
    del good.signatures[:]
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString(deterministic=True)


def _unknown_field(good: envelope_pb2.SignedEnvelope) -> bytes:
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString() + b"\x7a\x01x"


def _twice(good: envelope_pb2.SignedEnvelope) -> bytes:
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString() * 2


def _long_varint(good: envelope_pb2.SignedEnvelope) -> bytes:
    inner = good.SerializeToString()
    # The length with one needless byte: parsers agree on it, hashes of it would not.
    length = len(inner)
    spelling = [length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14 & 0x7F | 0x80, 0]
    return b"\x0a" + bytes(spelling) + inner


def _long_payload(good: envelope_pb2.SignedEnvelope) -> bytes:
    good.payload = bytes(MAX_PAYLOAD + 1)
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString()


def _short_signature(good: envelope_pb2.SignedEnvelope) -> bytes:
    good.signatures[0].value = good.signatures[0].value[:-1]
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString()


def _loud_keyid(good: envelope_pb2.SignedEnvelope) -> bytes:
    good.signatures[0].keyid = good.signatures[0].keyid.upper() + " "
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString()


def _foreign_type(good: envelope_pb2.SignedEnvelope) -> bytes:
    good.payload_type = "政务/类型"
    return exchange_pb2.ExchangeRequest(envelope=good).SerializeToString()


@pytest.mark.parametrize(
    "spoil",
    [
        _two_signatures,
        _no_signature,
        _unknown_field,
        _twice,
        _long_varint,
        _long_payload,
        _short_signature,
        _loud_keyid,
        _foreign_type,
        lambda _good: b"",
        lambda _good: b"\x0a\xff\xff\xff\xff\x0f",
        lambda _good: b"\x0b" * 40,
        lambda _good: b"\x0a\x02\x0a" * 2000,
        lambda _good: bytes(MAX_MESSAGE_BYTES),
        lambda _good: "机关".encode("gb18030"),
    ],
)
async def test_an_envelope_in_another_spelling_is_refused(
    core: Core,
    retirement: Identity,
    request_of: SignedRequest,
    spoil: "object",
) -> None:
    """Two signatures, none, unknown or repeated fields, long varints, wrong sizes: malformed."""
    assert callable(spoil)

    outcome = await core.ask_bytes(retirement, spoil(_parts(request_of)))

    require_refused(outcome, Reason.ENVELOPE_MALFORMED)
