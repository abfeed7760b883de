"""Judges a client assertion: RFC 7523 section 3, with this department's narrower rules."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import jwt

from adapters.simulators.education.clients import Client

if TYPE_CHECKING:
    from jwt.types import Options

LIFE_S: Final = 300
"""Longest life of an assertion (docs/adapters/education.md, section 2)."""
LEEWAY_S: Final = 30
_JTI_LIMIT: Final = 64


class Unproven(Exception):
    """The assertion does not prove who sent it; the text is the `error_description`."""


@dataclass(slots=True, kw_only=True)
class AssertionJudge:
    """The registered clients and the assertions already used."""

    issuer: str
    clients: dict[str, Client]
    used: dict[tuple[str, str], int] = field(default_factory=dict)

    def require_client(self, assertion: str, now_s: int) -> Client:
        """Verify an assertion and return whose it is.

        Raises:
            Unproven: unknown client or key, wrong signature or claims, expired, replayed.
        """
        client, kid = self._named(assertion)
        claims = _verified(assertion, client, kid)
        expires = _require_claims(claims, client.client_id, self.issuer)
        _require_time(claims, expires, now_s)
        self._spend(client.client_id, claims.get("jti"), expires, now_s)
        return client

    def _named(self, assertion: str) -> tuple[Client, str]:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as cause:
            raise Unproven("bad_signature") from cause
        # Read unverified to choose the key; nothing else is believed before the signature.
        client = self.clients.get(str(claims.get("iss")))
        if client is None:
            raise Unproven("unknown_client")
        if header.get("typ", "JWT") not in {"JWT", "client-authentication+jwt"}:
            raise Unproven("bad_claims")
        return client, str(header.get("kid"))

    def _spend(self, client_id: str, jti: object, expires: int, now_s: int) -> None:
        if not isinstance(jti, str) or not 0 < len(jti) <= _JTI_LIMIT or not _visible(jti):
            raise Unproven("bad_claims")
        # Forgotten when it could not be used any more anyhow.
        self.used = {key: end for key, end in self.used.items() if end >= now_s}
        if (client_id, jti) in self.used:
            raise Unproven("replayed")
        self.used[client_id, jti] = expires + LEEWAY_S


def _verified(assertion: str, client: Client, kid: str) -> dict[str, object]:
    key = client.keys.get(kid)
    if key is None:
        raise Unproven("unknown_key")
    # Times are compared with the virtual clock below, not with the library's.
    unread: Options = {
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": False,
    }
    try:
        return dict(jwt.decode(assertion, key, algorithms=["ES256"], options=unread))
    except jwt.InvalidTokenError as cause:
        raise Unproven("bad_signature") from cause


def _require_claims(claims: dict[str, object], client_id: str, issuer: str) -> int:
    """Compare issuer, subject and audience; return the expiry."""
    expires = claims.get("exp")
    # RFC 7523, 3: issuer and subject are both the client.
    right = claims.get("iss") == claims.get("sub") == client_id
    if not right or claims.get("aud") not in (issuer, [issuer]) or type(expires) is not int:
        raise Unproven("bad_claims")
    return expires


def _require_time(claims: dict[str, object], expires: int, now_s: int) -> None:
    issued = claims.get("iat")
    # Not isinstance: true is an int in Python, and no time.
    if type(issued) is not int or not 0 < expires - issued <= LIFE_S:
        raise Unproven("bad_claims")
    if issued > now_s + LEEWAY_S or expires < now_s - LEEWAY_S:
        raise Unproven("expired")


def _visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)
