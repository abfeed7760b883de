"""The messages around envelopes: what gRPC carries, before and after anything is trusted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.envelope import Envelope, parse_envelope
from signing.errors import Malformed
from signing.wire import parse_signed

MAX_MESSAGE_BYTES: Final = 98_304
"""Bound of one gRPC message: a payload of 65,536 bytes and its wrapping, with room to spare."""

# Field 1, wire type 2 (length-delimited).
_FIELD_1: Final = b"\x0a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A refusal beside its signed proof, as streams and matters carry it."""

    reason: str
    code: int
    signed_refusal: bytes | None = field(repr=False)


def parse_wrapper(body: bytes) -> Envelope:
    """Return the envelope of a request message; every request message wraps one in field 1.

    Raises:
        Malformed: not such a message in its one spelling, or not a well-formed envelope.
    """
    # The wrapper is not signed, but what it holds is: a lenient reader here would pick the bytes.
    message = parse_signed(body, exchange_pb2.ExchangeRequest, max_bytes=MAX_MESSAGE_BYTES)
    if not message.HasField("envelope"):
        raise Malformed("wrapper: no envelope")
    raw = message.envelope
    return parse_envelope(
        raw.payload, raw.payload_type, [(each.value, each.keyid) for each in raw.signatures]
    )


def encode_envelope(envelope: Envelope) -> bytes:
    """Return a `SignedEnvelope` as bytes."""
    return _message(envelope).SerializeToString(deterministic=True)


def encode_response(signed_envelope: bytes) -> bytes:
    """Return a response message around an encoded `SignedEnvelope`.

    All unary ones wrap it in field 1: a tag, a length and the bytes as they are.
    """
    return _FIELD_1 + _encode_varint(len(signed_envelope)) + signed_envelope


def encode_stream_response(request_id: bytes, outcome: bytes | Notice) -> bytes:
    """Return one outcome of a stream."""
    message = exchange_pb2.ExchangeStreamResponse(request_id=request_id)
    if isinstance(outcome, Notice):
        message.refusal.CopyFrom(_notice(outcome))
    else:
        message.answer.ParseFromString(outcome)
    return message.SerializeToString(deterministic=True)


def encode_matter_response(outcomes: Sequence[bytes | Notice]) -> bytes:
    """Return the items of a matter in the order asked."""
    message = exchange_pb2.ExchangeMatterResponse()
    for outcome in outcomes:
        item = message.items.add()
        if isinstance(outcome, Notice):
            item.refusal.CopyFrom(_notice(outcome))
        else:
            item.answer.ParseFromString(outcome)
    return message.SerializeToString(deterministic=True)


def _encode_varint(value: int) -> bytes:
    """Write a number below 2^64 in its shortest spelling (protobuf encoding guide, "Base 128")."""
    octets = bytearray()
    while value >= 1 << 7:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _notice(notice: Notice) -> exchange_pb2.RefusalNotice:
    message = exchange_pb2.RefusalNotice(reason=notice.reason, code=notice.code)
    if notice.signed_refusal is not None:
        message.signed_refusal.ParseFromString(notice.signed_refusal)
    return message


def _message(envelope: Envelope) -> envelope_pb2.SignedEnvelope:
    signature = envelope_pb2.Signature(value=envelope.signature, keyid=envelope.keyid)
    return envelope_pb2.SignedEnvelope(
        payload=envelope.payload, payload_type=envelope.payload_type, signatures=[signature]
    )
