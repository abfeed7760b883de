"""C2SP signed notes: text, a blank line, and one Ed25519 signature line.

Knows nothing of what the text says. Sample of a note:

    If in doubt, log it.

    — sandbox.invalid/hutong/log bWFkZSB1cCwgbm90IGEgc2lnbmF0dXJl

INVARIANT: what is signed is the text with its final newline and nothing else (C2SP signed-note).
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.access_log.errors import LogRefused

ED25519 = b"\x01"
"""Signature type (C2SP signed-note, "Signature types")."""


class LogSigner(Protocol):
    """The log's Ed25519 key; used for nothing but checkpoints of one log."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key (RFC 8032)."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature; raises OSError when the device does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class Ed25519LogSigner:
    """A log key held in memory."""

    key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self.key.sign(message)


def require_key_name(name: str) -> str:
    """Return a key name that a note can carry: printable, no space, no plus.

    Raises:
        LogRefused: it cannot stand in a signature line.
    """
    if not name.isprintable() or len(name.split()) != 1 or name != name.strip() or "+" in name:
        raise LogRefused("the origin must be printable, without spaces and plus signs")
    return name


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the 4 bytes that lead a signature to its key (C2SP signed-note, "Signatures")."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def encode_verifier_key(name: str, public_key: bytes) -> str:
    """Write the public key as partners receive it: name, key id in hex, type and key in base64."""
    key = base64.b64encode(ED25519 + public_key).decode()
    return f"{name}+{key_id(name, public_key).hex()}+{key}"


def sign_note(text: bytes, name: str, signer: LogSigner) -> bytes:
    """Return the note of `text`, which ends in a newline, with one signature."""
    signature = key_id(name, signer.public_key) + signer.sign(text)
    return text + b"\n\xe2\x80\x94 %b %b\n" % (name.encode(), base64.b64encode(signature))


def verify_note(note: bytes, name: str, public_key: bytes) -> bytes:
    """Return the text of a note of our own that carries exactly our signature.

    Raises:
        LogRefused: another key or name signed it, or nobody did.
    """
    text, separator, line = note.rpartition(b"\n\n")
    prefix = b"\xe2\x80\x94 %b " % name.encode()
    try:
        blob = base64.b64decode(line.removeprefix(prefix).removesuffix(b"\n"), validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(blob[4:], text + b"\n")
    except (ValueError, InvalidSignature):
        # from None: the cause says less than this.
        raise LogRefused("a stored checkpoint is not signed by this log's key") from None
    expected = b"%b%b\n" % (prefix, base64.b64encode(key_id(name, public_key) + blob[4:]))
    if not separator or line != expected:
        raise LogRefused("a stored checkpoint is not signed under this log's name")
    return text + b"\n"
