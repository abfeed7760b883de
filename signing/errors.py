"""Every error that leaves this package, as one tree.

    SigningError
    ├── Malformed           the bytes are not the one accepted spelling; `.what` names the rule
    ├── SignatureInvalid    no registered key of the caller made this signature over these bytes
    ├── SignerUnknown       the key id is not among the keys registered for the caller
    ├── WrongPayloadType    the envelope carries another kind of message than the method takes
    ├── KeyFileRefused      a key file is readable by others, unreadable, or no key of a suite
    ├── RecordRefused       a record is not accepted; `.reason`
    └── AssertionRefused    an officer assertion is not accepted; `.reason`

INVARIANT: texts name rules, members and key ids, never a value out of a message.
"""

from enum import StrEnum


class RecordReason(StrEnum):
    """Why a record is not accepted; the list is closed and stable (docs/records.md)."""

    TOO_LARGE = "TOO_LARGE"
    MALFORMED = "MALFORMED"
    TRAILING_TILDE_MISSING = "TRAILING_TILDE_MISSING"
    KEY_BINDING_PRESENT = "KEY_BINDING_PRESENT"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    WRONG_TYPE = "WRONG_TYPE"
    CRITICAL_HEADER = "CRITICAL_HEADER"
    WRONG_HEADER = "WRONG_HEADER"
    ALGORITHM_UNAVAILABLE = "ALGORITHM_UNAVAILABLE"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    WRONG_DIGEST_ALGORITHM = "WRONG_DIGEST_ALGORITHM"
    CLAIM_MISSING = "CLAIM_MISSING"
    CLAIM_MALFORMED = "CLAIM_MALFORMED"
    CLAIM_UNKNOWN = "CLAIM_UNKNOWN"
    DIGEST_REPEATED = "DIGEST_REPEATED"
    DISCLOSURE_REPEATED = "DISCLOSURE_REPEATED"
    DISCLOSURE_MALFORMED = "DISCLOSURE_MALFORMED"
    DISCLOSURE_UNREFERENCED = "DISCLOSURE_UNREFERENCED"
    NAME_RESERVED = "NAME_RESERVED"
    NAME_PRESENT = "NAME_PRESENT"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    LIFE_TOO_LONG = "LIFE_TOO_LONG"
    WRONG_ISSUER = "WRONG_ISSUER"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    WRONG_NONCE = "WRONG_NONCE"
    WRONG_DATASET = "WRONG_DATASET"
    WRONG_SUBJECT = "WRONG_SUBJECT"
    WRONG_CUSTODY = "WRONG_CUSTODY"


class AssertionReason(StrEnum):
    """Why an assertion is not accepted; the list is closed and stable."""

    TOO_LARGE = "TOO_LARGE"
    MALFORMED = "MALFORMED"
    WRONG_HEADER = "WRONG_HEADER"
    WRONG_TYPE = "WRONG_TYPE"
    CRITICAL_HEADER = "CRITICAL_HEADER"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    CLAIM_MISSING = "CLAIM_MISSING"
    CLAIM_MALFORMED = "CLAIM_MALFORMED"
    CLAIM_UNKNOWN = "CLAIM_UNKNOWN"
    WRONG_ISSUER = "WRONG_ISSUER"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    WRONG_IDENTIFIER = "WRONG_IDENTIFIER"
    NOT_BOUND_TO_CHANNEL = "NOT_BOUND_TO_CHANNEL"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    LIFE_TOO_LONG = "LIFE_TOO_LONG"
    DETAIL_REPEATED = "DETAIL_REPEATED"


class SigningError(Exception):
    """Base of every error of this package."""


class Malformed(SigningError):
    """The bytes are not the one accepted spelling of what they claim to be."""

    def __init__(self, what: str) -> None:
        """Keep which rule is broken."""
        super().__init__(what)
        self.what = what


class SignatureInvalid(SigningError):
    """The signature does not prove that the registered key signed these bytes."""


class SignerUnknown(SigningError):
    """The key id is not among the keys registered for the calling system."""


class WrongPayloadType(SigningError):
    """The payload type is not one of those the method takes."""


class KeyFileRefused(SigningError):
    """A private key file cannot be used."""


class RecordRefused(SigningError):
    """A record (SD-JWT) is not accepted."""

    def __init__(self, reason: RecordReason, detail: str = "") -> None:
        """Keep the closed reason and a text for operators."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class AssertionRefused(SigningError):
    """An officer or client assertion (JWT) is not accepted."""

    def __init__(self, reason: AssertionReason, detail: str = "") -> None:
        """Keep the closed reason and a text for operators."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
