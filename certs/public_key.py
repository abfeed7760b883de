"""A public key one can trust by value: parsed once, ready to verify.

Knows no certificate and no owner.
INVARIANT: a SubjectPublicKeyInfo has one accepted spelling for each key: named curve, uncompressed
point (RFC 5480 2.2), no parameters for Ed25519 (RFC 8410 3).
INVARIANT: the suite follows from the key; nothing else can name it.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from certs.ed25519_points import is_weak_point
from certs.errors import (
    AlgorithmUnavailable,
    CertificateReason,
    CertificateRefused,
    KeyUnreadable,
    SignatureInvalid,
)
from certs.signature_format import (
    P256_ORDER,
    RAW_LENGTH,
    SM2_ORDER,
    encode_der_signature,
)
from certs.sm2.health import require_sm2
from certs.sm2.keys import Sm2PublicKey, parse_sm2_public_key
from certs.suites import ALGORITHMS, AlgorithmName, Suite, suite_of_algorithm

# Everything before the point (RFC 5480 2.1.1.1, RFC 8410 4; GB/T 35276-2017 7.1 for SM2).
_P256_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_SM2_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
_CURVE_LENGTH: Final = len(_P256_PREFIX) + 64
_ED25519_LENGTH: Final = len(_ED25519_PREFIX) + 32
# An RSA key of 8192 bits takes 1,062 bytes.
_MAX_SPKI: Final = 2048
# FIPS 186-5 5.4 e: the exponent is odd and above 2^16.
_MIN_EXPONENT: Final = 65537
_KEYID_LENGTH: Final = 32

_ES256: Final = ec.ECDSA(hashes.SHA256())

NativeKey: TypeAlias = (
    ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey | Sm2PublicKey
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key of an accepted kind and size.

    `thumbprint` is SHA-256 over the SubjectPublicKeyInfo; `keyid` is its first 16 bytes in lower
    case hexadecimal. `native` is absent only for SM2 on a machine without SM2.
    """

    spki: bytes
    algorithm: AlgorithmName
    thumbprint: bytes = field(compare=False)
    keyid: str = field(compare=False)
    native: NativeKey | None = field(compare=False, repr=False)

    @property
    def suite(self) -> Suite:
        """Return the envelope suite of this key.

        Raises:
            CertificateRefused: WEAK_ALGORITHM for a key that signs no envelope.
        """
        return suite_of_algorithm(self.algorithm)


def parse_public_key(spki: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo of an accepted kind, size and spelling.

    Raises:
        CertificateRefused: WEAK_ALGORITHM for another kind or size, MALFORMED for another spelling
            or a point that is not on its curve.
    """
    algorithm = _algorithm_of(spki)
    is_sm2 = algorithm is AlgorithmName.SM2
    native = _load_sm2(spki) if is_sm2 else _load_native(spki, algorithm)
    thumbprint = hashlib.sha256(spki).digest()
    return PublicKey(
        spki=spki,
        algorithm=algorithm,
        thumbprint=thumbprint,
        keyid=thumbprint.hex()[:_KEYID_LENGTH],
        native=native,
    )


def suite_of(public_key_spki: bytes) -> Suite:
    """Return the suite a SubjectPublicKeyInfo stands for.

    Raises:
        CertificateRefused: as `parse_public_key`, and WEAK_ALGORITHM for a key that signs no
            envelope.
    """
    return parse_public_key(public_key_spki).suite


def verify_signature(public_key: PublicKey, signature: bytes, message: bytes) -> None:
    """Verify the 64 raw bytes of an envelope signature with the suite of the key.

    Raises:
        SignatureInvalid: wrong length, numbers out of range, or not of this key and message.
        AlgorithmUnavailable: an SM2 key on a machine without SM2.
    """
    if len(signature) != RAW_LENGTH:
        raise SignatureInvalid("an envelope signature has 64 bytes")
    # The native handle was made when the key was read: nothing is parsed on the hot path.
    native = public_key.native
    try:
        match native:
            case ec.EllipticCurvePublicKey():
                native.verify(encode_der_signature(signature, P256_ORDER), message, _ES256)
            case ed25519.Ed25519PublicKey():
                native.verify(signature, message)
            case Sm2PublicKey():
                native.verify(encode_der_signature(signature, SM2_ORDER), message)
            case rsa.RSAPublicKey():
                raise SignatureInvalid("an RSA key signs no envelope")
            case None:
                raise AlgorithmUnavailable("this machine has no SM2")
            case _:
                assert_never(native)
    except InvalidSignature as cause:
        raise SignatureInvalid("the signature does not verify") from cause


def _algorithm_of(spki: bytes) -> AlgorithmName:
    # Bytes, not a parser: explicit curve parameters (CVE-2020-0601) and compressed points never
    # start like this.
    if spki.startswith(_P256_PREFIX) and len(spki) == _CURVE_LENGTH:
        return AlgorithmName.P256
    if spki.startswith(_SM2_PREFIX) and len(spki) == _CURVE_LENGTH:
        return AlgorithmName.SM2
    if spki.startswith(_ED25519_PREFIX) and len(spki) == _ED25519_LENGTH:
        if is_weak_point(spki[len(_ED25519_PREFIX) :]):
            raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "Ed25519 point")
        return AlgorithmName.ED25519
    # Whatever is left must turn out to be RSA when it is loaded, or it is refused there.
    return AlgorithmName.RSA_PSS


def _load_sm2(spki: bytes) -> Sm2PublicKey | None:
    try:
        return parse_sm2_public_key(require_sm2(), spki)
    # The registry stays readable where SM2 is missing; only a signature under such a key fails.
    except AlgorithmUnavailable:
        return None
    except KeyUnreadable as cause:
        raise CertificateRefused(CertificateReason.MALFORMED, "SM2 point") from cause


def _load_native(spki: bytes, algorithm: AlgorithmName) -> NativeKey:
    # Before parsing: huge moduli make a library slow (CVE-2023-6237).
    if len(spki) > _MAX_SPKI:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "public key too long")
    try:
        key = serialization.load_der_public_key(spki)
    except ValueError as cause:
        raise CertificateRefused(CertificateReason.MALFORMED, "public key") from cause
    except UnsupportedAlgorithm as cause:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "kind of key") from cause
    if isinstance(key, rsa.RSAPublicKey):
        _require_acceptable_rsa(key)
        return key
    # Without its prefix a curve key is on another curve or in another spelling: both refused.
    if algorithm is not AlgorithmName.RSA_PSS and isinstance(
        key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    ):
        return key
    raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "kind or spelling of key")


def _require_acceptable_rsa(key: rsa.RSAPublicKey) -> None:
    row = ALGORITHMS[AlgorithmName.RSA_PSS]
    exponent = key.public_numbers().e
    if not row.min_bits <= key.key_size <= row.max_bits or exponent < _MIN_EXPONENT:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "RSA size or exponent")
