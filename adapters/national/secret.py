"""The two-step key: a secret fetched with the application key, then signatures made with it.

Knows no call it is fetched for (docs/adapters/national.md, section 3; public_security.md, 1).
"""

import asyncio
import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.errors import AnswerMalformed
from adapters.mapping.documents import parse_json_object, require_text
from adapters.national.causes import platform_failure
from adapters.national.signature import Caller, sign_call
from adapters.transport import HttpAnswer, HttpCall
from signing.encoding import encode_canonical_json

_OK: Final = "0"
_BLOCK: Final = 16
_HTTP_OK: Final = 200
_MILLISECONDS: Final = re.compile(r"[1-9][0-9]{12}")
_SECRET: Final = re.compile(r"[A-Za-z0-9+/]{43}=")
# Milliseconds before its end at which a secret is renewed, so that none expires on its way.
_RENEW_BEFORE_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secret:
    text: str = field(repr=False)
    ends_at_ms: int


class Fetcher(Protocol):
    """Sends one call to the platform."""

    async def fetch(self, call: HttpCall, deadline: float) -> HttpAnswer:
        """Return its answer."""
        ...


class SecretKeeper:
    """Keeps one secret for all calls; concurrent askers wait for one renewal."""

    def __init__(self, platform: Fetcher, caller: Caller) -> None:
        self._platform = platform
        self._caller = caller
        self._secret: _Secret | None = None
        self._renewing = asyncio.Lock()

    async def fetch(self, now_ms: int, deadline: float) -> str:
        """Return a secret that will live long enough, renewing it where needed.

        Raises:
            DepartmentFailed: PROVIDER_FAULT when the platform refuses, and what the transport
                raises.
            AnswerMalformed: The platform's answer breaks its form.
        """
        # Held across the await, so that a burst of calls asks for one secret and not for one each.
        async with self._renewing:
            secret = self._secret
            if secret is None or now_ms >= secret.ends_at_ms - _RENEW_BEFORE_MS:
                secret = await self._renew(now_ms, deadline)
                # One that ends within the margin serves this call and is not kept.
                self._secret = secret
            return secret.text

    async def renew(self, now_ms: int, deadline: float) -> None:
        """Fetch a secret whether one is kept or not; the platform keeps the old one valid too.

        Raises:
            DepartmentFailed: As `fetch`.
            AnswerMalformed: As `fetch`.
        """
        async with self._renewing:
            self._secret = await self._renew(now_ms, deadline)

    def forget(self, text: str) -> None:
        """Drop a secret the platform no longer knows, unless it was renewed meanwhile."""
        if self._secret is not None and self._secret.text == text:
            self._secret = None

    async def _renew(self, now_ms: int, deadline: float) -> _Secret:
        caller = self._caller
        members = sign_call(caller.sid, caller.app_key, now_ms, mac=caller.mac)
        call = HttpCall(
            method="POST",
            path="/gjgxjhpt/secret",
            body=encode_canonical_json(dict(members)),
            headers={"Content-Type": "application/json; charset=utf-8"},
            expect="application/json",
            idempotent=False,
        )
        answer = await self._platform.fetch(call, deadline)
        reply = parse_json_object(answer.body)
        code = require_text(reply, "code")
        if answer.status != _HTTP_OK or code != _OK:
            raise platform_failure(code)
        content = reply.get("data")
        if not isinstance(content, dict):
            raise AnswerMalformed("secret answer without a secret")
        end = require_text(content, "secretEndTime")
        if not _MILLISECONDS.fullmatch(end):
            raise AnswerMalformed("end of a secret")
        text = unwrap_secret(caller.app_key, require_text(content, "secret"))
        return _Secret(text=text, ends_at_ms=int(end))


def wrap_secret(app_key: str, secret: str) -> str:
    """Encrypt a secret for its requester, in the form that `unwrap_secret` reads."""
    vector = os.urandom(_BLOCK)
    key = hashlib.sha256(app_key.encode("utf-8")).digest()
    padder = PKCS7(_BLOCK * 8).padder()
    padded = padder.update(secret.encode("ascii")) + padder.finalize()
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(vector)).encryptor()
    return base64.b64encode(vector + encryptor.update(padded) + encryptor.finalize()).decode()


def unwrap_secret(app_key: str, wrapped: str) -> str:
    """Decrypt a secret: AES-256-CBC under SHA-256(appKey), base64(IV ‖ ciphertext), PKCS#7.

    Raises:
        AnswerMalformed: Not base64, no whole blocks, wrong padding, or not 44 characters of base64.
    """
    try:
        octets = base64.b64decode(wrapped.encode("ascii"), validate=True)
        key = hashlib.sha256(app_key.encode("utf-8")).digest()
        decryptor = Cipher(algorithms.AES256(key), modes.CBC(octets[:_BLOCK])).decryptor()
        padded = decryptor.update(octets[_BLOCK:]) + decryptor.finalize()
        unpadder = PKCS7(_BLOCK * 8).unpadder()
        text = (unpadder.update(padded) + unpadder.finalize()).decode("ascii")
    except (binascii.Error, ValueError):
        raise AnswerMalformed("wrapped secret") from None  # the cause may quote the secret
    # CBC has no tag here: the fixed form is all that tells a secret from a wrong decryption.
    if not _SECRET.fullmatch(text):
        raise AnswerMalformed("wrapped secret")
    return text
