"""The keyed hashes of the national platform (docs/adapters/national.md, section 2)."""

import hmac
from base64 import b64encode
from enum import StrEnum

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC


class Mac(StrEnum):
    """What a requester registered with."""

    SHA256 = "sha256"
    SM3 = "sm3"


def sign_text(key: str, text: str, mac: Mac = Mac.SHA256) -> str:
    """Sign a text: base64(HMAC(key, text))."""
    keyed = HMAC(key.encode(), hashes.SHA256() if mac is Mac.SHA256 else hashes.SM3())
    keyed.update(text.encode())
    return b64encode(keyed.finalize()).decode()


def is_signed(key: str, text: str, signature: str, mac: Mac = Mac.SHA256) -> bool:
    """Compare in constant time, as text: another base64 spelling is another signature."""
    return hmac.compare_digest(sign_text(key, text, mac).encode(), signature.encode())
