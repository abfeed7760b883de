"""Every error that leaves this package, as one tree.

    CertsError
    ├── CertificateRefused      a certificate, or what it stands on, is not accepted; `.reason`
    ├── SignatureInvalid        the bytes are not a signature of this key over this message
    ├── KeyUnreadable           a private key cannot be opened: malformed, or wrong passphrase
    └── AlgorithmUnavailable    this machine cannot compute the algorithm (SM2 without libcrypto)

INVARIANT: texts name files, rules and key ids, never a person, a value or a secret.
"""

from enum import StrEnum


class CertificateReason(StrEnum):
    """Why a certificate is not accepted; the list is closed and stable."""

    MALFORMED = "MALFORMED"
    NO_CHAIN = "NO_CHAIN"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    REVOKED = "REVOKED"
    REVOCATION_UNKNOWN = "REVOCATION_UNKNOWN"
    WRONG_USAGE = "WRONG_USAGE"
    WEAK_ALGORITHM = "WEAK_ALGORITHM"
    NOT_REGISTERED = "NOT_REGISTERED"
    WRONG_ORGANISATION = "WRONG_ORGANISATION"
    KEY_REUSED = "KEY_REUSED"
    TRUST_STORE_EXPIRED = "TRUST_STORE_EXPIRED"


class CertsError(Exception):
    """Base of every error of this package."""


class CertificateRefused(CertsError):
    """A certificate, or what it stands on, is not accepted."""

    def __init__(self, reason: CertificateReason, detail: str = "") -> None:
        """Keep the closed reason and a text for operators."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        # Never sent to a peer: which rule refused a stranger would teach him about our store.
        self.detail = detail


class SignatureInvalid(CertsError):
    """The signature does not prove that this key signed these bytes."""


class KeyUnreadable(CertsError):
    """A private key cannot be opened."""


class AlgorithmUnavailable(CertsError):
    """This machine cannot compute the algorithm."""
