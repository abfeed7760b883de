"""Salted commitments: how an entry holds what it must not show.

Knows no receipt and no log. A commitment of a member is
SHA-256(tag ‖ 0x00 ‖ salt ‖ value) with the ASCII tag `hutong/commitment/<member>/v1` and a salt of
32 random bytes. Whoever holds salt and value can open it; nobody can guess it without the salt.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from hutong.evidence.reasons import EvidenceReason, EvidenceRefused, Malformed

# As long as the hash: an identity number has few unknown digits, so only the salt stops guessing.
SALT_BYTES: Final = 32
# No NUL and no slash, or two different names and salts could spell the same hash input.
_MEMBER: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Salt and value of one committed member; no value where the holder has the bytes himself."""

    member: str
    salt: bytes
    value: bytes | None


def require_member_name(name: str) -> str:
    """Returns a name that can stand in a commitment's tag.

    Raises:
        Malformed: not 1 to 32 lower-case ASCII letters, digits and underscores.
    """
    if _MEMBER.fullmatch(name) is None:
        raise Malformed("member name is not lower-case ASCII")
    return name


def commitment(member: str, salt: bytes, value: bytes) -> bytes:
    """Returns the 32 bytes that commit to a value.

    Raises:
        Malformed: the member's name or the length of the salt is wrong.
    """
    if len(salt) != SALT_BYTES:
        raise Malformed(f"salt is not {SALT_BYTES} bytes")
    # The member's name is part of what is hashed: an opening of one member opens no other, even
    # with the same salt and value. Neither NUL nor a varying salt length can blur the borders.
    tag = f"hutong/commitment/{require_member_name(member)}/v1".encode("ascii")
    return hashlib.sha256(tag + b"\x00" + salt + value).digest()


def verify_opening(committed: bytes, member: str, salt: bytes, value: bytes) -> bytes:
    """Proves that salt and value open a commitment and returns the value.

    Raises:
        Malformed: the member's name or the length of the salt is wrong.
        EvidenceRefused: OPENING_MISMATCH.
    """
    if not hmac.compare_digest(commitment(member, salt, value), committed):
        raise EvidenceRefused(EvidenceReason.OPENING_MISMATCH)
    return value
