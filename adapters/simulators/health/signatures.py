"""Who calls: the signed header, its window, its nonces (manual, section 1).

INVARIANT: a nonce is spent only by a call whose signature and time are right, so a stranger cannot
spend somebody else's.
"""

import hmac
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

from adapters.simulators.health.apps import App
from adapters.simulators.health.operations import Operation

WINDOW_MS: Final = 300_000
"""How far the sender's time may lie from ours, either way."""
_TEXT_LIMIT: Final = 64
_MILLISECOND_DIGITS: Final = 13


class CallRefused(Exception):
    """The call is refused before its question is read; the code is one of section 2."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The four values of the header."""

    app_id: str
    timestamp: str
    nonce: str
    sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Registered requesters and the nonces they have spent."""

    apps: dict[str, App]
    spent: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    def require_caller(
        self, credentials: Credentials, operation: Operation, request: str, now_ms: int
    ) -> App:
        """Verify the signature of a call and return who calls.

        Raises:
            CallRefused: HC-4010 to HC-4030.
        """
        _require_form(credentials)
        app = self.apps.get(credentials.app_id)
        # One code for both: a stranger does not learn who is registered.
        if app is None or not _is_signed(app, credentials, operation, request):
            raise CallRefused("HC-4011")
        if abs(int(credentials.timestamp) - now_ms) > WINDOW_MS:
            raise CallRefused("HC-4012")
        self._spend(credentials, now_ms)
        if operation not in app.operations:
            raise CallRefused("HC-4030")
        return app

    def _spend(self, credentials: Credentials, now_ms: int) -> None:
        oldest = now_ms - 2 * WINDOW_MS
        # Insertion order is time order; beyond two windows a replay fails by its time.
        while self.spent and next(iter(self.spent.values())) < oldest:
            self.spent.pop(next(iter(self.spent)))
        key = (credentials.app_id, credentials.nonce)
        if key in self.spent:
            raise CallRefused("HC-4013")
        self.spent[key] = now_ms


def sign(key: str, parts: tuple[str, str, str, str, str]) -> str:
    """Sign (appId, timestamp, nonce, operation, requestXml): base64(HMAC-SHA256(key, lines))."""
    return b64encode(hmac.digest(key.encode(), "\n".join(parts).encode(), "sha256")).decode()


def _is_signed(app: App, credentials: Credentials, operation: Operation, request: str) -> bool:
    parts = (credentials.app_id, credentials.timestamp, credentials.nonce, operation.value, request)
    # Compared as text: a second base64 spelling of the same octets is another text.
    return hmac.compare_digest(sign(app.app_key, parts).encode(), credentials.sign.encode())


def _require_form(credentials: Credentials) -> None:
    texts = (credentials.app_id, credentials.nonce, credentials.sign)
    if not all(0 < len(text) <= _TEXT_LIMIT and _is_visible(text) for text in texts):
        raise CallRefused("HC-4010")
    digits = credentials.timestamp
    if not (digits.isascii() and digits.isdigit() and len(digits) == _MILLISECOND_DIGITS):
        raise CallRefused("HC-4010")


def _is_visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)
