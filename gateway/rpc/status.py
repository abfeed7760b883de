"""The only table from reasons to gRPC codes, and the details a refused unary call ends with."""

from typing import Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status

from gateway.errors import TEXTS, Reason
from gateway.outcome import Refused
from hutong.envelope.v1.envelope_pb2 import SignedEnvelope

DOMAIN: Final = "hutong"
"""`google.rpc.ErrorInfo.domain`."""
DETAILS_KEY: Final = "grpc-status-details-bin"

_C = grpc.StatusCode

CODES: Final[dict[Reason, grpc.StatusCode]] = {
    Reason.MESSAGE_MISSING: _C.INVALID_ARGUMENT,
    Reason.MESSAGE_TOO_LARGE: _C.RESOURCE_EXHAUSTED,
    Reason.GATEWAY_BUSY: _C.UNAVAILABLE,
    Reason.CHANNEL_REFUSED: _C.UNAUTHENTICATED,
    Reason.RATE_LIMITED: _C.RESOURCE_EXHAUSTED,
    Reason.ENVELOPE_MALFORMED: _C.INVALID_ARGUMENT,
    Reason.PAYLOAD_TYPE_WRONG: _C.INVALID_ARGUMENT,
    Reason.SIGNER_UNKNOWN: _C.UNAUTHENTICATED,
    Reason.SIGNER_NOT_CURRENT: _C.UNAUTHENTICATED,
    Reason.SIGNER_REVOKED: _C.UNAUTHENTICATED,
    Reason.SIGNATURE_INVALID: _C.UNAUTHENTICATED,
    Reason.TRUST_UNAVAILABLE: _C.UNAVAILABLE,
    Reason.STATEMENT_MALFORMED: _C.INVALID_ARGUMENT,
    Reason.SENDER_MISMATCH: _C.PERMISSION_DENIED,
    Reason.RECEIVER_MISMATCH: _C.INVALID_ARGUMENT,
    Reason.METHOD_MISMATCH: _C.INVALID_ARGUMENT,
    Reason.NOT_YET_VALID: _C.FAILED_PRECONDITION,
    Reason.EXPIRED: _C.FAILED_PRECONDITION,
    Reason.LIFE_TOO_LONG: _C.INVALID_ARGUMENT,
    Reason.REPLAYED: _C.ALREADY_EXISTS,
    Reason.REQUEST_ID_REUSED: _C.ALREADY_EXISTS,
    Reason.SUBJECT_INVALID: _C.INVALID_ARGUMENT,
    Reason.QUERY_INVALID: _C.INVALID_ARGUMENT,
    Reason.ASSERTION_INVALID: _C.PERMISSION_DENIED,
    Reason.ASSERTION_MISMATCH: _C.PERMISSION_DENIED,
    Reason.AGREEMENT_NOT_APPLICABLE: _C.PERMISSION_DENIED,
    Reason.NOTHING_GRANTED: _C.PERMISSION_DENIED,
    Reason.SUBJECT_NAME_NEEDED: _C.INVALID_ARGUMENT,
    Reason.OFFICER_NEEDED: _C.INVALID_ARGUMENT,
    Reason.QUOTA_EXHAUSTED: _C.RESOURCE_EXHAUSTED,
    Reason.LOG_UNAVAILABLE: _C.UNAVAILABLE,
    Reason.CLOCK_BACKWARDS: _C.UNAVAILABLE,
    Reason.DEADLINE_EXCEEDED: _C.DEADLINE_EXCEEDED,
    Reason.INTERNAL: _C.INTERNAL,
    Reason.RECEIPT_UNAVAILABLE: _C.NOT_FOUND,
    Reason.RANGE_INVALID: _C.OUT_OF_RANGE,
}


def code_number(reason: Reason) -> int:
    """Return the canonical number of the code a reason maps to."""
    number: int = CODES[reason].value[0]
    return number


def status_message(reason: Reason) -> str:
    """Return the status text: for developers, in English, without anything of the request."""
    return f"{reason}: {TEXTS[reason].en}"


def status_details(refused: Refused) -> bytes:
    """Return `grpc-status-details-bin`: reason, texts in two languages, and the signed refusal."""
    text = TEXTS[refused.reason]
    info = ErrorInfo(reason=refused.reason, domain=DOMAIN, metadata={"side": text.side})
    status = Status(code=code_number(refused.reason), message=status_message(refused.reason))
    _pack(status, info)
    _pack(status, LocalizedMessage(locale="zh-CN", message=text.zh))
    _pack(status, LocalizedMessage(locale="en", message=text.en))
    if refused.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(refused.retry_after_s * 1000))
        _pack(status, retry)
    if refused.envelope is not None:
        _pack(status, SignedEnvelope.FromString(refused.envelope))
    details: bytes = status.SerializeToString()
    return details


def _pack(
    status: Status, detail: ErrorInfo | LocalizedMessage | RetryInfo | SignedEnvelope
) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)
