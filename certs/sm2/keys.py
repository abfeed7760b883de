"""Sign and verify with SM2 and SM3 (GB/T 32918.2-2016, GB/T 35276-2017).

Takes a library and DER, gives DER signatures; knows nothing of raw signatures or certificates.
INVARIANT: the signer identifier is set on every operation. OpenSSL 3.0 uses an EMPTY one unless
told otherwise, later versions another one: code that relies on the default changes its meaning.
INVARIANT: the thread's OpenSSL error queue is empty when a function returns.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import Final

from certs.errors import AlgorithmUnavailable, KeyUnreadable, SignatureInvalid
from certs.sm2.library import FOREIGN, CData, LibCrypto

# GB/T 35276-2017 clause 10: the default distinguishing identifier of a signer.
SIGNER_ID: Final = b"1234567812345678"

_NULL: Final = FOREIGN.NULL
_TYPE: Final = b"SM2"
# SEQUENCE header 2, two INTEGERs of at most 2 + 33 bytes.
_MAX_SIGNATURE: Final = 72

_ARM64: Final = frozenset({"aarch64", "arm64"})
# CVE-2025-9231 leaks SM2 private keys by timing on 64-bit ARM: first repaired patch by branch.
_ARM64_REPAIRED: Final = {(3, 0): 18, (3, 2): 6, (3, 3): 5, (3, 4): 3, (3, 5): 4}
_ARM64_REPAIRED_SINCE: Final = (3, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2PublicKey:
    """A public key as libcrypto holds it, parsed once."""

    _library: LibCrypto = field(repr=False)
    _pointer: CData = field(repr=False)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Verify a DER signature over a message.

        Raises:
            SignatureInvalid: the signature is not one of this key over this message.
        """
        context, _settings = _new_context(self._library, self._pointer, "EVP_DigestVerifyInit")
        # cffi releases the interpreter lock in each call: two threads verify almost twice as much.
        outcome = self._library.integer(
            "EVP_DigestVerify", context, signature, len(signature), message, len(message)
        )
        if outcome != 1:
            self._library.run("ERR_clear_error")
            raise SignatureInvalid("the SM2 signature does not verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2PrivateKey:
    """A private key as libcrypto holds it; never printed."""

    _library: LibCrypto = field(repr=False)
    _pointer: CData = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return a DER signature over a message."""
        context, _settings = _new_context(self._library, self._pointer, "EVP_DigestSignInit")
        room = FOREIGN.new("unsigned char[]", _MAX_SIGNATURE)
        length = FOREIGN.new("size_t *", _MAX_SIGNATURE)
        outcome = self._library.integer(
            "EVP_DigestSign", context, room, length, message, len(message)
        )
        _require(self._library, happened=outcome == 1)
        return bytes(FOREIGN.buffer(room, length[0]))

    def encode_spki(self) -> bytes:
        """Return the public half as SubjectPublicKeyInfo."""
        return _encode(self._library, "i2d_PUBKEY", self._pointer)

    def encode_pkcs8(self) -> bytes:
        """Return the key as an unencrypted PrivateKeyInfo (RFC 5208)."""
        library = self._library
        plain = library.pointer("EVP_PKEY2PKCS8", self._pointer)
        _require(library, happened=plain != _NULL)
        return _encode(
            library, "i2d_PKCS8_PRIV_KEY_INFO", library.owned(plain, "PKCS8_PRIV_KEY_INFO_free")
        )


def parse_sm2_public_key(library: LibCrypto, spki: bytes) -> Sm2PublicKey:
    """Read a SubjectPublicKeyInfo whose point lies on the SM2 curve.

    Raises:
        KeyUnreadable: the bytes are not exactly one SM2 public key.
    """
    start = FOREIGN.from_buffer("unsigned char[]", spki)
    cursor = FOREIGN.new("const unsigned char **", start)
    pointer = library.pointer("d2i_PUBKEY", _NULL, cursor, len(spki))
    owned = _own_sm2(library, pointer)
    if cursor[0] - start != len(spki):
        raise KeyUnreadable("bytes follow the SM2 public key")
    return Sm2PublicKey(_library=library, _pointer=owned)


def parse_sm2_private_key(
    library: LibCrypto, pkcs8: bytes, passphrase: bytes | None
) -> Sm2PrivateKey:
    """Read a PKCS#8 private key, encrypted exactly when a passphrase is given.

    Raises:
        KeyUnreadable: not an SM2 key, or the passphrase is wrong.
        AlgorithmUnavailable: this library leaks private keys on this processor.
    """
    require_private_keys_safe(library.version, platform.machine())
    start = FOREIGN.from_buffer("unsigned char[]", pkcs8)
    if passphrase is None:
        cursor = FOREIGN.new("const unsigned char **", start)
        pointer = library.pointer("d2i_AutoPrivateKey", _NULL, cursor, len(pkcs8))
        owned = _own_sm2(library, pointer)
        if cursor[0] - start != len(pkcs8):
            raise KeyUnreadable("bytes follow the SM2 private key")
        return Sm2PrivateKey(_library=library, _pointer=owned)
    if b"\0" in passphrase:
        raise KeyUnreadable("a passphrase for libcrypto has no NUL")
    bio = library.pointer("BIO_new_mem_buf", start, len(pkcs8))
    # Without a callback libcrypto takes the last argument as the passphrase, ending in NUL.
    secret = FOREIGN.new("char[]", passphrase)
    pointer = library.pointer("d2i_PKCS8PrivateKey_bio", bio, _NULL, _NULL, secret)
    library.integer("BIO_free", bio)
    return Sm2PrivateKey(_library=library, _pointer=_own_sm2(library, pointer))


def generate_sm2_private_key(library: LibCrypto) -> Sm2PrivateKey:
    """Make a new private key.

    Raises:
        AlgorithmUnavailable: this library leaks private keys on this processor.
    """
    require_private_keys_safe(library.version, platform.machine())
    pointer = library.pointer("EVP_PKEY_Q_keygen", _NULL, _NULL, FOREIGN.new("char[]", _TYPE))
    return Sm2PrivateKey(_library=library, _pointer=_own_sm2(library, pointer))


def require_private_keys_safe(version: tuple[int, int, int], machine: str) -> None:
    """Refuse private keys where their use leaks them; verification is not concerned.

    Raises:
        AlgorithmUnavailable: 64-bit ARM with a libcrypto that CVE-2025-9231 concerns.
    """
    if machine not in _ARM64 or version[:2] >= _ARM64_REPAIRED_SINCE:
        return
    repaired = _ARM64_REPAIRED.get(version[:2])
    if repaired is None or version[2] < repaired:
        raise AlgorithmUnavailable("this libcrypto leaks SM2 private keys on ARM64")


def _own_sm2(library: LibCrypto, pointer: CData) -> CData:
    if pointer == _NULL:
        library.run("ERR_clear_error")
        raise KeyUnreadable("the bytes are no key, or the passphrase is wrong")
    # libcrypto reads every kind of key through the same door; ours admits one kind.
    owned = library.owned(pointer, "EVP_PKEY_free")
    if library.integer("EVP_PKEY_is_a", owned, _TYPE) != 1:
        raise KeyUnreadable("the key is not an SM2 key")
    return owned


def _new_context(library: LibCrypto, key: CData, initialise: str) -> tuple[CData, CData]:
    # The digest context borrows the settings and does not own them (EVP_MD_CTX_set_pkey_ctx(3)):
    # the caller has to hold both until it is done.
    settings = library.owned(library.pointer("EVP_PKEY_CTX_new", key, _NULL), "EVP_PKEY_CTX_free")
    identified = library.integer("EVP_PKEY_CTX_set1_id", settings, SIGNER_ID, len(SIGNER_ID))
    context = library.owned(library.pointer("EVP_MD_CTX_new"), "EVP_MD_CTX_free")
    library.run("EVP_MD_CTX_set_pkey_ctx", context, settings)
    started = library.integer(initialise, context, _NULL, library.pointer("EVP_sm3"), _NULL, key)
    _require(library, happened=identified == 1 and started == 1)
    return context, settings


def _encode(library: LibCrypto, function: str, pointer: CData) -> bytes:
    length = library.integer(function, pointer, _NULL)
    _require(library, happened=length > 0)
    room = FOREIGN.new("unsigned char[]", length)
    library.integer(function, pointer, FOREIGN.new("unsigned char **", room))
    return bytes(FOREIGN.buffer(room))


def _require(library: LibCrypto, *, happened: bool) -> None:
    if not happened:
        library.run("ERR_clear_error")
        raise AlgorithmUnavailable("libcrypto refused an SM2 operation")
