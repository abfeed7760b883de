"""A private key in memory: signs 64 raw bytes, is never printed.

Where key files lie and who may read them is a matter of the signer above.
INVARIANT: PKCS#8 only, encrypted exactly when a passphrase is given: a passphrase for a key in
clear is a mistake somebody should hear of.
"""

import os
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from asn1crypto import algos, core, keys
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from certs.errors import (
    CertificateReason,
    CertificateRefused,
    KeyUnreadable,
)
from certs.pem import encode_pem, is_pem, parse_pem
from certs.public_key import PublicKey, parse_public_key
from certs.signature_format import P256_ORDER, SM2_ORDER, parse_der_signature
from certs.sm2.health import require_sm2
from certs.sm2.keys import Sm2PrivateKey, generate_sm2_private_key, parse_sm2_private_key
from certs.suites import Suite

_PLAIN: Final = "PRIVATE KEY"
_ENCRYPTED: Final = "ENCRYPTED PRIVATE KEY"
_MAX_KEY_FILE: Final = 16 * 1024
# OWASP password storage guidance for PBKDF2-HMAC-SHA-256.
_ROUNDS: Final = 600_000
_SALT_LENGTH: Final = 16
_BLOCK_LENGTH: Final = 16
_BLOCK_BITS: Final = 128
_ES256: Final = ec.ECDSA(hashes.SHA256())

NativePrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | Sm2PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A private key of one of the three suites."""

    public_key: PublicKey
    suite: Suite
    _native: NativePrivateKey = field(compare=False, repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the 64 raw bytes of a signature over a message."""
        native = self._native
        match native:
            case ec.EllipticCurvePrivateKey():
                # Through the strict reader: a signature of ours that it refuses must not leave the
                # machine.
                return parse_der_signature(native.sign(message, _ES256), P256_ORDER)
            case ed25519.Ed25519PrivateKey():
                return native.sign(message)
            case Sm2PrivateKey():
                return parse_der_signature(native.sign(message), SM2_ORDER)
            case _:
                assert_never(native)

    def encode_pkcs8(self, passphrase: bytes | None) -> bytes:
        """Write PKCS#8 PEM, encrypted (PBES2, AES-256-CBC) when a passphrase is given."""
        plain = self._encode_plain()
        if passphrase is None:
            return encode_pem(plain, _PLAIN)
        return encode_pem(_encrypt(plain, passphrase), _ENCRYPTED)

    def _encode_plain(self) -> bytes:
        if isinstance(self._native, Sm2PrivateKey):
            return self._native.encode_pkcs8()
        return self._native.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def generate_private_key(suite: Suite) -> PrivateKey:
    """Make a new private key.

    Raises:
        AlgorithmUnavailable: SM2 on a machine without it.
    """
    match suite:
        case Suite.ES256:
            return _wrap(ec.generate_private_key(ec.SECP256R1()))
        case Suite.EDDSA:
            return _wrap(ed25519.Ed25519PrivateKey.generate())
        case Suite.SM2SM3:
            return _wrap(generate_sm2_private_key(require_sm2()))
        case _:
            assert_never(suite)


def load_private_key(encoded: bytes, passphrase: bytes | None) -> PrivateKey:
    """Read a PKCS#8 private key, DER or PEM.

    Raises:
        KeyUnreadable: malformed, wrong passphrase, or a passphrase where none belongs.
        CertificateRefused: WEAK_ALGORITHM for a kind or size that signs nothing here.
        AlgorithmUnavailable: SM2 on a machine without it.
    """
    der = _require_pkcs8(encoded, encrypted=passphrase is not None)
    try:
        native = serialization.load_der_private_key(der, passphrase)
    except UnsupportedAlgorithm:
        # The other library knows no SM2 curve; ours knows nothing else.
        return _wrap(parse_sm2_private_key(require_sm2(), der, passphrase))
    except (ValueError, TypeError):
        # Without its cause: the library's text may quote what it could not read.
        raise KeyUnreadable("the bytes are no key, or the passphrase is wrong") from None
    if not isinstance(native, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "kind of private key")
    return _wrap(native)


def _wrap(native: NativePrivateKey) -> PrivateKey:
    if isinstance(native, Sm2PrivateKey):
        spki = native.encode_spki()
    else:
        spki = native.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    # Derived and read back: a private key whose public half is not accepted could sign in vain.
    public_key = parse_public_key(spki)
    return PrivateKey(public_key=public_key, suite=public_key.suite, _native=native)


def _require_pkcs8(encoded: bytes, *, encrypted: bool) -> bytes:
    if len(encoded) > _MAX_KEY_FILE:
        raise KeyUnreadable("the key file is too long")
    label = _ENCRYPTED if encrypted else _PLAIN
    # DER goes on as it is: the readers below refuse a passphrase that does not belong.
    if not is_pem(encoded):
        return encoded
    try:
        blocks = parse_pem(encoded, frozenset({label}))
    except CertificateRefused:
        # Without its cause: nothing of a private key belongs in an error text.
        raise KeyUnreadable(f"one PEM block {label} is expected") from None
    if len(blocks) != 1:
        raise KeyUnreadable("more than one PEM block")
    return blocks[0][1]


def _encrypt(plain: bytes, passphrase: bytes) -> bytes:
    # RFC 8018 6.2 (PBES2). Written here because the library encrypts only keys it knows.
    salt, vector = os.urandom(_SALT_LENGTH), os.urandom(_BLOCK_LENGTH)
    key = PBKDF2HMAC(hashes.SHA256(), length=32, salt=salt, iterations=_ROUNDS).derive(passphrase)
    pad = padding.PKCS7(_BLOCK_BITS).padder()
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    body = cipher.update(pad.update(plain) + pad.finalize()) + cipher.finalize()
    derivation = algos.KdfAlgorithm(
        {
            "algorithm": "pbkdf2",
            "parameters": {
                "salt": algos.Pbkdf2Salt(name="specified", value=core.OctetString(salt)),
                "iteration_count": _ROUNDS,
                "prf": {"algorithm": "sha256", "parameters": core.Null()},
            },
        }
    )
    scheme = {
        "algorithm": "pbes2",
        "parameters": {
            "key_derivation_func": derivation,
            "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": vector},
        },
    }
    container = keys.EncryptedPrivateKeyInfo(
        {"encryption_algorithm": scheme, "encrypted_data": body}
    )
    return bytes(container.dump())
