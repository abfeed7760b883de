"""Envelopes as types: `Envelope` is a claim, `VerifiedEnvelope` is a proof.

Knows no key and computes nothing: `signing.verifier` turns the first into the second.
INVARIANT: a `VerifiedEnvelope` is made by `signing.verifier` only; whoever holds one may rely on
its payload being the exact bytes that its signer signed.
"""

import re
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, final

from signing.encoding import require_payload_type
from signing.errors import Malformed

if TYPE_CHECKING:
    from certs.identity import VerifyingKey

MAX_PAYLOAD: Final = 65_536
"""Bytes; envelope.proto, `SignedEnvelope.payload`."""
SIGNATURE_LENGTH: Final = 64
"""Bytes; envelope.proto, `Signature.value`: every suite has fixed-size signatures."""

_KEYID: Final = re.compile(r"[0-9a-f]{32}")
# The one object that opens the constructor of `VerifiedEnvelope`; only the verifier imports it.
_VERIFIER_MARK: Final = object()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A well-formed envelope that nobody has verified.

    Raises:
        Malformed: a part is absent, oversized, or not of its fixed form.
    """

    payload: bytes = field(repr=False)
    payload_type: str
    signature: bytes = field(repr=False)
    keyid: str

    def __post_init__(self) -> None:
        """Hold the parts to their fixed forms."""
        if not 0 < len(self.payload) <= MAX_PAYLOAD:
            raise Malformed("envelope: payload of 1 to 65,536 bytes")
        require_payload_type(self.payload_type)
        if len(self.signature) != SIGNATURE_LENGTH:
            raise Malformed("envelope: signature of 64 bytes")
        if _KEYID.fullmatch(self.keyid) is None:
            raise Malformed("envelope: key id of 32 lower-case hexadecimal characters")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEnvelope:
    """The exact bytes that `signer` signed, as proven at the time `at`.

    The signature itself is left behind: signatures are malleable, so nothing may be keyed on them.

    Raises:
        TypeError: someone else than `signing.verifier` makes one.
    """

    payload: bytes = field(repr=False)
    payload_type: str
    signer: "VerifyingKey"
    at: datetime
    mark: InitVar[object]

    def __post_init__(self, mark: object) -> None:
        """Refuse every maker but the verifier."""
        if mark is not _VERIFIER_MARK:
            raise TypeError("only signing.verifier makes a VerifiedEnvelope")


def parse_envelope(
    payload: bytes, payload_type: str, signatures: Sequence[tuple[bytes, str]]
) -> Envelope:
    """Turn the parts of a `SignedEnvelope` into an envelope; signatures are (value, keyid) pairs.

    Raises:
        Malformed: not exactly one signature, or a part is not of its fixed form.
    """
    # DSSE allows many; who signed would then depend on which of them a reader looks at.
    if len(signatures) != 1:
        raise Malformed("envelope: exactly one signature")
    signature, keyid = signatures[0]
    return Envelope(payload=payload, payload_type=payload_type, signature=signature, keyid=keyid)
