"""Every error that leaves this package, as one tree.

    ClientError
    ├── IdentityRefused    the identity directory cannot be used
    ├── QuestionRefused    the question cannot be sent: nothing left this machine
    ├── Refused            the gateway refused; proven where a receipt is due
    ├── Fault              no answer came back; `.reason`
    └── Unproven           something came back that is not proven; `.reason`; nothing of it is given

INVARIANT: texts name rules, reasons and file names, never a value out of a message.
"""

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hutong.client.answers import Receipt


@unique
class ClientReason(StrEnum):
    """Why there is no proven answer; the list is closed and stable (docs/clients/reasons.md)."""

    # No answer at all.
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    CALL_FAILED = "CALL_FAILED"
    # Who signed.
    RESPONSE_MALFORMED = "RESPONSE_MALFORMED"
    ENVELOPE_MALFORMED = "ENVELOPE_MALFORMED"
    SIGNER_UNKNOWN = "SIGNER_UNKNOWN"
    SIGNER_NOT_CURRENT = "SIGNER_NOT_CURRENT"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    PAYLOAD_TYPE_WRONG = "PAYLOAD_TYPE_WRONG"
    PAYLOAD_MALFORMED = "PAYLOAD_MALFORMED"
    BODY_TYPE_WRONG = "BODY_TYPE_WRONG"
    # What it answers.
    REQUEST_ID_MISMATCH = "REQUEST_ID_MISMATCH"
    REQUEST_DIGEST_MISMATCH = "REQUEST_DIGEST_MISMATCH"
    SENDER_MISMATCH = "SENDER_MISMATCH"
    RECEIVER_MISMATCH = "RECEIVER_MISMATCH"
    ITEM_MISMATCH = "ITEM_MISMATCH"
    QUERY_MISMATCH = "QUERY_MISMATCH"
    FIELDS_MISMATCH = "FIELDS_MISMATCH"
    STATE_INCONSISTENT = "STATE_INCONSISTENT"
    # The access log.
    RECEIPT_MISSING = "RECEIPT_MISSING"
    RECEIPT_MALFORMED = "RECEIPT_MALFORMED"
    CHECKPOINT_UNSIGNED = "CHECKPOINT_UNSIGNED"
    CHECKPOINT_STALE = "CHECKPOINT_STALE"
    CHECKPOINT_FORKED = "CHECKPOINT_FORKED"
    ENTRY_NOT_INCLUDED = "ENTRY_NOT_INCLUDED"
    ENTRY_MISMATCH = "ENTRY_MISMATCH"
    ENTRY_STALE = "ENTRY_STALE"
    REQUEST_NOT_COMMITTED = "REQUEST_NOT_COMMITTED"
    ANSWER_NOT_COMMITTED = "ANSWER_NOT_COMMITTED"
    OPENING_INVALID = "OPENING_INVALID"
    CONSISTENCY_INVALID = "CONSISTENCY_INVALID"
    # The record of the source department.
    RECORD_MISSING = "RECORD_MISSING"
    RECORD_UNEXPECTED = "RECORD_UNEXPECTED"
    RECORD_MALFORMED = "RECORD_MALFORMED"
    RECORD_SIGNER_UNKNOWN = "RECORD_SIGNER_UNKNOWN"
    RECORD_SIGNER_NOT_CURRENT = "RECORD_SIGNER_NOT_CURRENT"
    RECORD_SIGNATURE_INVALID = "RECORD_SIGNATURE_INVALID"
    RECORD_ISSUER_WRONG = "RECORD_ISSUER_WRONG"
    RECORD_AUDIENCE_WRONG = "RECORD_AUDIENCE_WRONG"
    RECORD_NONCE_WRONG = "RECORD_NONCE_WRONG"
    RECORD_DATASET_WRONG = "RECORD_DATASET_WRONG"
    RECORD_SUBJECT_WRONG = "RECORD_SUBJECT_WRONG"
    RECORD_NOT_CURRENT = "RECORD_NOT_CURRENT"
    DISCLOSURE_UNASKED = "DISCLOSURE_UNASKED"
    DISCLOSURE_MISSING = "DISCLOSURE_MISSING"
    DISCLOSURE_DIFFERS = "DISCLOSURE_DIFFERS"
    # Many questions at once.
    ITEMS_MISSING = "ITEMS_MISSING"
    ANSWER_UNASKED = "ANSWER_UNASKED"
    ANSWER_MISSING = "ANSWER_MISSING"
    # Refusals.
    REFUSAL_UNSIGNED = "REFUSAL_UNSIGNED"
    REFUSAL_DIFFERS = "REFUSAL_DIFFERS"


class ClientError(Exception):
    """Base of every error of this package."""


class IdentityRefused(ClientError):
    """The identity directory is absent, readable by others, incomplete or inconsistent."""


class QuestionRefused(ClientError):
    """The question is not well formed; nothing was sent."""


class Unproven(ClientError):
    """What came back does not prove that it is the gateway's answer to this question."""

    def __init__(self, reason: ClientReason, detail: str = "") -> None:
        """Keep the closed reason and a text for operators."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


# No subclass of TimeoutError or ConnectionError: whoever catches those for other reasons must not
# take a lost answer for one that can be asked for again without thought.
class Fault(ClientError):
    """No answer came back; the question may or may not have been executed."""

    def __init__(self, reason: ClientReason, code: str = "") -> None:
        """Keep the closed reason and the name of the gRPC code, where there is one."""
        super().__init__(f"{reason}: {code}" if code else str(reason))
        self.reason = reason
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalTold:
    """What a refusal says; `receipt` is absent only for the reasons that allow it."""

    reason: str
    """Machine reason of the gateway's closed list (docs/reasons.md), e.g. `NOTHING_GRANTED`."""
    side: str
    text_zh: str
    text_en: str
    retry_after_s: float | None
    signed: bool
    request_id: bytes
    item: int = 0
    receipt: "Receipt | None" = field(default=None, repr=False)


class Refused(ClientError):
    """The gateway refused the question; `told` says why, for people in two languages."""

    def __init__(self, told: RefusalTold) -> None:
        """Keep what the refusal says."""
        super().__init__(f"{told.reason} ({told.side}): {told.text_en}")
        self.told = told

    @property
    def reason(self) -> str:
        """Machine reason of the gateway's closed list."""
        return self.told.reason

    @property
    def side(self) -> str:
        """Whose side it lies on: requester, gateway, provider or trust."""
        return self.told.side

    @property
    def text_zh(self) -> str:
        """What was refused and the remedy, in Chinese."""
        return self.told.text_zh

    @property
    def text_en(self) -> str:
        """What was refused and the remedy, in English."""
        return self.told.text_en

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which another attempt makes sense; None means never with these bytes."""
        return self.told.retry_after_s

    @property
    def receipt(self) -> "Receipt | None":
        """The proof that the refusal was logged."""
        return self.told.receipt
