"""The two-step key of the national platform, generation 1 (public_security.md 1; national.md 3).

INVARIANT: a request id is spent only by a request whose signature is right, so a stranger cannot
spend somebody else's.
"""

import os
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Generic, Protocol, TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.simulators.keyed_hash import Mac, is_signed

WINDOW_MS: Final = 300_000
"""How far the sender's time may lie from ours, either way."""
_TEXT_LIMIT: Final = 64
_MILLISECOND_DIGITS: Final = 13


class PlatformRefused(Exception):
    """The platform refuses a call; the code is one of section 1.3."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Registered(Protocol):
    """A requester as the platform knows it."""

    @property
    def sid(self) -> str:
        """What names it."""
        ...

    @property
    def app_key(self) -> str:
        """The key its secrets are encrypted under."""
        ...


A = TypeVar("A", bound=Registered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The four values that come with every call."""

    rid: str
    sid: str
    rtime: str
    sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A key given out and when it ends."""

    text: str = field(repr=False)
    ends_ms: int


@dataclass(slots=True, kw_only=True)
class Platform(Generic[A]):
    """Registered requesters, the secrets given to them, the request ids they have spent."""

    apps: dict[str, A]
    secret_ms: int
    mac_of: Callable[[A], Mac] = lambda _: Mac.SHA256
    given: dict[str, list[Secret]] = field(default_factory=dict, repr=False)
    spent: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    def refresh(self, credentials: Credentials, now_ms: int) -> tuple[str, int]:
        """Give a new secret: its encrypted form and its end.

        Raises:
            PlatformRefused: E-101, E-102, E-103, E-105 or E-106.
        """
        app = self._require_app(credentials, now_ms)
        if not _signed_with(app.app_key, credentials, self.mac_of(app)):
            raise PlatformRefused("E-101")
        self._spend(credentials, now_ms)
        secret = Secret(
            text=b64encode(secrets.token_bytes(32)).decode(), ends_ms=now_ms + self.secret_ms
        )
        # Old secrets stay good until their end, so parallel callers do not break each other.
        kept = self.given.get(app.sid, [])[-8:]
        self.given[app.sid] = [*kept, secret]
        return encrypt_secret(app.app_key, secret.text, os.urandom(16)), secret.ends_ms

    def require_caller(self, credentials: Credentials, now_ms: int) -> A:
        """Verify the signature of a call and return who calls.

        Raises:
            PlatformRefused: E-101 to E-106.
        """
        app = self._require_app(credentials, now_ms)
        signed = [
            secret
            for secret in self.given.get(app.sid, [])
            if _signed_with(secret.text, credentials, self.mac_of(app))
        ]
        # A signature by an ended secret is E-104, by none of ours E-101.
        if not signed:
            raise PlatformRefused("E-101")
        if signed[0].ends_ms <= now_ms:
            raise PlatformRefused("E-104")
        self._spend(credentials, now_ms)
        return app

    def expire_all(self, now_ms: int) -> None:
        """End every secret now."""
        for sid, kept in self.given.items():
            self.given[sid] = [
                Secret(text=secret.text, ends_ms=min(secret.ends_ms, now_ms)) for secret in kept
            ]

    def _require_app(self, credentials: Credentials, now_ms: int) -> A:
        _require_form(credentials)
        app = self.apps.get(credentials.sid)
        if app is None:
            raise PlatformRefused("E-106")
        if abs(int(credentials.rtime) - now_ms) > WINDOW_MS:
            raise PlatformRefused("E-102")
        return app

    def _spend(self, credentials: Credentials, now_ms: int) -> None:
        oldest = now_ms - 2 * WINDOW_MS
        # Insertion order is time order; beyond two windows a replay fails by its time.
        while self.spent and next(iter(self.spent.values())) < oldest:
            self.spent.pop(next(iter(self.spent)))
        key = (credentials.sid, credentials.rid)
        if key in self.spent:
            raise PlatformRefused("E-103")
        self.spent[key] = now_ms


def encrypt_secret(app_key: str, secret: str, iv: bytes) -> str:
    """Encrypt a secret: AES-256-CBC, PKCS#7, key SHA-256(appKey), base64(IV and ciphertext)."""
    # CBC needs whole blocks; 44 characters become 48.
    padder = PKCS7(128).padder()
    padded = padder.update(secret.encode()) + padder.finalize()
    key = sha256(app_key.encode()).digest()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return b64encode(iv + encryptor.update(padded) + encryptor.finalize()).decode()


def _require_form(credentials: Credentials) -> None:
    texts = (credentials.rid, credentials.sid, credentials.sign)
    if not all(0 < len(text) <= _TEXT_LIMIT and _visible(text) for text in texts):
        raise PlatformRefused("E-105")
    digits = credentials.rtime
    if not (digits.isascii() and digits.isdigit() and len(digits) == _MILLISECOND_DIGITS):
        raise PlatformRefused("E-105")


def _signed_with(key: str, credentials: Credentials, mac: Mac) -> bool:
    text = credentials.sid + credentials.rid + credentials.rtime
    return is_signed(key, text, credentials.sign, mac)


def _visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)
