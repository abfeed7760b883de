"""The only place where an envelope becomes proof.

    1. payload type: one of those the method takes          else WrongPayloadType
    2. key: by key id, among the envelope keys handed in    else SignerUnknown
    3. signature: over the carried bytes, with that key     else SignatureInvalid

Which keys to hand in — those registered for the system of the channel, whose chains stand at the
given time and are not revoked — is decided by the caller from `certs`.
INVARIANT: nothing inside the envelope selects a key outside of those, or an algorithm.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from certs.algorithms import verify_signature
from certs.errors import AlgorithmUnavailable
from certs.errors import SignatureInvalid as KeySignatureInvalid
from certs.registry_file import KeyPurpose
from signing.encoding import pae
from signing.envelope import _VERIFIER_MARK, Envelope, VerifiedEnvelope
from signing.errors import SignatureInvalid, SignerUnknown, WrongPayloadType

if TYPE_CHECKING:
    from certs.identity import VerifyingKey


def verify_envelope(
    envelope: Envelope,
    keys: "Iterable[VerifyingKey]",
    *,
    payload_types: Collection[str],
    at: datetime,
) -> VerifiedEnvelope:
    """Prove who signed an envelope, among the keys registered for the calling system.

    Raises:
        WrongPayloadType: the method does not take this kind of message.
        SignerUnknown: none of the envelope keys has this key id.
        SignatureInvalid: the signature is not of that key over these bytes.
    """
    # Before any arithmetic: a signature made for one kind of message counts for no other.
    if envelope.payload_type not in payload_types:
        raise WrongPayloadType("the method takes no such payload type")
    key = next((key for key in keys if key.keyid == envelope.keyid), None)
    # One key, one usage: a TLS or record key signs no envelope, even if its id is named.
    if key is None or key.usage is not KeyPurpose.ENVELOPE:
        raise SignerUnknown("no registered envelope key of the caller has this key id")
    message = pae(envelope.payload_type, envelope.payload)
    try:
        verify_signature(key.public_key, envelope.signature, message)
    except (KeySignatureInvalid, AlgorithmUnavailable) as cause:
        raise SignatureInvalid("the signature is not of the registered key") from cause
    return VerifiedEnvelope(
        payload=envelope.payload,
        payload_type=envelope.payload_type,
        signer=key,
        at=at,
        mark=_VERIFIER_MARK,
    )
