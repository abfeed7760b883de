"""Refusals: how a call that ended without answer is told, and when that is believed.

A refusal is signed by the gateway and logged. Two closed lists soften that, because some refusals
come before there is anything to log or to refer to; outside of them an unsigned or unlogged refusal
is unproven, so that nobody on the way can invent one.
"""

from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status

from hutong.client.answers import Receipt
from hutong.client.content import seconds_of
from hutong.client.errors import ClientError, Fault, RefusalTold, Refused, Unproven
from hutong.client.proof import (
    REFUSAL_TYPE,
    REFUSE_KINDS,
    Proving,
    Wanted,
    form_of,
    parse_payload,
    prove_form,
    require_header,
    verify_receipt,
    verify_signed,
)
from hutong.client.reasons import ClientReason
from hutong.client.requests import SignedRequest
from hutong.envelope.v1.envelope_pb2 import SignedEnvelope
from hutong.evidence import Expected
from hutong.exchange.v1 import exchange_pb2

DOMAIN: Final = "hutong"
"""`google.rpc.ErrorInfo.domain`."""
DETAILS_KEY: Final = "grpc-status-details-bin"
MAX_DETAILS: Final = 32_768
"""Bytes; a refusal with its receipt takes at most 6 KiB, a gateway at its limits less than this."""
MAX_STATUS_DETAILS: Final = 16

WITHOUT_RECEIPT: Final = frozenset(
    {
        "MESSAGE_MISSING",
        "MESSAGE_TOO_LARGE",
        "GATEWAY_BUSY",
        "CHANNEL_REFUSED",
        "RATE_LIMITED",
        "TRUST_UNAVAILABLE",
        "LOG_UNAVAILABLE",
        "CLOCK_BACKWARDS",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
    }
)
"""Reasons believed without a receipt (docs/reasons.md): nothing was, or could be, logged."""
BEFORE_HEADER: Final = WITHOUT_RECEIPT | {
    "ENVELOPE_MALFORMED",
    "PAYLOAD_TYPE_WRONG",
    "SIGNER_UNKNOWN",
    "SIGNER_NOT_CURRENT",
    "SIGNER_REVOKED",
    "SIGNATURE_INVALID",
    "STATEMENT_MALFORMED",
}
"""Reasons that may come before the request id was read, so that the refusal names none."""


def refusal_of_call(proving: Proving, request: SignedRequest, error: grpc.RpcError) -> ClientError:
    """Return what ended a unary call: a proven refusal, a fault, or why neither is proven."""
    status = parse_status(error)
    if status is None:
        return fault_of(error)
    try:
        told = _told_in_clear(status, request.request_id)
    except DecodeError:
        # Details that bear our types' names and are none: not a gateway's words, so no refusal.
        return fault_of(error)
    if told is None:
        return fault_of(error)
    # Returned, not raised: the caller decides by it whether to send again.
    try:
        envelope = _signed_refusal(status)
        return require_refusal(proving, request, envelope, told)
    except Unproven as unproven:
        return unproven


def refusal_of_notice(
    proving: Proving, request: SignedRequest, notice: exchange_pb2.RefusalNotice, item: int
) -> Refused:
    """Return the proven refusal of one item of a stream or matter.

    Raises:
        Unproven: as `require_refusal`.
    """
    told = RefusalTold(
        reason=notice.reason,
        side="",
        text_zh="",
        text_en="",
        retry_after_s=None,
        signed=False,
        request_id=request.request_id,
        item=item,
    )
    envelope = notice.signed_refusal if notice.HasField("signed_refusal") else None
    return require_refusal(proving, request, envelope, told)


def require_refusal(
    proving: Proving, request: SignedRequest, envelope: SignedEnvelope | None, told: RefusalTold
) -> Refused:
    """Return a refusal that is proven as far as its reason demands.

    Raises:
        Unproven: REFUSAL_UNSIGNED, RECEIPT_MISSING, REFUSAL_DIFFERS, or a reason of the envelope,
            the header or the receipt.
    """
    if envelope is None:
        if told.reason not in WITHOUT_RECEIPT:
            raise Unproven(ClientReason.REFUSAL_UNSIGNED)
        return Refused(told)
    payload = verify_signed(proving, envelope, REFUSAL_TYPE)
    refusal = parse_payload(payload, exchange_pb2.Refusal)
    body = parse_payload(refusal.body, exchange_pb2.RefusalBody)
    # The unsigned part is what people see first: it may not say something else than the signed one.
    if body.reason != told.reason:
        raise Unproven(ClientReason.REFUSAL_DIFFERS)
    unbound = not body.header.request_id and body.reason in BEFORE_HEADER
    if unbound:
        _require_parties(proving, body)
    else:
        require_header(proving.identity, request, body.header, told.item)
    receipt = _receipt(proving, request, refusal, body, told.item)
    return Refused(
        RefusalTold(
            reason=body.reason,
            side=body.side,
            text_zh=body.message_zh,
            text_en=body.message_en,
            retry_after_s=_wait(body),
            signed=True,
            request_id=request.request_id,
            item=told.item,
            receipt=receipt,
        )
    )


def fault_of_unsigned(error: grpc.RpcError) -> Fault:
    """Return the fault of a call without a request, to which no refusal could be bound.

    A reason of the closed list is repeated, so that a limit does not read as a broken channel.
    """
    status = parse_status(error)
    try:
        told = None if status is None else _told_in_clear(status, b"")
    except DecodeError:
        told = None
    if told is None or told.reason not in WITHOUT_RECEIPT:
        return fault_of(error)
    return Fault(ClientReason.CALL_LIMITED, told.reason)


