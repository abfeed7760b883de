"""What is signed on the generation-2 face, and how (docs/adapters/civil_affairs.md, 3.2)."""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping

Members = dict[str, str]
Business = dict[str, "str | list[Members]"]


def sign(app_key: str, text: str) -> str:
    """Sign a text: base64(HMAC-SHA256(app_key, text))."""
    return b64encode(hmac.digest(app_key.encode(), text.encode(), "sha256")).decode()


def is_signed(app_key: str, text: str, signature: str) -> bool:
    """Compare in constant time, as text: another base64 spelling is another signature."""
    return hmac.compare_digest(sign(app_key, text).encode(), signature.encode())


def form_text(form: Mapping[str, str]) -> str:
    """Write what the form's signature covers: all but itself, by name, not percent-encoded."""
    return "&".join(f"{name}={form[name]}" for name in sorted(form) if name != "sign")


def reply_text(request_id: str, code: str, business: Business) -> str:
    """Write what the reply's signature covers."""
    return request_id + code + canonical(business)


def canonical(business: Business) -> str:
    """Write JSON in its one form: members by code point, nothing between, no needless escapes."""
    return json.dumps(business, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
