"""The configuration file of a sandbox gateway and the credentials it names."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from gateway.access_log.epochs import EpochKeys
from gateway.cli.sandbox.authority import write_private
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.simulated import SIMULATED, Addresses, Setting, key_setting
from gateway.cli.sandbox.world import CLIENT_TLS, GATEWAY_SLUG, World

SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the gateway listens; 0 lets the system choose."""

    gateway: int
    health: int


def write_config(
    world: World,
    ports: Ports,
    addresses: Addresses,
    nodes: Mapping[str, str] | None = None,
) -> None:
    """Write the configuration file; every secret stands in a file of its own (0600).

    `addresses` are those of the departments, `nodes` those of their nodes where they have some.
    """
    folders = world.folders
    for name in ("pseudonym-secret", "registers-key", "epoch-passphrase"):
        write_private(folders.gateway / name, secrets.token_hex(SECRET_BYTES // 2).encode())
    passphrase = (folders.gateway / "epoch-passphrase").read_bytes()
    EpochKeys.create(folders.log / "epochs", origin=world.province.origin, passphrase=passphrase)
    config: dict[str, Setting] = {
        "system_id": f"{world.province.hrss}/{GATEWAY_SLUG}",
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
        "envelope_signer": key_setting(world.gateway_keys["envelope"]),
        "tls": key_setting(world.gateway_keys["tls"]),
        "log": {
            "database": str(folders.log_file),
            "epoch_keys": str(folders.log / "epochs"),
            "epoch_passphrase_file": str(folders.gateway / "epoch-passphrase"),
            "origin": world.province.origin,
            "signer": key_setting(world.gateway_keys["log"]),
            "disk_reserve_bytes": 64 << 20,
        },
        "departments": _node_sections(world, nodes)
        if nodes
        else embedded_sections(world, addresses),
    }
    write_private(folders.config, yaml.safe_dump(config, allow_unicode=True).encode())


def readdress_config(
    folders: Folders,
    ports: Ports,
    addresses: Addresses,
    nodes: Mapping[str, str] | None = None,
) -> None:
    """Write the configuration of an earlier start with new ports; all else stays as it was."""
    config = yaml.safe_load(folders.config.read_text("utf-8"))
    config["listen"] = f"127.0.0.1:{ports.gateway}"
    config["health_listen"] = f"127.0.0.1:{ports.health}"
    for name, address in addresses.items():
        config["departments"][name].update(address)
    for name, node in (nodes or {}).items():
        config["departments"][name]["node"]["address"] = node
    write_private(folders.config, yaml.safe_dump(config, allow_unicode=True).encode())


def _node_sections(world: World, nodes: Mapping[str, str]) -> dict[str, Setting]:
    key = key_setting(world.gateway_keys[CLIENT_TLS])
    return {
        name: {"node": {"address": address, "tls_server_name": "localhost", "tls": key}}
        for name, address in nodes.items()
    }


def embedded_sections(world: World, addresses: Addresses) -> dict[str, Setting]:
    """Return how each department is reached by whoever holds its key."""
    folder = world.folders.departments
    record_keys = {name: key_setting(key) for name, key in world.record_keys.items()}
    sections: dict[str, Setting] = {
        name: {
            **addresses[name],
            **each.section(folder, world.client_key),
            "record_key": record_keys[name],
        }
        for name, each in SIMULATED.items()
        if name in addresses
    }
    sections["hrss"] = {"database": str(folder / "hrss.db"), "record_key": record_keys["hrss"]}
    return sections
