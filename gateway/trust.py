"""Steps 1 and 2 towards `certs` and `signing`, whose refusals become the gateway's reasons here.

INVARIANT: who calls is decided by the thumbprint of the TLS leaf; the envelope's key is looked up
among that system's keys only; nothing inside a message selects trust.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from certs.chain import require_current
from certs.errors import CertificateReason, CertificateRefused
from certs.identity import RegisteredSystem, VerifyingKey, require_tls_system
from certs.trust_store import TrustSnapshot
from gateway.errors import Fault, GatewayError, Reason, Refusal
from gateway.statement.wrapper import parse_wrapper
from signing.envelope import Envelope, VerifiedEnvelope
from signing.errors import Malformed, SignatureInvalid, SignerUnknown, WrongPayloadType
from signing.verifier import verify_envelope

_TRUST: Final = {
    CertificateReason.REVOCATION_UNKNOWN,
    CertificateReason.TRUST_STORE_EXPIRED,
}
_NOT_CURRENT: Final = {CertificateReason.EXPIRED, CertificateReason.NOT_YET_VALID}


# A call has one time and asks for it ten times; calls of one millisecond share it.
@lru_cache(maxsize=64)
def moment(now_ms: int) -> datetime:
    """Return UTC milliseconds as an aware datetime."""
    return datetime.fromtimestamp(now_ms / 1000, UTC)


def require_channel(
    snapshot: TrustSnapshot, thumbprint: bytes | None, now_ms: int
) -> RegisteredSystem:
    """Return the system registered for a channel whose certificate is current at that time.

    Raises:
        Refusal: `CHANNEL_REFUSED`, the one code for everything at this step.
        Fault: `TRUST_UNAVAILABLE`.
    """
    if thumbprint is None:
        raise Refusal(Reason.CHANNEL_REFUSED)
    try:
        return require_tls_system(snapshot.registry, thumbprint, moment(now_ms))
    except CertificateRefused as error:
        # Ours to mend: the caller's certificate may be as good as ever.
        if error.reason in _TRUST:
            raise Fault(Reason.TRUST_UNAVAILABLE, diagnostics=str(error)) from error
        raise Refusal(Reason.CHANNEL_REFUSED, diagnostics=str(error)) from error


def parse_call(body: bytes) -> Envelope:
    """Return the envelope of a message, unverified.

    Raises:
        Refusal: `ENVELOPE_MALFORMED`.
    """
    try:
        return parse_wrapper(body)
    except Malformed as error:
        raise Refusal(Reason.ENVELOPE_MALFORMED, diagnostics=error.what) from error


def require_envelope(
    envelope: Envelope, keys: Iterable[VerifyingKey], payload_type: str, now_ms: int
) -> VerifiedEnvelope:
    """Return the proof that one of a system's keys signed an envelope.

    Raises:
        Refusal: `PAYLOAD_TYPE_WRONG`, `SIGNER_UNKNOWN`, `SIGNATURE_INVALID`.
    """
    at = moment(now_ms)
    try:
        return verify_envelope(envelope, keys, payload_types=(payload_type,), at=at)
    except WrongPayloadType as error:
        raise Refusal(Reason.PAYLOAD_TYPE_WRONG) from error
    except SignerUnknown as error:
        raise Refusal(Reason.SIGNER_UNKNOWN) from error
    except SignatureInvalid as error:
        raise Refusal(Reason.SIGNATURE_INVALID) from error


def require_signer(system: RegisteredSystem, keyid: str, now_ms: int) -> None:
    """Require that the key an envelope was signed with is current at that time.

    Raises:
        Refusal: `SIGNER_UNKNOWN`, `SIGNER_NOT_CURRENT`, `SIGNER_REVOKED`.
        Fault: `TRUST_UNAVAILABLE`.
    """
    # Among this system's keys only: another's key id is unknown here, however well registered.
    key = system.envelope_key(keyid)
    if key is None:
        raise Refusal(Reason.SIGNER_UNKNOWN)
    try:
        require_current(key, moment(now_ms))
    except CertificateRefused as error:
        raise signer_error(error) from error


def signer_error(error: CertificateRefused) -> GatewayError:
    """Return what a certificate's refusal means for its signer."""
    if error.reason in _TRUST:
        return Fault(Reason.TRUST_UNAVAILABLE, diagnostics=str(error))
    if error.reason in _NOT_CURRENT:
        return Refusal(Reason.SIGNER_NOT_CURRENT, diagnostics=str(error))
    if error.reason is CertificateReason.REVOKED:
        return Refusal(Reason.SIGNER_REVOKED, diagnostics=str(error))
    return Refusal(Reason.SIGNER_UNKNOWN, diagnostics=str(error))
