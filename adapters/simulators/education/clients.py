"""Who may fetch tokens: the registration file (docs/adapters/education.md, section 2)."""

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

SCOPES = frozenset({"diploma", "degree", "enrolment"})


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client with its public keys by key id."""

    client_id: str
    scope: frozenset[str]
    keys: dict[str, EllipticCurvePublicKey]


def load_clients(path: Path) -> dict[str, Client]:
    """Read the registration file.

    Raises:
        BadRegistration: it is no JSON of the documented shape or holds a key that is not P-256.
    """
    try:
        rows = json.loads(path.read_bytes())["clients"]
        clients = [_parse_client(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    return {client.client_id: client for client in clients}


def _parse_client(row: dict[str, str | dict[str, list[dict[str, str]]]]) -> Client:
    match row:
        case {"client_id": str(client_id), "scope": str(scope), "jwks": {"keys": list(keys)}}:
            granted = frozenset(scope.split())
        case _:
            raise BadRegistration("a client has another shape")
    # A misspelt scope would silently open nothing.
    if not granted <= SCOPES:
        raise BadRegistration("a client has an unknown scope")
    return Client(
        client_id=client_id,
        scope=granted,
        keys={key["kid"]: _parse_key(key) for key in keys},
    )


def _parse_key(jwk: dict[str, str]) -> EllipticCurvePublicKey:
    key = ECAlgorithm.from_jwk(json.dumps(jwk))
    if jwk.get("crv") != "P-256" or not isinstance(key, EllipticCurvePublicKey):
        raise BadRegistration("a client key is not a public P-256 key")
    return key
