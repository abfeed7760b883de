"""The four values that prove a call, and the code that proves them (docs/adapters/national.md, 2).

INVARIANT: a request id is used once: every call and every retry draws a new one.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC


class Mac(StrEnum):
    """The keyed hash the platform registered for us; it never follows from a message."""

    SHA256 = "sha256"
    SM3 = "sm3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: a registered id and the application key that goes with it."""

    sid: str
    app_key: str = field(repr=False)
    mac: Mac = Mac.SHA256


def sign_call(
    sid: str, key: str, now_ms: int, *, prefix: str = "gjgxjhpt", mac: Mac = Mac.SHA256
) -> Mapping[str, str]:
    """Return the four values that prove a call, their names beginning with the generation's."""
    rid, rtime = secrets.token_hex(16), str(now_ms)
    return {
        f"{prefix}_rid": rid,
        f"{prefix}_sid": sid,
        f"{prefix}_rtime": rtime,
        # The dialect signs no body here: that it is ours rests on TLS with our certificate alone.
        f"{prefix}_sign": signature_of(key, sid + rid + rtime, mac),
    }


def signature_of(key: str, text: str, mac: Mac = Mac.SHA256) -> str:
    """Return base64(HMAC(key, text)), both as UTF-8."""
    octets, content = key.encode("utf-8"), text.encode("utf-8")
    if mac is Mac.SHA256:
        digest = hmac.digest(octets, content, "sha256")
    else:
        # Not through hashlib: whether that knows SM3 depends on how the system built it.
        keyed = HMAC(octets, hashes.SM3())
        keyed.update(content)
        digest = keyed.finalize()
    return base64.b64encode(digest).decode("ascii")
