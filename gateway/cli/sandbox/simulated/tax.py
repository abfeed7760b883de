"""The simulated tax department: a client registered by its SSH key and a shared signing key."""

import json
import secrets
from pathlib import Path
from typing import Final

import asyncssh

from certs.algorithms import Suite, generate_private_key
from gateway.cli.passphrase import draw_passphrase
from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting

_CLIENT_NO: Final = "HRSS370000"
_USER: Final = "hrss"
_CLIENTS: Final = "tax-clients.json"
_HOST_KEY: Final = "tax-host-key"
_HOST_KEY_TOLD: Final = "tax-host-key.pub"
_LOGIN_KEY: Final = "tax-login-key"
_PASSPHRASE: Final = "tax-login-key.pass"  # noqa: S105  the name of the file that holds it
_SIGN_KEY: Final = "tax-sign-key"


def _register(folder: Path, _client: MadeKey) -> None:
    # Keys of their own: one that signs envelopes or assertions opens no login (one key, one usage).
    host = asyncssh.generate_private_key("ssh-ed25519")
    login, passphrase = generate_private_key(Suite.EDDSA), draw_passphrase()
    encrypted = login.encode_pkcs8(passphrase)
    sign_key = secrets.token_urlsafe(24)
    public = asyncssh.import_private_key(encrypted, passphrase).export_public_key().decode("ascii")
    client = {
        "client_no": _CLIENT_NO,
        "user": _USER,
        "public_key": public.strip(),
        "sign_key": sign_key,
    }
    write_private(folder / _CLIENTS, json.dumps({"clients": [client]}).encode())
    write_private(folder / _HOST_KEY, host.export_private_key())
    (folder / _HOST_KEY_TOLD).write_bytes(host.export_public_key())
    write_private(folder / _LOGIN_KEY, encrypted)
    write_private(folder / _PASSPHRASE, passphrase + b"\n")
    write_private(folder / _SIGN_KEY, sign_key.encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    return ("--clients", str(folder / _CLIENTS), "--host-key", str(folder / _HOST_KEY))


def _section(folder: Path, _client: MadeKey) -> dict[str, Setting]:
    return {
        "host_key": (folder / _HOST_KEY_TOLD).read_text("ascii").strip(),
        "user": _USER,
        "login_key": {
            "key": str(folder / _LOGIN_KEY),
            "passphrase_file": str(folder / _PASSPHRASE),
        },
        "client_no": _CLIENT_NO,
        "supplier": "hutong-sandbox",
        "sign_key_file": str(folder / _SIGN_KEY),
    }


TAX: Final = Department(
    prefix="tx.", register=_register, arguments=_arguments, section=_section, scheme="sftp"
)
