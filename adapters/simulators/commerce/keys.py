"""Who may ask, and whether he did: API keys and request signatures (manual, section 2)."""

import hmac
import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

from adapters.simulators.commerce.refusals import Refused

WINDOW_S: Final = 300
"""Seconds a request's time may lie from the department's."""
_SECRET_LEAST: Final = 16
_KEY_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A registered API key."""

    key_id: str
    secret: bytes = field(repr=False)
    authcode: str = field(repr=False)


def load_keys(path: Path) -> dict[str, Key]:
    """Read the registration file.

    Raises:
        BadRegistration: it is no JSON of the documented shape, or a secret is too short.
    """
    try:
        keys = [_parse_key(row) for row in json.loads(path.read_bytes())["keys"]]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    return {key.key_id: key for key in keys}


def _parse_key(row: dict[str, str]) -> Key:
    match row:
        case {"key_id": str(key_id), "secret": str(secret), "authcode": str(authcode)}:
            if not _KEY_ID.fullmatch(key_id) or len(secret) < _SECRET_LEAST or not authcode:
                raise BadRegistration("a key has an unusable id, secret or authcode")
            return Key(key_id=key_id, secret=secret.encode(), authcode=authcode)
        case _:
            raise BadRegistration("a key has another shape")


def sign(secret: bytes, lines: tuple[str, str, str, str]) -> str:
    """Sign method, path, time and digest of a request."""
    mac = hmac.new(secret, _octets("\n".join(lines)), sha256)
    return b64encode(mac.digest()).decode()


def _octets(text: str) -> bytes:
    # As it was sent: aiohttp keeps octets that are no UTF-8 as lone surrogates.
    return text.encode("utf-8", "surrogateescape")


def require_key(request: web.Request, body: bytes, keys: dict[str, Key], now_ms: int) -> Key:
    """Tell whose request this is.

    Raises:
        Refused: 4010 unless key, digest and signature are right, then 4011 for a wrong time.
    """
    key = keys.get(request.headers.get("X-Cm-Key", ""))
    sent_at = request.headers.get("X-Cm-Date", "")
    digest = request.headers.get("X-Cm-Digest", "")
    if key is None or not _TIME.fullmatch(sent_at) or digest != sha256(body).hexdigest():
        raise Refused("4010")
    # The path as it was sent: decoded, two requests would share a signature.
    expected = sign(key.secret, (request.method, request.raw_path, sent_at, digest))
    shown = _octets(request.headers.get("X-Cm-Signature", ""))
    if not hmac.compare_digest(shown, expected.encode()):
        raise Refused("4010")
    if not _is_near(sent_at, now_ms):
        raise Refused("4011")
    return key


def _is_near(sent_at: str, now_ms: int) -> bool:
    try:
        sent = datetime.strptime(sent_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    # Whole seconds: the header has no finer ones.
    return abs(int(sent.timestamp()) - now_ms // 1000) <= WINDOW_S
