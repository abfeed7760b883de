"""Passphrases of key files that commands make; only files hold them, readable by their owner."""

import secrets
from typing import Final

PASSPHRASE_BYTES: Final = 24
"""192 random bits: nothing is gained by guessing, whatever the key derivation costs."""


def draw_passphrase() -> bytes:
    """Return a fresh passphrase of 32 characters of base64url."""
    return secrets.token_urlsafe(PASSPHRASE_BYTES).encode("ascii")
