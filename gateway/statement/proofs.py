"""Requests and responses about checkpoints and proofs; they carry numbers and hashes only."""

from collections.abc import Sequence

from gateway.errors import Reason, Refusal
from hutong.accesslog.v1 import accesslog_pb2
from signing.errors import Malformed
from signing.wire import parse_signed


# Unsigned, and judged all the same: one spelling, and bounded before it is parsed.
def parse_inclusion_request(body: bytes) -> tuple[int, int]:
    """Return index and tree size.

    Raises:
        Refusal: `STATEMENT_MALFORMED`.
    """
    try:
        message = parse_signed(body, accesslog_pb2.GetInclusionProofRequest)
    except Malformed as error:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics=error.what) from error
    return message.index, message.tree_size


def parse_consistency_request(body: bytes) -> tuple[int, int]:
    """Return the older and the newer tree size.

    Raises:
        Refusal: `STATEMENT_MALFORMED`.
    """
    try:
        message = parse_signed(body, accesslog_pb2.GetConsistencyProofRequest)
    except Malformed as error:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics=error.what) from error
    return message.first_size, message.second_size


def encode_checkpoint(checkpoint: bytes) -> bytes:
    """Return the response to GetCheckpoint."""
    return accesslog_pb2.GetCheckpointResponse(checkpoint=checkpoint).SerializeToString()


def encode_inclusion_proof(hashes: Sequence[bytes], leaf_hash: bytes) -> bytes:
    """Return the response to GetInclusionProof."""
    return accesslog_pb2.GetInclusionProofResponse(
        hashes=hashes, leaf_hash=leaf_hash
    ).SerializeToString()


def encode_consistency_proof(hashes: Sequence[bytes]) -> bytes:
    """Return the response to GetConsistencyProof."""
    return accesslog_pb2.GetConsistencyProofResponse(hashes=hashes).SerializeToString()
