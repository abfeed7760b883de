"""The configuration file of a sandbox gateway and the credentials it names."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from gateway.access_log.epochs import EpochKeys
from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.simulators import CLIENT_ID, ISSUER, SID, Registration
from gateway.cli.sandbox.world import GATEWAY_SLUG, HRSS, ORIGIN, World

SECRET_BYTES: Final = 32
Setting = str | int | bool | list[str] | dict[str, "Setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the gateway listens; 0 lets the system choose."""

    gateway: int
    health: int


def write_config(
    world: World, ports: Ports, addresses: Mapping[str, str], registration: Registration
) -> None:
    """Write the configuration file; every secret stands in a file of its own (0600)."""
    folders = world.folders
    for name in ("pseudonym-secret", "registers-key", "epoch-passphrase"):
        write_private(folders.gateway / name, secrets.token_hex(SECRET_BYTES // 2).encode())
    _write_system_user(folders)
    passphrase = (folders.gateway / "epoch-passphrase").read_bytes()
    EpochKeys.create(folders.log / "epochs", origin=ORIGIN, passphrase=passphrase)
    config: dict[str, Setting] = {
        "system_id": f"{HRSS}/{GATEWAY_SLUG}",
        "sandbox": True,
        "listen": f"127.0.0.1:{ports.gateway}",
        "health_listen": f"127.0.0.1:{ports.health}",
        "trust": str(folders.trust),
        "policy": str(world.bundle_path),
        "policy_digest": world.bundle.digest.hex(),
        "policy_start_date": world.start_date.isoformat(),
        "registers": str(folders.gateway / "registers.db"),
        "registers_key_file": str(folders.gateway / "registers-key"),
        "pseudonym_secret_file": str(folders.gateway / "pseudonym-secret"),
        "envelope_signer": _key(world.gateway_keys["envelope"]),
        "tls": _key(world.gateway_keys["tls"]),
        "log": {
            "database": str(folders.log_file),
            "epoch_keys": str(folders.log / "epochs"),
            "epoch_passphrase_file": str(folders.gateway / "epoch-passphrase"),
            "origin": ORIGIN,
            "signer": _key(world.gateway_keys["log"]),
            "disk_reserve_bytes": 64 << 20,
        },
        "departments": _departments(world, addresses, registration),
    }
    write_private(folders.config, yaml.safe_dump(config, allow_unicode=True).encode())


def readdress_config(folders: Folders, ports: Ports, addresses: Mapping[str, str]) -> None:
    """Write the configuration of an earlier start with new ports; all else stays as it was."""
    config = yaml.safe_load(folders.config.read_text("utf-8"))
    config["listen"] = f"127.0.0.1:{ports.gateway}"
    config["health_listen"] = f"127.0.0.1:{ports.health}"
    for name, address in addresses.items():
        config["departments"][name]["base_url"] = address
    write_private(folders.config, yaml.safe_dump(config, allow_unicode=True).encode())


def _departments(
    world: World, addresses: Mapping[str, str], registration: Registration
) -> dict[str, Setting]:
    keys = {name: _key(key) for name, key in world.record_keys.items()}
    return {
        "education": {
            "base_url": addresses["education"],
            "issuer": ISSUER,
            "client_id": CLIENT_ID,
            "client_key": _key(world.client_key),
            "record_key": keys["education"],
        },
        "public_security": {
            "base_url": addresses["public_security"],
            "sid": SID,
            "app_key_file": str(registration.app_key_file),
            "user": registration.user,
            "password_file": str(registration.password_file),
            "ministry": ["370000000000", "省人力资源和社会保障厅（模拟）"],
            "origin_system": ["HUTONG", "互通网关（沙箱）"],
            "business_system": ["HRSS01", "人社业务系统（模拟）"],
            "system_user_file": str(world.folders.gateway / "system-user"),
            "record_key": keys["public_security"],
        },
        "hrss": {
            "database": str(world.folders.departments / "hrss.db"),
            "record_key": keys["hrss"],
        },
    }


def _write_system_user(folders: Folders) -> None:
    """Name the synthetic person who answers for system jobs towards public security."""
    user = {
        "name": "系统值守",
        "identifier": "370102197001010010",
        "unit": "省人社厅信息中心（模拟）",
        "unit_code": "370000000000",
        "call_reason": "待遇资格静默认证",
    }
    write_private(folders.gateway / "system-user", json.dumps(user, ensure_ascii=False).encode())


def _key(key: MadeKey) -> dict[str, Setting]:
    return {
        "key": str(key.key_path),
        "passphrase_file": str(key.passphrase_path),
        "certificate": str(key.certificate_path),
    }
