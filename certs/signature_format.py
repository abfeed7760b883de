"""Two spellings of an elliptic-curve signature: 64 raw bytes, and DER.

Envelopes carry r‖s, each 32 bytes big-endian; certificates, CRLs and seals carry
`SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 2.2.3; GB/T 35276 7.3 for SM2).
INVARIANT: for each pair (r, s) there is exactly one accepted spelling in each form, and both
numbers lie in [1, order - 1].
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from certs.errors import SignatureInvalid

RAW_LENGTH: Final = 64
_HALF: Final = 32
# SEQUENCE header 2, two INTEGERs of at most 2 + 33 bytes.
_MAX_DER_LENGTH: Final = 72

# FIPS 186-5 and SP 800-186 3.2.1.3: order of the base point of P-256.
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# GB/T 32918.5-2017 clause 5: order of the base point of the recommended curve.
SM2_ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def encode_der_signature(raw: bytes, order: int) -> bytes:
    """Write 64 raw bytes as DER.

    Raises:
        SignatureInvalid: the length is not 64, or r or s is outside [1, order - 1].
    """
    if len(raw) != RAW_LENGTH:
        raise SignatureInvalid("a raw signature has 64 bytes")
    r = int.from_bytes(raw[:_HALF], "big")
    s = int.from_bytes(raw[_HALF:], "big")
    _require_in_range(r, s, order)
    return encode_dss_signature(r, s)


def parse_der_signature(der: bytes, order: int) -> bytes:
    """Read a DER signature into 64 raw bytes.

    Raises:
        SignatureInvalid: the bytes are not the one DER spelling of a pair in [1, order - 1].
    """
    if len(der) > _MAX_DER_LENGTH:
        raise SignatureInvalid("the DER signature is too long")
    try:
        r, s = decode_dss_signature(der)
    except ValueError as cause:
        raise SignatureInvalid("the signature is not DER") from cause
    _require_in_range(r, s, order)
    # BER lets lengths and zeros be padded: many spellings of one signature (CVE-2020-13822).
    if encode_dss_signature(r, s) != der:
        raise SignatureInvalid("the DER signature is not canonical")
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def _require_in_range(r: int, s: int, order: int) -> None:
    # r = s = 0 once verified under every key (CVE-2022-21449). A high s is left alone: nothing here
    # is told apart by the bytes of its signature.
    if not (0 < r < order and 0 < s < order):
        raise SignatureInvalid("r or s is out of range")
