"""Cut signed bytes out of a DER object, and verify the signature over exactly these bytes.

Certificates, CRLs and certification requests share one shape (RFC 5280 4.1, RFC 2986 4.2):

    SEQUENCE { to-be-signed SEQUENCE, algorithm SEQUENCE, signature BIT STRING }

Knows nothing of what is signed.
INVARIANT: what is verified is a slice of what was read; nothing is encoded again to verify it.
"""

from dataclasses import dataclass
from typing import Final

from asn1crypto import algos
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from certs.errors import CertificateReason, CertificateRefused, SignatureInvalid
from certs.public_key import PublicKey, verify_signature
from certs.signature_format import P256_ORDER, SM2_ORDER, parse_der_signature
from certs.suites import AlgorithmName

# What asn1crypto raises for bytes it cannot read; its documentation names ValueError only.
PARSE_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)

_SEQUENCE: Final = 0x30
_BIT_STRING: Final = 0x03
_LONG_FORM: Final = 0x80
# 4 GiB, far above every limit: more digits could only be an attempt at overflow.
_MAX_LENGTH_BYTES: Final = 4
_MIN_HEADER: Final = 2

# AlgorithmIdentifiers as DER: RFC 5758 3.2, RFC 8410 3, GB/T 33560-2017 (also met with NULL).
_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_ED25519: Final = bytes.fromhex("300506032b6570")
_SM2_SM3: Final = bytes.fromhex("300a06082a811ccf55018375")
_SM2_SM3_NULL: Final = bytes.fromhex("300c06082a811ccf550183750500")
_RSA_PSS_OID: Final = bytes.fromhex("06092a864886f70d01010a")

SIGNATURE_IDENTIFIERS: Final = {
    AlgorithmName.P256: _ECDSA_SHA256,
    AlgorithmName.ED25519: _ED25519,
    AlgorithmName.SM2: _SM2_SM3,
}
_ACCEPTED: Final = {
    _ECDSA_SHA256: AlgorithmName.P256,
    _ED25519: AlgorithmName.ED25519,
    _SM2_SM3: AlgorithmName.SM2,
    _SM2_SM3_NULL: AlgorithmName.SM2,
}
# Certificates carry signatures on curves as DER, Ed25519 as it is.
_ORDERS: Final = {AlgorithmName.P256: P256_ORDER, AlgorithmName.SM2: SM2_ORDER}
_PSS_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedObject:
    """The three parts of a signed DER object, as they stood in the input."""

    to_be_signed: bytes
    algorithm: bytes
    signature: bytes


def split_signed(der: bytes) -> SignedObject:
    """Cut a signed object into its parts.

    Raises:
        CertificateRefused: MALFORMED.
    """
    start, end = _enter(der, 0, len(der), _SEQUENCE)
    # A tail would change the thumbprint of a certificate that is still the same.
    if end != len(der):
        raise _malformed("bytes follow the object")
    _, body_end = _enter(der, start, end, _SEQUENCE)
    _, algorithm_end = _enter(der, body_end, end, _SEQUENCE)
    value, value_end = _enter(der, algorithm_end, end, _BIT_STRING)
    # X.690 8.6.2: the first content byte counts unused bits; a signature has none.
    if value_end != end or value == end or der[value] != 0:
        raise _malformed("signature value")
    return SignedObject(
        to_be_signed=der[start:body_end],
        algorithm=der[body_end:algorithm_end],
        signature=der[value + 1 : end],
    )


def verify_signed(signed: SignedObject, public_key: PublicKey) -> None:
    """Verify the signature of a signed object with the key of its issuer.

    Raises:
        SignatureInvalid: the signature is not of this key.
        CertificateRefused: WEAK_ALGORITHM when the algorithm is not in the table.
        AlgorithmUnavailable: SM2 on a machine without it.
    """
    verify_identified(signed.algorithm, signed.signature, signed.to_be_signed, public_key)


def verify_identified(
    identifier: bytes, signature: bytes, message: bytes, public_key: PublicKey
) -> None:
    """Verify a signature under a DER AlgorithmIdentifier, in the spelling of certificates.

    Raises:
        SignatureInvalid, CertificateRefused, AlgorithmUnavailable: as `verify_signed`.
    """
    if isinstance(public_key.native, rsa.RSAPublicKey):
        _verify_pss(public_key.native, identifier, signature, message)
        return
    algorithm = _ACCEPTED.get(identifier)
    if algorithm is None:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "signature algorithm")
    # Stops algorithm confusion: the key says what verifies it, the message may only agree.
    if algorithm is not public_key.algorithm:
        raise SignatureInvalid("the algorithm is not one of this key")
    order = _ORDERS.get(algorithm)
    raw = signature if order is None else parse_der_signature(signature, order)
    verify_signature(public_key, raw, message)


def encode_sequence(*elements: bytes) -> bytes:
    """Write a SEQUENCE around elements that are DER already."""
    return _encode_element(_SEQUENCE, b"".join(elements))


def encode_signed(to_be_signed: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """Write the three parts of a signed object; `split_signed` reads them back."""
    return encode_sequence(
        to_be_signed, algorithm, _encode_element(_BIT_STRING, b"\x00" + signature)
    )


def _verify_pss(key: rsa.RSAPublicKey, identifier: bytes, signature: bytes, message: bytes) -> None:
    digest = _pss_hash(identifier)
    # A fixed salt length: "whatever fits" would accept parameters nobody signed.
    scheme = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    try:
        key.verify(signature, message, scheme, digest)
    except InvalidSignature as cause:
        raise SignatureInvalid("the RSA-PSS signature does not verify") from cause


def _pss_hash(identifier: bytes) -> hashes.HashAlgorithm:
    # RFC 4055 3.1, narrowed: SHA-2, MGF1 with the same hash, salt as long as the hash.
    if _RSA_PSS_OID not in identifier:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "RSA without PSS")
    try:
        parameters = algos.SignedDigestAlgorithm.load(identifier, strict=True)["parameters"].native
        name = str(parameters["hash_algorithm"]["algorithm"])
        mask = parameters["mask_gen_algorithm"]
        shape = (mask["algorithm"], mask["parameters"]["algorithm"], parameters["trailer_field"])
        salt = parameters["salt_length"]
    except PARSE_ERRORS as cause:
        raise _malformed("RSA-PSS parameters") from cause
    digest = _PSS_HASHES.get(name)
    if digest is None or shape != ("mgf1", name, "trailer_field_bc") or salt != digest.digest_size:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "RSA-PSS parameters")
    return digest


def _enter(der: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` starts and ends."""
    if end - at < _MIN_HEADER or der[at] != tag:
        raise _malformed("element")
    length, start = der[at + 1], at + 2
    if length & _LONG_FORM:
        count = length & ~_LONG_FORM
        digits = der[start : min(start + count, end)]
        length = int.from_bytes(digits, "big")
        # X.690 10.1: the definite form with as few bytes as possible.
        short = length < _LONG_FORM or digits[0] == 0
        if not 0 < count <= _MAX_LENGTH_BYTES or len(digits) != count or short:
            raise _malformed("length")
        start += count
    if length > end - start:
        raise _malformed("length")
    return start, start + length


def _encode_element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(digits))) + digits + content


def _malformed(what: str) -> CertificateRefused:
    return CertificateRefused(CertificateReason.MALFORMED, what)
