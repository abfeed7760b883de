"""The key registered for us and the headers that sign a call (docs/adapters/commerce.md 2)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.errors import AdapterMisconfigured

_KEY_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_MIN_SECRET: Final = 16
_MAX_AUTHCODE: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What the department registered for us.

    Raises `AdapterMisconfigured` for a form that it would not have registered.
    """

    key_id: str
    secret: bytes = field(repr=False)
    authcode: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise AdapterMisconfigured("commerce.key_id: 1 to 64 letters, digits and hyphens")
        if len(self.secret) < _MIN_SECRET:
            raise AdapterMisconfigured("commerce.secret_file: at least 16 characters")
        if not 1 <= len(self.authcode) <= _MAX_AUTHCODE:
            raise AdapterMisconfigured("commerce.authcode_file: 1 to 64 characters")


def sign_call(
    key: ApiKey, method: str, path: str, body: bytes | None, now_ms: int
) -> Mapping[str, str]:
    """Return the headers `X-Cm-Key`, `X-Cm-Date`, `X-Cm-Digest` and `X-Cm-Signature`."""
    date = (_EPOCH + timedelta(milliseconds=now_ms)).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body or b"").hexdigest()
    text = f"{method}\n{path}\n{date}\n{digest}"
    signature = hmac.digest(key.secret, text.encode("utf-8"), "sha256")
    return {
        "X-Cm-Key": key.key_id,
        "X-Cm-Date": date,
        "X-Cm-Digest": digest,
        "X-Cm-Signature": base64.b64encode(signature).decode("ascii"),
    }
