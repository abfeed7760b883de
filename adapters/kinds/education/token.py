"""The department's access token: fetched with a client assertion, kept, renewed early.

Knows no data interface (docs/adapters/education.md, section 2). The assertion is a JWT of RFC 7523
section 2.2 signed by our own key, which may live in hardware.
INVARIANT: one assertion is sent once: its `jti` is random, and a failed call makes a new one.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from adapters.causes import Cause
from adapters.errors import AdapterMisconfigured, AnswerMalformed, DepartmentFailed
from adapters.mapping.documents import parse_json_object, require_text
from adapters.port import Indeterminate
from adapters.transport import DepartmentTransport, HttpCall
from certs.algorithms import Suite
from signing.encoding import b64url_encode, encode_canonical_json
from signing.signer import Signer

# Seconds an assertion lives; the department allows 300.
_ASSERTION_LIFE_S: Final = 60
# Share of a token's life after which it is renewed, so that none expires on its way.
_RENEW_AT: Final = 0.8
_OK: Final = 200
_REFUSED: Final = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity:
    """Who we are to the department: registered id, its issuer name, our key registered there."""

    client_id: str
    issuer: str
    signer: Signer = field(repr=False)
    key_id: str | None = None
    """`kid` the department registered; without one, the key's own id."""

    def __post_init__(self) -> None:
        if self.signer.suite is not Suite.ES256:
            raise AdapterMisconfigured("education accepts ES256 client keys only")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str = field(repr=False)
    renew_at: float


class TokenKeeper:
    """Keeps one token for all queries; concurrent askers wait for one renewal."""

    def __init__(
        self,
        transport: DepartmentTransport,
        identity: ClientIdentity,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._identity = identity
        self._clock = clock
        self._token: _Token | None = None
        self._renewing = asyncio.Lock()

    async def fetch(self, now_ms: int, deadline: float) -> str:
        """Return a token that will live long enough, renewing it where needed.

        Raises:
            DepartmentFailed: PROVIDER_FAULT when the department refuses our identity, and what
                the transport raises.
            AnswerMalformed: The token answer breaks RFC 6749 section 5.1.
        """
        # Held across the await: those who come meanwhile wait for this token instead of asking for
        # theirs.
        async with self._renewing:
            if self._token is None or self._clock() >= self._token.renew_at:
                self._token = await self._renew(now_ms, deadline)
            return self._token.text

    async def renew(self, now_ms: int, deadline: float) -> None:
        """Fetch a token whether one is kept or not.

        Raises:
            DepartmentFailed: As `fetch`.
            AnswerMalformed: As `fetch`.
        """
        async with self._renewing:
            self._token = await self._renew(now_ms, deadline)

    def forget(self, text: str) -> None:
        """Drop a token the department no longer accepts, unless it was renewed meanwhile."""
        # Compared, or a late 401 for the old token would throw away the new one.
        if self._token is not None and self._token.text == text:
            self._token = None

    async def _renew(self, now_ms: int, deadline: float) -> _Token:
        # Before the call: the token's life may have begun at any moment of it.
        asked_at = self._clock()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": sign_client_assertion(self._identity, now_ms),
        }
        call = HttpCall(
            method="POST",
            path="/oauth2/token",
            body=urlencode(form).encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            expect="application/json",
            idempotent=False,
        )
        answer = await self._transport.fetch(call, deadline)
        # RFC 6749 5.2; the error text is not read, since it may quote what was sent.
        if answer.status in _REFUSED:
            raise DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.IDENTITY_REFUSED)
        members = parse_json_object(answer.body)
        life = members.get("expires_in")
        bearer = require_text(members, "token_type").lower() == "bearer"
        text = require_text(members, "access_token")
        if answer.status != _OK or not bearer or not isinstance(life, int) or life <= 0:
            raise AnswerMalformed("token answer")
        # It goes into a header: a line break inside would start a header of the department's
        # choosing.
        if not text.isascii() or not text.isprintable():
            raise AnswerMalformed("access token")
        return _Token(text=text, renew_at=asked_at + life * _RENEW_AT)


def sign_client_assertion(identity: ClientIdentity, now_ms: int) -> str:
    """Return a client assertion (RFC 7523 section 3) in compact form."""
    issued_at = now_ms // 1000
    header = encode_canonical_json(
        {
            "alg": "ES256",
            "kid": identity.key_id or identity.signer.keyid,
            "typ": "client-authentication+jwt",
        }
    )
    claims = encode_canonical_json(
        {
            "iss": identity.client_id,
            "sub": identity.client_id,
            # The issuer and not the endpoint (draft-ietf-oauth-rfc7523bis): an endpoint told to us
            # by somebody else could have an assertion made for another server.
            "aud": identity.issuer,
            "iat": issued_at,
            "exp": issued_at + _ASSERTION_LIFE_S,
            "jti": secrets.token_hex(16),
        }
    )
    signed = f"{b64url_encode(header)}.{b64url_encode(claims)}"
    return f"{signed}.{b64url_encode(identity.signer.sign(signed.encode('ascii')))}"
