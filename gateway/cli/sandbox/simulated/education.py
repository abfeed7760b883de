"""The simulated education department: a client registered by its public key."""

import json
from pathlib import Path
from typing import Final

from certs.algorithms import PublicKey
from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting, key_setting
from signing.encoding import b64url_encode

_CLIENT_ID: Final = "hrss-gateway"
_ISSUER: Final = "https://edu.sandbox.invalid"
_CLIENTS: Final = "education-clients.json"
_POINT_BYTES: Final = 64


def _register(folder: Path, client: MadeKey) -> None:
    registered = {
        "client_id": _CLIENT_ID,
        "scope": "diploma degree enrolment",
        "jwks": {"keys": [_jwk(client.key.public_key)]},
    }
    write_private(folder / _CLIENTS, json.dumps({"clients": [registered]}).encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    return ("--clients", str(folder / _CLIENTS), "--issuer", _ISSUER)


def _section(_folder: Path, client: MadeKey) -> dict[str, Setting]:
    return {"issuer": _ISSUER, "client_id": _CLIENT_ID, "client_key": key_setting(client)}


def _jwk(key: PublicKey) -> dict[str, str]:
    """Return a P-256 key as JWK; the uncompressed point ends its SubjectPublicKeyInfo."""
    point = key.spki[-_POINT_BYTES:]
    half = _POINT_BYTES // 2
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": key.keyid,
        "x": b64url_encode(point[:half]),
        "y": b64url_encode(point[half:]),
    }


EDUCATION: Final = Department(
    prefix="edu.", register=_register, arguments=_arguments, section=_section
)
