"""The simulated population register: a system registered by a shared key and a password."""

import json
import secrets
from pathlib import Path
from typing import Final

from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting

_SID: Final = "s_1137000000000_0001"
_USER: Final = "hrss"
_APPS: Final = "public-security-apps.json"
_APP_KEY: Final = "app-key"
_PASSWORD: Final = "password"  # noqa: S105  the name of the file that holds it
_SYSTEM_USER: Final = "system-user"
_SYNTHETIC_USER: Final = {
    "name": "系统值守",
    "identifier": "370102197001010010",
    "unit": "省人社厅信息中心（模拟）",
    "unit_code": "370000000000",
    "call_reason": "待遇资格静默认证",
}
"""The synthetic person who answers for system jobs."""


def _register(folder: Path, _client: MadeKey) -> None:
    app_key, password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    app = {"sid": _SID, "app_key": app_key, "user": _USER, "password": password}
    write_private(folder / _APPS, json.dumps({"apps": [app]}).encode())
    write_private(folder / _APP_KEY, app_key.encode())
    write_private(folder / _PASSWORD, password.encode())
    user = json.dumps(_SYNTHETIC_USER, ensure_ascii=False)
    write_private(folder / _SYSTEM_USER, user.encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    return ("--apps", str(folder / _APPS))


def _section(folder: Path, _client: MadeKey) -> dict[str, Setting]:
    return {
        "sid": _SID,
        "app_key_file": str(folder / _APP_KEY),
        "user": _USER,
        "password_file": str(folder / _PASSWORD),
        "ministry": ["370000000000", "省人力资源和社会保障厅（模拟）"],
        "origin_system": ["HUTONG", "互通网关（沙箱）"],
        "business_system": ["HRSS01", "人社业务系统（模拟）"],
        "system_user_file": str(folder / _SYSTEM_USER),
    }


PUBLIC_SECURITY: Final = Department(
    prefix="ps.", register=_register, arguments=_arguments, section=_section
)
