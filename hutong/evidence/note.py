"""C2SP signed notes and the verifier keys that judge them.

Knows no tree and no log. Source: c2sp.org/signed-note; key text as in its first implementation,
golang.org/x/mod/sumdb/note: `<name>+<8 hex digits>+<base64(type ‖ key)>`.

INVARIANT: a note's text is worth nothing before `verify_note` has returned it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hutong.evidence.reasons import EvidenceReason, EvidenceRefused, Malformed
from hutong.evidence.spelling import encode_base64, parse_base64, parse_hex, parse_utf8

ED25519: Final = b"\x01"  # signature type identifier byte, signed-note "Signature types"
ED25519_KEY_BYTES: Final = 32  # RFC 8032 5.1.5
KEY_ID_BYTES: Final = 4  # signed-note "Signatures"
# signed-note wants 16 signatures accepted and warns of 5 kB each: 16 x 6.7 kB of base64, and room.
MAX_NOTE_BYTES: Final = 131_072
MAX_SIGNATURES: Final = 64
MAX_KEY_TEXT: Final = 512  # an origin of at most 255 bytes, and 60 for the rest
_SIGNATURE_START: Final = "\u2014 "
# signed-note allows no control character but newline; an escape could repaint a terminal.
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """The Ed25519 public key of one log and the name it signs under."""

    name: str
    key_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note whose signatures nobody has judged yet."""

    text: str
    signatures: tuple[NoteSignature, ...]


def parse_log_key(text: str) -> LogKey:
    """Reads a verifier key.

    Sample: `example.com/log+eef3b18b+Ab...=`.

    Raises:
        Malformed: another spelling, another key type, or an id that is not the key's.
    """
    parts = text.split("+", 2)
    if len(text) > MAX_KEY_TEXT or len(parts) != 3:  # noqa: PLR2004  # name, id, key
        raise Malformed("log key is not <name>+<id>+<key>")
    name = _parse_key_name(parts[0], "log key")
    encoded = parse_base64(parts[2], "log key")
    if encoded[:1] != ED25519 or len(encoded) != 1 + ED25519_KEY_BYTES:
        raise Malformed("log key is not an Ed25519 key")
    key = build_log_key(name, encoded[1:])
    # The id is derived again, or a typo in the key would show up as "unknown key" much later.
    if parse_hex(parts[1], "log key id", KEY_ID_BYTES) != key.key_id:
        raise Malformed("log key id is not the id of the key")
    return key


def build_log_key(name: str, public_key: bytes) -> LogKey:
    """Makes a log key and its id: SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)[:4].

    Raises:
        Malformed: the name is empty, or holds a space or plus sign; the key is not 32 bytes.
    """
    if len(public_key) != ED25519_KEY_BYTES:
        raise Malformed("log key is not an Ed25519 key")
    _parse_key_name(name, "log key")
    digest = hashlib.sha256(name.encode("utf-8") + b"\n" + ED25519 + public_key).digest()
    return LogKey(name=name, key_id=digest[:KEY_ID_BYTES], public_key=public_key)


def encode_log_key(key: LogKey) -> str:
    """Writes a verifier key, the inverse of `parse_log_key`."""
    return f"{key.name}+{key.key_id.hex()}+{encode_base64(ED25519 + key.public_key)}"


def parse_note(raw: bytes) -> Note:
    """Reads a note: text, a blank line, signature lines `— <name> <base64>`.

    Raises:
        Malformed: not UTF-8, control characters, no or too many or repeated signatures, another
            spelling.
    """
    content = parse_utf8(raw, "note", MAX_NOTE_BYTES)
    if _CONTROL.search(content) is not None:
        raise Malformed("note holds a control character")
    # The last blank line ends the text; the text may hold blank lines of its own.
    body, separator, tail = content.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise Malformed("note has no signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed(f"note has more than {MAX_SIGNATURES} signatures")
    signatures = tuple(_parse_signature(line) for line in lines)
    # Of a good and a bad signature by one key, only the first would be judged: refused instead.
    if len({(s.name, s.key_id) for s in signatures}) != len(signatures):
        raise Malformed("note is signed twice by one key")
    return Note(text=body + "\n", signatures=signatures)


def verify_note(note: Note, key: LogKey) -> str:
    """Proves that a note is signed by the key and returns its text.

    Signatures by other keys are ignored, also when only name or id is the same (signed-note,
    "Signatures").

    Raises:
        EvidenceRefused: KEY_UNKNOWN, SIGNATURE_INVALID.
    """
    ours = [s for s in note.signatures if (s.name, s.key_id) == (key.name, key.key_id)]
    if not ours:
        raise EvidenceRefused(EvidenceReason.KEY_UNKNOWN)
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
        # Exactly the text and its last newline are signed, without the blank line that follows.
        public_key.verify(ours[0].value, note.text.encode("utf-8"))
    except InvalidSignature as cause:
        raise EvidenceRefused(EvidenceReason.SIGNATURE_INVALID) from cause
    return note.text


def _parse_signature(line: str) -> NoteSignature:
    if not line.startswith(_SIGNATURE_START):
        raise Malformed("signature line does not start with a dash")
    name, space, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
    if not space:
        raise Malformed("signature line has no signature")
    value = parse_base64(encoded, "signature")
    # Only a lower bound: signatures of other keys may be of any type and length, and are ignored.
    if len(value) <= KEY_ID_BYTES:
        raise Malformed("signature is too short")
    return NoteSignature(
        name=_parse_key_name(name, "signature line"),
        key_id=value[:KEY_ID_BYTES],
        value=value[KEY_ID_BYTES:],
    )


def _parse_key_name(name: str, what: str) -> str:
    # signed-note: non-empty, no Unicode spaces, no plus sign, no control characters.
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise Malformed(f"{what} has no proper key name")
    return name
