"""Who signs: a port, and the signer whose key lies in an encrypted file.

Knows no message. The passphrase is bytes in memory, handed in by whoever read it from a credential
file or descriptor: never from the command line, never from the environment.
INVARIANT: a key file is a regular file of this user that nobody else may read (0600), and its key
is encrypted.
INVARIANT: the suite follows from the key; nothing names it at signing time.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from certs.algorithms import PrivateKey, Suite, load_private_key
from certs.errors import AlgorithmUnavailable, CertificateRefused, KeyUnreadable
from signing.encoding import pae
from signing.envelope import Envelope
from signing.errors import KeyFileRefused

# A PKCS#8 file of any suite takes less than 1 kB; the bound keeps a wrong path harmless.
_MAX_KEY_FILE: Final = 16 * 1024
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = 0o077


class Signer(Protocol):
    """A private key that signs, wherever it lives."""

    @property
    def keyid(self) -> str:
        """First 16 bytes of SHA-256 over the SubjectPublicKeyInfo, in lower-case hexadecimal."""
        ...

    @property
    def suite(self) -> Suite:
        """The suite of the key."""
        ...

    @property
    def certificate_der(self) -> bytes:
        """The certificate of the key; empty when it has none."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature over a message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSigner:
    """Signs with a private key held in this process."""

    certificate_der: bytes = field(default=b"", repr=False)
    _key: PrivateKey = field(repr=False)

    @classmethod
    def of(cls, key: PrivateKey, certificate_der: bytes = b"") -> "FileSigner":
        """Wrap a key, with its certificate where it has one.

        Raises:
            KeyFileRefused: the certificate is of another key.
        """
        # A certificate carries its SubjectPublicKeyInfo verbatim (RFC 5280 4.1), so this finds a
        # mix-up; that the certificate is good is judged by those who rely on it.
        if certificate_der and key.public_key.spki not in certificate_der:
            raise KeyFileRefused("the certificate is of another key")
        return cls(certificate_der=certificate_der, _key=key)

    @classmethod
    def load(cls, path: Path, passphrase: bytes, certificate_der: bytes = b"") -> "FileSigner":
        """Open an encrypted PKCS#8 key file.

        Raises:
            KeyFileRefused: absent, not a regular file, readable by others, of another user, too
                large, not encrypted, of no suite, the wrong passphrase or certificate.
        """
        return cls.of(load_key_file(path, passphrase), certificate_der)

    @property
    def keyid(self) -> str:
        """First 16 bytes of SHA-256 over the SubjectPublicKeyInfo, in lower-case hexadecimal."""
        return self._key.public_key.keyid

    @property
    def suite(self) -> Suite:
        """The suite of the key."""
        return self._key.suite

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature over a message."""
        return self._key.sign(message)


def load_key_file(path: Path, passphrase: bytes) -> PrivateKey:
    """Open an encrypted PKCS#8 key file, for a key that signs something else than envelopes.

    Raises:
        KeyFileRefused: absent, not a regular file, readable by others, of another user, too large,
            not encrypted, of no suite, or the wrong passphrase.
    """
    if not passphrase:
        raise KeyFileRefused("a key file needs a passphrase")
    try:
        return load_private_key(_load_private_file(path), passphrase)
    except (KeyUnreadable, CertificateRefused, AlgorithmUnavailable):
        # from None: nothing read from a key file may reach a traceback.
        raise KeyFileRefused(f"{path.name}: no key of a suite, or wrong passphrase") from None


def write_key_file(path: Path, key: PrivateKey, passphrase: bytes) -> None:
    """Write an encrypted PKCS#8 key file that only this user may read.

    Raises:
        KeyFileRefused: the passphrase is empty, or something lies at the path already.
    """
    if not passphrase:
        raise KeyFileRefused("a key file needs a passphrase")
    try:
        # EXCL: a key is never written over, and no link laid at the path is followed.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as cause:
        raise KeyFileRefused(f"{path.name}: cannot be made") from cause
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, _OWNER_ONLY)  # the umask may have taken bits of ours away
        file.write(key.encode_pkcs8(passphrase))
        file.flush()
        # A certificate may be asked for this key at once; a key lost in a crash is lost for good.
        os.fsync(descriptor)


def sign_envelope(signer: Signer, payload_type: str, payload: bytes) -> Envelope:
    """Sign exact bytes (DSSE 1.0.2).

    Raises:
        Malformed: the payload is empty or above 65,536 bytes, or the payload type is not ASCII.
    """
    return Envelope(
        payload=payload,
        payload_type=payload_type,
        signature=signer.sign(pae(payload_type, payload)),
        keyid=signer.keyid,
    )


def _load_private_file(path: Path) -> bytes:
    try:
        # NOFOLLOW, and the checks on the open descriptor: no link, no exchange after the look.
        # NONBLOCK: a pipe at the path is refused instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as cause:
        raise KeyFileRefused(f"{path.name}: cannot be opened") from cause
    try:
        _require_private(os.fstat(descriptor), path.name)
        # Bounded once more: a file may grow after its size was looked at.
        return os.read(descriptor, _MAX_KEY_FILE)
    finally:
        os.close(descriptor)


def _require_private(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileRefused(f"{name}: not a regular file")
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        raise KeyFileRefused(f"{name}: others may read it; wanted 0600")
    if status.st_uid != os.geteuid():
        raise KeyFileRefused(f"{name}: belongs to another user")
    if status.st_size > _MAX_KEY_FILE:
        raise KeyFileRefused(f"{name}: too large for a key file")
