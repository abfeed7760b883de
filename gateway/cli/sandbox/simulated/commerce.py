"""The simulated commerce register: a key registered with its secret and its authorisation."""

import json
import secrets
from pathlib import Path
from typing import Final

from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting

_KEY_ID: Final = "hrss-gateway"
_KEYS: Final = "commerce-keys.json"
_SECRET: Final = "commerce-secret"  # noqa: S105  the name of the file that holds it
_AUTHCODE: Final = "commerce-authcode"


def _register(folder: Path, _client: MadeKey) -> None:
    secret, authcode = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    key = {"key_id": _KEY_ID, "secret": secret, "authcode": authcode}
    write_private(folder / _KEYS, json.dumps({"keys": [key]}).encode())
    write_private(folder / _SECRET, secret.encode())
    write_private(folder / _AUTHCODE, authcode.encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    return ("--keys", str(folder / _KEYS))


def _section(folder: Path, _client: MadeKey) -> dict[str, Setting]:
    return {
        "key_id": _KEY_ID,
        "secret_file": str(folder / _SECRET),
        "authcode_file": str(folder / _AUTHCODE),
    }


COMMERCE: Final = Department(
    prefix="cm.", register=_register, arguments=_arguments, section=_section
)
