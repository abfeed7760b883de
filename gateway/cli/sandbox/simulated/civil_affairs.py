"""The simulated civil affairs: a requester by a shared key, a reader of the front-end database."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting

_SID: Final = "s_1137000000000_0001"
_READER: Final = "hrss_reader"
_APPS: Final = "civil-affairs-apps.json"
_ACCESS_KEY: Final = "civil-affairs-access-key"
_APP_KEY: Final = "civil-affairs-app-key"
_PASSWORD: Final = "civil-affairs-password"  # noqa: S105  the name of the file that holds it


def _register(folder: Path, _client: MadeKey) -> None:
    access_key, app_key, password = (secrets.token_urlsafe(24) for _ in range(3))
    registered = {
        "apps": [{"sid": _SID, "access_key": access_key, "app_key": app_key}],
        "front_end": {"user": _READER, "password": password},
    }
    write_private(folder / _APPS, json.dumps(registered).encode())
    write_private(folder / _ACCESS_KEY, access_key.encode())
    write_private(folder / _APP_KEY, app_key.encode())
    write_private(folder / _PASSWORD, password.encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    return ("--apps", str(folder / _APPS))


def _section(folder: Path, _client: MadeKey) -> dict[str, Setting]:
    return {
        "sid": _SID,
        "access_key_file": str(folder / _ACCESS_KEY),
        "app_key_file": str(folder / _APP_KEY),
        "front_end_user": _READER,
        "front_end_password_file": str(folder / _PASSWORD),
        # Assistance as well: only a copy looked through by number proves that nobody receives any.
        "front_end_datasets": ["ca.cremation", "ca.assistance"],
    }


def _front_end(ports: Mapping[str, int]) -> dict[str, Setting]:
    return {"front_end": f"127.0.0.1:{ports['front_end_port']}"}


CIVIL_AFFAIRS: Final = Department(
    prefix="ca.",
    register=_register,
    arguments=_arguments,
    section=_section,
    further_addresses=_front_end,
)
