"""Who may log in and what he may ask: the registration file (docs/adapters/tax.md, section 8)."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncssh

from adapters.simulators.tax.questions import Service

_CLIENT_NO: Final = re.compile(r"[A-Z0-9]{4,20}")
_KEY_LENGTH: Final = 16
"""Characters a signing key has at least."""


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client; `public_key` in the encoding of SSH, `sign_key` in octets."""

    client_no: str
    user: str
    public_key: bytes
    sign_key: bytes = field(repr=False)
    services: frozenset[Service]


def load_clients(path: Path) -> dict[str, Client]:
    """Read the registration file: login name → client.

    Raises:
        BadRegistration: it is no JSON of the documented shape, or two clients share a name.
    """
    try:
        rows = json.loads(path.read_bytes())["clients"]
        clients = [_parse_client(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, asyncssh.KeyImportError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    by_user = {client.user: client for client in clients}
    # Shared folders would show one client the answers of another.
    if len({client.client_no for client in clients}) != len(clients) or len(by_user) != len(rows):
        raise BadRegistration("two clients share a number or a login name")
    return by_user


def _parse_client(row: dict[str, str | list[str]]) -> Client:
    match {"services": [service.value for service in Service], **row}:
        case {
            "client_no": str(client_no),
            "user": str(user),
            "public_key": str(public_key),
            "sign_key": str(sign_key),
            "services": list(services),
        } if _CLIENT_NO.fullmatch(client_no) and len(sign_key) >= _KEY_LENGTH:
            return Client(
                client_no=client_no,
                user=user,
                public_key=asyncssh.import_public_key(public_key).public_data,
                sign_key=sign_key.encode(),
                services=frozenset(Service(service) for service in services),
            )
        case _:
            raise BadRegistration("a client has another shape")
