"""Calls about the access log itself: checkpoints, proofs, receipts of earlier exchanges."""

from typing import Final

from hutong.accesslog.v1 import accesslog_pb2
from hutong.client.answers import InclusionProof, Receipt
from hutong.client.errors import Unproven
from hutong.client.proof import (
    ASK_KINDS,
    MAX_MESSAGE,
    REFUSE_KINDS,
    Proving,
    evidence_refused,
    form_of,
    parse_wrapped,
    prove_form,
)
from hutong.client.reasons import ClientReason
from hutong.client.sending import Sender
from hutong.evidence import (
    EvidenceRefused,
    Expected,
    LogKey,
    Malformed,
    ProvenCheckpoint,
    TreeHead,
    verify_checkpoint,
    verify_consistency,
    verify_inclusion,
)

_SERVICE: Final = "/hutong.accesslog.v1.AccessLogService"


def prove_checkpoint(log_key: LogKey, raw: bytes) -> ProvenCheckpoint:
    """Return a checkpoint that the pinned log signed.

    Raises:
        Unproven: RECEIPT_MALFORMED, CHECKPOINT_UNSIGNED.
    """
    try:
        return verify_checkpoint(raw, log_key)
    except Malformed as cause:
        raise Unproven(ClientReason.RECEIPT_MALFORMED, cause.what) from cause
    except EvidenceRefused as cause:
        raise evidence_refused(cause) from cause


async def fetch_checkpoint(sender: Sender, timeout_s: float) -> ProvenCheckpoint:
    """Fetch the newest checkpoint and prove that it extends the newest one seen.

    Raises:
        Fault: no answer came back.
        Unproven: CHECKPOINT_UNSIGNED, CHECKPOINT_STALE, CHECKPOINT_FORKED, CONSISTENCY_INVALID.
    """
    proving = sender.proving
    seen = proving.log.newest
    empty = accesslog_pb2.GetCheckpointRequest().SerializeToString()
    message = await sender.fetch(f"{_SERVICE}/GetCheckpoint", empty, timeout_s)
    response = parse_wrapped(message, accesslog_pb2.GetCheckpointResponse, MAX_MESSAGE)
    proven = prove_checkpoint(proving.identity.log_key, response.checkpoint)
    # What was seen before the call bounds the answer; what other tasks see meanwhile does not.
    if seen is not None:
        if proven.head.size < seen.size:
            raise Unproven(ClientReason.CHECKPOINT_STALE)
        await _fetch_between(sender, seen, proven.head, timeout_s)
    proving.log.take(proven, response.checkpoint)
    return proven


async def fetch_consistency(sender: Sender, older: TreeHead, timeout_s: float) -> tuple[bytes, ...]:
    """Fetch the proof that the newest tree seen extends an older one.

    Raises:
        Fault: no answer came back.
        Unproven: CONSISTENCY_INVALID, CHECKPOINT_FORKED, RESPONSE_MALFORMED.
    """
    newest = sender.proving.log.newest
    if newest is None:
        newest = (await fetch_checkpoint(sender, timeout_s)).head
    return await _fetch_between(sender, older, newest, timeout_s)


async def fetch_inclusion(sender: Sender, index: int, timeout_s: float) -> InclusionProof:
    """Fetch the proof that a leaf stands in the newest tree seen.

    Raises:
        Fault: no answer came back.
        Unproven: ENTRY_NOT_INCLUDED, RESPONSE_MALFORMED.
    """
    newest = sender.proving.log.newest
    if newest is None:
        newest = (await fetch_checkpoint(sender, timeout_s)).head
    request = accesslog_pb2.GetInclusionProofRequest(index=index, tree_size=newest.size)
    message = await sender.fetch(
        f"{_SERVICE}/GetInclusionProof", request.SerializeToString(), timeout_s
    )
    response = parse_wrapped(message, accesslog_pb2.GetInclusionProofResponse, MAX_MESSAGE)
    hashes = tuple(response.hashes)
    try:
        verify_inclusion(response.leaf_hash, index, hashes, newest)
    except EvidenceRefused as cause:
        raise evidence_refused(cause) from cause
    return InclusionProof(index=index, leaf_hash=response.leaf_hash, hashes=hashes, tree=newest)


def earlier_receipt(
    proving: Proving, body: accesslog_pb2.ReceiptBody, request_id: bytes, item: int
) -> Receipt:
    """Prove the receipt of an earlier exchange, which may be as old as that exchange.

    Raises:
        Unproven: any reason of the access log.
    """
    if not body.HasField("receipt"):
        raise Unproven(ClientReason.RECEIPT_MISSING)
    form = form_of(body.receipt)
    # An exchange that is not answered yet, or was cut off, has its ask alone.
    kinds = ASK_KINDS | REFUSE_KINDS | {"ask"}
    expected = Expected(request_id=request_id, item=item, kinds=kinds)
    proven = prove_form(proving, form, None, None, expected)
    salts = {each.member: each.salt for each in form.openings}
    return Receipt(
        proven=proven,
        form=form,
        request_payload=b"",
        commitment_salt=salts.get("request", b""),
        answer_body=None,
    )


async def _fetch_between(
    sender: Sender, first: TreeHead, second: TreeHead, timeout_s: float
) -> tuple[bytes, ...]:
    hashes: tuple[bytes, ...] = ()
    # Equal sizes need no proof, only equal roots (accesslog.proto, `GetConsistencyProofResponse`),
    # and every tree extends the empty one, of which a young log has shown us the head.
    if first.size not in {0, second.size}:
        request = accesslog_pb2.GetConsistencyProofRequest(
            first_size=first.size, second_size=second.size
        )
        message = await sender.fetch(
            f"{_SERVICE}/GetConsistencyProof", request.SerializeToString(), timeout_s
        )
        response = parse_wrapped(message, accesslog_pb2.GetConsistencyProofResponse, MAX_MESSAGE)
        hashes = tuple(response.hashes)
    try:
        verify_consistency(first, second, hashes)
    except EvidenceRefused as cause:
        raise evidence_refused(cause) from cause
    return hashes
