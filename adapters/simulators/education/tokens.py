"""Access tokens: signed with the department's own key, which can be rotated.

INVARIANT: the key lives in memory only; after a rotation no earlier token is accepted.
"""

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

if TYPE_CHECKING:
    from jwt.types import Options


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(slots=True, kw_only=True)
class TokenMint:
    """Issues tokens and recognises them again."""

    issuer: str
    life_s: int
    key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key, repr=False)
    kid: str = field(default_factory=lambda: secrets.token_hex(8))

    def rotate(self) -> None:
        """Take a new key; every token issued so far is void."""
        self.key, self.kid = _new_key(), secrets.token_hex(8)

    def issue(self, client_id: str, scope: str, now_s: int, life_s: int) -> str:
        """Sign a token for a client."""
        claims = {
            "iss": self.issuer,
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "iat": now_s,
            "exp": now_s + life_s,
            "jti": secrets.token_hex(8),
        }
        headers = {"kid": self.kid, "typ": "at+jwt"}
        return jwt.encode(claims, self.key, algorithm="ES256", headers=headers)

    def recognise(self, token: str, now_s: int) -> tuple[str, frozenset[str]] | None:
        """Tell client and scope of a token of ours that is still good, None for any other."""
        unread: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            # Only with the key of now: earlier ones are gone after a rotation.
            claims = jwt.decode(
                token,
                self.key.public_key(),
                algorithms=["ES256"],
                issuer=self.issuer,
                options=unread,
            )
        except jwt.InvalidTokenError:
            return None
        if int(claims["exp"]) <= now_s:
            return None
        return str(claims["sub"]), frozenset(str(claims["scope"]).split())

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Publish the key that verifies tokens now."""
        jwk: dict[str, str] = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**jwk, "kid": self.kid, "use": "sig", "alg": "ES256"}]}
