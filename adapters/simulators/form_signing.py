"""What is signed on a generation-2 face (docs/adapters/civil_affairs.md, 3.2; national.md, 5)."""

import json
from collections.abc import Mapping

Members = dict[str, str]
Business = dict[str, "str | list[Members]"]


def form_text(form: Mapping[str, str]) -> str:
    """Write what the form's signature covers: all but itself, by name, not percent-encoded."""
    return "&".join(f"{name}={form[name]}" for name in sorted(form) if name != "sign")


def reply_text(request_id: str, code: str, business: Business) -> str:
    """Write what the reply's signature covers."""
    return request_id + code + canonical(business)


def canonical(business: Business) -> str:
    """Write JSON in its one form: members by code point, nothing between, no needless escapes."""
    return json.dumps(business, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
