"""Who we are to the health department, and the signature over each call.

INVARIANT: a nonce is used once: every call and every retry draws a new one.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.mapping.documents import is_xml_text

MAX_NAME: Final = 60
"""Characters of a name, a person's or an organisation's (docs/adapters/health.md 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthIdentity:
    """What the department registered for us (docs/adapters/health.md 1, 3)."""

    app_id: str
    app_key: str = field(repr=False)
    org_code: str
    """`requestOrgCode`: must be the one registered."""
    org_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a call is made and by which single use; milliseconds since 1970, UTC."""

    now_ms: int
    nonce: str


def draw_moment(now_ms: int) -> Moment:
    """Return a time with a nonce nobody has used."""
    return Moment(now_ms=now_ms, nonce=secrets.token_hex(16))


def prove_call(
    identity: HealthIdentity, moment: Moment, operation: str, request: str
) -> Mapping[str, str]:
    """Return the four values of the header; `request` is the text of `requestXml` as sent."""
    stamp = str(moment.now_ms)
    parts = (identity.app_id, stamp, moment.nonce, operation, request)
    return {
        "appId": identity.app_id,
        "timestamp": stamp,
        "nonce": moment.nonce,
        "sign": signature_of(identity.app_key, "\n".join(parts)),
    }


def signature_of(key: str, text: str) -> str:
    """Return base64(HMAC-SHA256(key, text)), both as UTF-8."""
    digest = hmac.digest(key.encode("utf-8"), text.encode("utf-8"), "sha256")
    return base64.b64encode(digest).decode("ascii")


def is_name(text: str) -> bool:
    """Tell whether a name can stand in a question to the department."""
    return 1 <= len(text) <= MAX_NAME and is_xml_text(text)
