"""From carried bytes to a proven body, one question after the other.

    1. envelope   signed by a pinned gateway key that is current    SIGNER_…, SIGNATURE_INVALID
    2. type       an answer (or refusal), in its one spelling       PAYLOAD_…, BODY_TYPE_WRONG
    3. header     for this request, item, system, from this gateway …_MISMATCH
    4. receipt    logged under the pinned log key, this request,    RECEIPT_…, CHECKPOINT_…,
                  this body, behind what was seen before            ENTRY_…, …_NOT_COMMITTED

What a body says about fields and records is judged in `content` and `records`.
INVARIANT: nothing of a body is used before step 4 has passed.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from google.protobuf.message import Message

from certs.chain import require_current
from certs.errors import CertificateRefused
from hutong.accesslog.v1 import accesslog_pb2
from hutong.client.answers import Receipt
from hutong.client.errors import Unproven
from hutong.client.identity import Identity
from hutong.client.known_log import KnownLog
from hutong.client.reasons import ClientReason
from hutong.client.requests import SignedRequest
from hutong.envelope.v1 import envelope_pb2
from hutong.evidence import EvidenceReason, EvidenceRefused, Expected, Opening, ProvenReceipt
from hutong.evidence import Malformed as EvidenceMalformed
from hutong.evidence import Receipt as ReceiptForm
from hutong.evidence import verify_receipt as verify_evidence
from hutong.exchange.v1 import exchange_pb2
from signing.envelope import parse_envelope
from signing.errors import Malformed, SignatureInvalid, SignerUnknown, WrongPayloadType
from signing.verifier import verify_envelope
from signing.wire import parse_signed

M = TypeVar("M", bound=Message)

MAX_MESSAGE: Final = 98_304
"""Bytes of one response around one envelope: a payload of 65,536 and its wrapping, with room."""
ANSWER_TYPE: Final = "application/vnd.hutong.exchange.v1.Answer+protobuf"
REFUSAL_TYPE: Final = "application/vnd.hutong.exchange.v1.Refusal+protobuf"
ASK_KINDS: Final = frozenset({"answer"})
VIEW_KINDS: Final = frozenset({"view"})
REFUSE_KINDS: Final = frozenset({"refuse"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """What every proof needs: whom to believe, what was seen, and the time."""

    identity: Identity
    log: KnownLog
    now_ms: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Generic[M]):
    """Which body is due for which item, and the kinds of entry that log it."""

    body_class: type[M]
    kinds: frozenset[str]
    item: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven(Generic[M]):
    """A body that passed all four steps, and its receipt."""

    body: M
    receipt: Receipt


def parse_response(message: bytes) -> envelope_pb2.SignedEnvelope:
    """Return the envelope of a unary response; each of them wraps it in field 1.

    Raises:
        Unproven: MESSAGE_TOO_LARGE, RESPONSE_MALFORMED.
    """
    if len(message) > MAX_MESSAGE:
        raise Unproven(ClientReason.MESSAGE_TOO_LARGE)
    response = _parse_wrapper(message, exchange_pb2.ExchangeResponse, MAX_MESSAGE)
    if not response.HasField("answer"):
        raise Unproven(ClientReason.RESPONSE_MALFORMED, "no envelope")
    return response.answer


def parse_wrapped(message: bytes, message_class: type[M], max_bytes: int) -> M:
    """Return a message of a stream or matter, before anything in it is believed.

    Raises:
        Unproven: MESSAGE_TOO_LARGE, RESPONSE_MALFORMED.
    """
    if len(message) > max_bytes:
        raise Unproven(ClientReason.MESSAGE_TOO_LARGE)
    return _parse_wrapper(message, message_class, max_bytes)


def verify_answer(
    proving: Proving,
    request: SignedRequest,
    envelope: envelope_pb2.SignedEnvelope,
    wanted: Wanted[M],
) -> Proven[M]:
    """Walk all four steps for an answer.

    Raises:
        Unproven: any reason of the plan.
    """
    payload = verify_signed(proving, envelope, ANSWER_TYPE)  # 1, 2
    answer = parse_payload(payload, exchange_pb2.Answer)
    # Bytes that nobody reads would be a way to carry something past everyone.
    if any(answer.padding):
        raise Unproven(ClientReason.PAYLOAD_MALFORMED, "padding is not zero")
    body_class = wanted.body_class
    if answer.body_type != body_class.DESCRIPTOR.full_name:
        raise Unproven(ClientReason.BODY_TYPE_WRONG)
    body = parse_payload(answer.body, body_class)
    require_header(proving.identity, request, _header_of(body), wanted.item)  # 3
    if not answer.HasField("receipt"):
        raise Unproven(ClientReason.RECEIPT_MISSING)
    # A look is logged before its body is made: then the signature alone vouches for the body.
    committed = None if wanted.kinds == VIEW_KINDS else answer.body
    receipt = verify_receipt(proving, request, answer.receipt, wanted, committed)  # 4
    return Proven(body=body, receipt=receipt)


def verify_signed(
    proving: Proving, envelope: envelope_pb2.SignedEnvelope, payload_type: str
) -> bytes:
    """Steps 1 and 2: return the payload that a current pinned key of the gateway signed.

    Raises:
        Unproven: ENVELOPE_MALFORMED, SIGNER_UNKNOWN, SIGNER_NOT_CURRENT, SIGNATURE_INVALID,
            PAYLOAD_TYPE_WRONG.
    """
    at = datetime.fromtimestamp(proving.now_ms() / 1000, UTC)
    try:
        parsed = parse_envelope(
            envelope.payload,
            envelope.payload_type,
            [(each.value, each.keyid) for each in envelope.signatures],
        )
        # Only keys pinned for this gateway are handed in: nothing in the envelope selects others.
        verified = verify_envelope(
            parsed, proving.identity.gateway_keys.values(), payload_types={payload_type}, at=at
        )
        require_current(proving.identity.gateway_keys[verified.signer.keyid], at)
    except Malformed as cause:
        raise Unproven(ClientReason.ENVELOPE_MALFORMED, cause.what) from cause
    except WrongPayloadType as cause:
        raise Unproven(ClientReason.PAYLOAD_TYPE_WRONG) from cause
    except SignerUnknown as cause:
        raise Unproven(ClientReason.SIGNER_UNKNOWN) from cause
    except SignatureInvalid as cause:
        raise Unproven(ClientReason.SIGNATURE_INVALID) from cause
    except CertificateRefused as cause:
        raise Unproven(ClientReason.SIGNER_NOT_CURRENT, cause.reason) from cause
    return verified.payload


def parse_payload(payload: bytes, message_class: type[M]) -> M:
    """Return a signed message after the scan for its one spelling.

    Raises:
        Unproven: PAYLOAD_MALFORMED.
    """
    try:
        return parse_signed(payload, message_class)
    except Malformed as cause:
        raise Unproven(ClientReason.PAYLOAD_MALFORMED, cause.what) from cause


def require_header(
    identity: Identity, request: SignedRequest, header: envelope_pb2.AnswerHeader, item: int
) -> None:
    """Step 3: the body is about this request and meant for this system.

    Raises:
        Unproven: REQUEST_ID_MISMATCH, REQUEST_DIGEST_MISMATCH, SENDER_MISMATCH,
            RECEIVER_MISMATCH, ITEM_MISMATCH.
    """
    digest = hashlib.sha256(request.payload).digest()
    wanted = (
        (header.request_id == request.request_id, ClientReason.REQUEST_ID_MISMATCH),
        (header.request_digest == digest, ClientReason.REQUEST_DIGEST_MISMATCH),
        (header.sender == identity.gateway_id, ClientReason.SENDER_MISMATCH),
        (header.receiver == identity.system_id, ClientReason.RECEIVER_MISMATCH),
        (header.item == item, ClientReason.ITEM_MISMATCH),
    )
    for holds, reason in wanted:
        if not holds:
            raise Unproven(reason, _HINTS.get(reason, ""))


# What a newcomer most often has wrong, where it shows as this reason.
_HINTS: Final = {
    ClientReason.RECEIVER_MISMATCH: "is system_id the system of the TLS certificate?",
    ClientReason.SENDER_MISMATCH: "is gateway.system_id the gateway at this address?",
}


def verify_receipt(
    proving: Proving,
    request: SignedRequest,
    receipt: accesslog_pb2.Receipt,
    wanted: Wanted[M],
    answer_body: bytes | None,
) -> Receipt:
    """Step 4: the access log holds this request, and this answer where one is committed to.

    Raises:
        Unproven: any reason of the access log.
    """
    form = form_of(receipt)
    # A view of the log is one entry per request; its kind has no item.
    item = None if wanted.kinds == VIEW_KINDS else wanted.item
    expected = Expected(
        request_id=request.request_id,
        item=item,
        kinds=wanted.kinds,
        known_size=request.known_size,
    )
    proven = prove_form(proving, form, request, answer_body, expected)
    # The question did not exist when that tree was signed, so its entry cannot stand in it.
    if proven.index < request.known_size:
        raise Unproven(ClientReason.ENTRY_STALE)
    return Receipt(
        proven=proven,
        form=form,
        request_payload=request.payload,
        commitment_salt=request.commitment_salt,
        answer_body=answer_body,
    )


def form_of(receipt: accesslog_pb2.Receipt) -> ReceiptForm:
    """Return a receipt as `hutong.evidence` takes it."""
    return ReceiptForm(
        entry=receipt.entry,
        index=receipt.index,
        inclusion_proof=tuple(receipt.inclusion_proof),
        checkpoint=receipt.checkpoint,
        openings=tuple(
            Opening(member=each.member, salt=each.salt, value=_opened(each))
            for each in receipt.openings
        ),
    )


def prove_form(
    proving: Proving,
    form: ReceiptForm,
    request: SignedRequest | None,
    answer_body: bytes | None,
    expected: Expected,
) -> ProvenReceipt:
    """Prove a receipt, and take its checkpoint among those seen.

    Raises:
        Unproven: any reason of the access log.
    """
    try:
        proven = verify_evidence(
            form,
            proving.identity.log_key,
            request_payload=None if request is None else request.payload,
            commitment_salt=None if request is None else request.commitment_salt,
            answer_body=answer_body,
            expected=expected,
        )
    except EvidenceMalformed as cause:
        raise Unproven(ClientReason.RECEIPT_MALFORMED, cause.what) from cause
    except EvidenceRefused as cause:
        raise Unproven(_EVIDENCE[cause.reason], cause.reason) from cause
    # Only now: a checkpoint from a receipt that does not hold must not become "the newest seen".
    proving.log.take(proven.checkpoint, form.checkpoint)
    return proven


_E, _C = EvidenceReason, ClientReason
_EVIDENCE: Final[dict[EvidenceReason, ClientReason]] = dict.fromkeys(
    EvidenceReason, ClientReason.RECEIPT_MALFORMED
) | {
    _E.KEY_UNKNOWN: _C.CHECKPOINT_UNSIGNED,
    _E.SIGNATURE_INVALID: _C.CHECKPOINT_UNSIGNED,
    _E.ORIGIN_MISMATCH: _C.CHECKPOINT_UNSIGNED,
    _E.CHECKPOINT_STALE: _C.CHECKPOINT_STALE,
    _E.INDEX_OUTSIDE_TREE: _C.ENTRY_NOT_INCLUDED,
    _E.INCLUSION_INVALID: _C.ENTRY_NOT_INCLUDED,
    _E.CONSISTENCY_INVALID: _C.CONSISTENCY_INVALID,
    _E.VIEW_FORKED: _C.CHECKPOINT_FORKED,
    _E.EXCHANGE_MISMATCH: _C.ENTRY_MISMATCH,
    _E.REQUEST_MISMATCH: _C.REQUEST_NOT_COMMITTED,
    _E.ANSWER_MISMATCH: _C.ANSWER_NOT_COMMITTED,
    # The requester's own salt is always at hand, so an absent salt is the answer's.
    _E.SALT_ABSENT: _C.ANSWER_NOT_COMMITTED,
    _E.COMMITMENT_ABSENT: _C.ENTRY_MISMATCH,
    _E.OPENING_MISMATCH: _C.OPENING_INVALID,
}


def evidence_refused(refused: EvidenceRefused) -> Unproven:
    """Return the client's error for a proof that does not hold."""
    return Unproven(_EVIDENCE[refused.reason], refused.reason)


def _opened(opening: accesslog_pb2.Opening) -> bytes | None:
    # The holder has the bytes of request and answer himself (accesslog.proto, `Opening.value`).
    if opening.member in {"request", "answer"} and not opening.value:
        return None
    return opening.value


def _header_of(body: Message) -> envelope_pb2.AnswerHeader:
    header = getattr(body, "header", None)
    if not isinstance(header, envelope_pb2.AnswerHeader):
        raise TypeError("a body without header")
    return header


def _parse_wrapper(message: bytes, message_class: type[M], max_bytes: int) -> M:
    try:
        return parse_signed(message, message_class, max_bytes=max_bytes)
    except Malformed as cause:
        raise Unproven(ClientReason.RESPONSE_MALFORMED, cause.what) from cause
