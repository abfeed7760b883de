"""The simulated health department: a requester registered by a shared key and its organisation."""

import json
import secrets
from pathlib import Path
from typing import Final

from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting

_APP_ID: Final = "hrss_sandbox_0001"
_ORG_CODE: Final = "11370000MB2DEM0105"
_APPS: Final = "health-apps.json"
_APP_KEY: Final = "health-app-key"


def _register(folder: Path, _client: MadeKey) -> None:
    app_key = secrets.token_urlsafe(24)
    app = {
        "app_id": _APP_ID,
        "app_key": app_key,
        "org_code": _ORG_CODE,
        # The one operation the adapter calls: a key lost opens nothing else.
        "operations": ["getSwyxzmInfo"],
    }
    write_private(folder / _APPS, json.dumps({"apps": [app]}).encode())
    write_private(folder / _APP_KEY, app_key.encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    return ("--apps", str(folder / _APPS))


def _section(folder: Path, _client: MadeKey) -> dict[str, Setting]:
    return {
        "app_id": _APP_ID,
        "app_key_file": str(folder / _APP_KEY),
        "org_code": _ORG_CODE,
        "org_name": "省人力资源和社会保障厅（模拟）",
    }


HEALTH: Final = Department(
    prefix="hc.", register=_register, arguments=_arguments, section=_section, sm2_only=True
)