def fault_of(error: grpc.RpcError) -> Fault:
    """Return the fault behind a gRPC status that carries no refusal of the gateway."""
    known = isinstance(error, grpc.aio.AioRpcError)
    code = error.code() if known else grpc.StatusCode.UNKNOWN
    reason = _FAULTS.get(code, ClientReason.CALL_FAILED)
    if reason is ClientReason.UNAVAILABLE and _is_untrusted(error):
        reason = ClientReason.GATEWAY_CERTIFICATE_UNTRUSTED
    # The status text is the other side's and may hold anything: it is not repeated.
    return Fault(reason, code.name)


def _is_untrusted(error: grpc.RpcError) -> bool:
    """Return whether the handshake ended because of the gateway's certificate."""
    # A gateway that is away and one nobody vouches for are one status to grpc; only its text tells
    # them apart. An unknown text stays UNAVAILABLE: the channel is as closed, merely tried again.
    # Whoever is past the handshake is the gateway; writing the same, it only accuses itself.
    text = str(error.details()) if isinstance(error, grpc.aio.AioRpcError) else ""
    return any(sign in text for sign in _UNTRUSTED)


_UNTRUSTED: Final = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification Check failed")
"""What grpc 1.85 says of a chain (issuer, dates) and of a name; a test tries each."""
_FAULTS: Final = {
    grpc.StatusCode.UNAVAILABLE: ClientReason.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: ClientReason.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ClientReason.MESSAGE_TOO_LARGE,
}


def parse_status(error: grpc.RpcError) -> Status | None:
    """Return the `google.rpc.Status` a call ended with, if there is one of sensible size."""
    if not isinstance(error, grpc.aio.AioRpcError):
        return None
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes) and len(value) <= MAX_DETAILS:
            try:
                status = Status.FromString(value)
            except DecodeError:
                return None
            return status if len(status.details) <= MAX_STATUS_DETAILS else None
    return None


def _told_in_clear(status: Status, request_id: bytes) -> RefusalTold | None:
    """Return what the unsigned part of a status says; None when it is not of a gateway.

    Raises:
        DecodeError: a detail is not of the type it names.
    """
    info, texts, wait_s = ErrorInfo(), {}, None
    for detail in status.details:
        if detail.Is(ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(LocalizedMessage.DESCRIPTOR):
            message = LocalizedMessage()
            detail.Unpack(message)
            texts[message.locale] = message.message
        elif detail.Is(RetryInfo.DESCRIPTOR):
            retry = RetryInfo()
            detail.Unpack(retry)
            wait_s = seconds_of(retry.retry_delay)
    if info.domain != DOMAIN or not info.reason:
        return None
    return RefusalTold(
        reason=info.reason,
        side=info.metadata.get("side", ""),
        text_zh=texts.get("zh-CN", ""),
        text_en=texts.get("en", ""),
        retry_after_s=wait_s,
        signed=False,
        request_id=request_id,
    )


def _signed_refusal(status: Status) -> SignedEnvelope | None:
    for detail in status.details:
        if detail.Is(SignedEnvelope.DESCRIPTOR):
            envelope = SignedEnvelope()
            try:
                detail.Unpack(envelope)
            except DecodeError as cause:
                raise Unproven(ClientReason.ENVELOPE_MALFORMED) from cause
            return envelope
    return None


def _require_parties(proving: Proving, body: exchange_pb2.RefusalBody) -> None:
    if body.header.sender != proving.identity.gateway_id:
        raise Unproven(ClientReason.SENDER_MISMATCH)
    if body.header.receiver != proving.identity.system_id:
        raise Unproven(ClientReason.RECEIVER_MISMATCH)


def _receipt(
    proving: Proving,
    request: SignedRequest,
    refusal: exchange_pb2.Refusal,
    body: exchange_pb2.RefusalBody,
    item: int,
) -> Receipt | None:
    """Prove that this refusal was logged, where it must be."""
    if not refusal.HasField("receipt"):
        if body.reason not in WITHOUT_RECEIPT:
            raise Unproven(ClientReason.RECEIPT_MISSING)
        return None
    if body.header.request_id:
        wanted = Wanted(body_class=exchange_pb2.RefusalBody, kinds=REFUSE_KINDS, item=item)
        receipt = verify_receipt(proving, request, refusal.receipt, wanted, None)
    else:
        receipt = _unbound_receipt(proving, request, refusal)
    members = receipt.proven.entry.members
    # Entries of early refusals may lack the system; one that names another system is not about us.
    ours = members.get("system", proving.identity.system_id) == proving.identity.system_id
    if members.get("reason") != body.reason or not ours:
        raise Unproven(ClientReason.ENTRY_MISMATCH)
    return receipt


def _unbound_receipt(
    proving: Proving, request: SignedRequest, refusal: exchange_pb2.Refusal
) -> Receipt:
    """Prove a refusal whose entry commits to no request, because none could be read."""
    form = form_of(refusal.receipt)
    expected = Expected(kinds=REFUSE_KINDS, known_size=request.known_size)
    proven = prove_form(proving, form, None, None, expected)
    if proven.index < request.known_size:
        raise Unproven(ClientReason.ENTRY_STALE)
    if proven.exchange.request_id not in {None, request.request_id}:
        raise Unproven(ClientReason.ENTRY_MISMATCH)
    return Receipt(
        proven=proven,
        form=form,
        request_payload=request.payload,
        commitment_salt=request.commitment_salt,
        answer_body=None,
    )


def _wait(body: exchange_pb2.RefusalBody) -> float | None:
    return seconds_of(body.retry_after) if body.HasField("retry_after") else None
