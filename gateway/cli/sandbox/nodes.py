"""Provider nodes of a sandbox: one process per department, with the department's own key.

What a department of its own would hold lies in its folder; trust store and policy are the sandbox's
own folders, so that newcomers and renewed certificates reach the nodes as they reach the gateway.
"""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from adapters.port import PROVIDER_SLUG
from gateway.cli.sandbox.authority import write_private
from gateway.cli.sandbox.children import start_child, stop_child
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.settings import embedded_sections
from gateway.cli.sandbox.simulated import PREFIXES, Addresses, Setting, key_setting
from gateway.cli.sandbox.world import GATEWAY_SLUG, World

START_S: Final = 60.0
"""How long a node may take to say that it serves; it imports the program anew."""
ANY_PORT: Final = "127.0.0.1:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProcess:
    """One running provider node."""

    process: Process
    address: str
    health: str

    async def stop(self) -> None:
        """End it, by force where it does not."""
        await stop_child(self.process)


def node_file(folders: Folders, name: str) -> Path:
    """Return where the configuration of a department's node lies."""
    return folders.departments / name / "node.yaml"


def list_nodes(folders: Folders) -> tuple[str, ...]:
    """Return the departments that run nodes of their own: all of a sandbox's province, or none."""
    return tuple(name for name in sorted(PREFIXES) if node_file(folders, name).exists())


def has_nodes(folders: Folders) -> bool:
    """Say whether the departments of a sandbox run nodes of their own."""
    return bool(list_nodes(folders))


def write_nodes(world: World, addresses: Addresses) -> None:
    """Write the configuration of every department's node."""
    sections = embedded_sections(world, addresses)
    for name, keys in world.node_keys.items():
        config: dict[str, Setting] = {
            "system_id": f"{world.provider_of(name)}/{PROVIDER_SLUG}",
            "sandbox": True,
            "listen": ANY_PORT,
            "health_listen": ANY_PORT,
            "trust": str(world.folders.trust),
            "gateways": [f"{world.province.hrss}/{GATEWAY_SLUG}"],
            "policy": str(world.bundle_path),
            "policy_digest": world.bundle.digest.hex(),
            "policy_start_date": world.start_date.isoformat(),
            "envelope_signer": key_setting(keys["envelope"]),
            "tls": key_setting(keys["tls"]),
            "department": {name: sections[name]},
        }
        path = node_file(world.folders, name)
        write_private(path, yaml.safe_dump(config, allow_unicode=True).encode())


def readdress_nodes(folders: Folders, addresses: Addresses) -> None:
    """Tell the nodes of an earlier start where their departments answer now."""
    for name, address in addresses.items():
        path = node_file(folders, name)
        config = yaml.safe_load(path.read_text("utf-8"))
        config["department"][name].update(address)
        write_private(path, yaml.safe_dump(config, allow_unicode=True).encode())


@asynccontextmanager
async def running_nodes(folders: Folders) -> AsyncIterator[dict[str, NodeProcess]]:
    """Run the node of every department; whoever started is ended even if another fails."""
    nodes: dict[str, NodeProcess] = {}

    async def start(name: str) -> None:
        nodes[name] = await start_node(name, node_file(folders, name))

    try:
        async with asyncio.TaskGroup() as group:
            for name in list_nodes(folders):
                group.create_task(start(name))
        yield nodes
    finally:
        await asyncio.gather(*(each.stop() for each in nodes.values()))


async def start_node(name: str, config: Path) -> NodeProcess:
    """Start one node and wait until it says that it serves.

    Raises:
        RuntimeError: it ended, said nothing in time or something else.
    """
    return await start_child(
        f"the node of {name}",
        (
            *("-m", "gateway.cli", "provide", "--config", str(config)),
            *("--sandbox", "--json", "--exit-with-stdin"),
        ),
        START_S,
        lambda process, ready: NodeProcess(
            process=process, address=str(ready["address"]), health=str(ready["health"])
        ),
    )
