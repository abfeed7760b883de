"""What is written by hand around an envelope is what protobuf would write."""

import pytest

from gateway.statement.wrapper import encode_response
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2


@pytest.mark.parametrize("size", [1, 100, 127, 128, 16_383, 16_384, 65_536])
def test_a_response_is_the_message_with_the_envelope_in_field_1(size: int) -> None:
    """For every length of the length, from one byte to three."""
    envelope = envelope_pb2.SignedEnvelope(payload=bytes(size), payload_type="a/b")

    written = encode_response(envelope.SerializeToString(deterministic=True))

    expected = exchange_pb2.ExchangeResponse(answer=envelope)
    assert written == expected.SerializeToString(deterministic=True)
