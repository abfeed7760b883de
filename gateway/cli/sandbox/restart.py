"""Takes a sandbox up again where it was stopped: same keys, log, partners and agreements.

What was relative to the first start stays so: agreements and consents run from that day, because
their digest stands in every decision of the log. Certificates are renewed (`renewal`).
INVARIANT: nothing is written before the folder is this process's alone.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import yaml

from gateway.cli.sandbox.authority import load_authority
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.nodes import NodeProcess, has_nodes, readdress_nodes, running_nodes
from gateway.cli.sandbox.provinces import ProvinceName
from gateway.cli.sandbox.renewal import renew
from gateway.cli.sandbox.running import addresses_of, departments
from gateway.cli.sandbox.settings import Ports, readdress_config
from gateway.cli.sandbox.simulated import SIMULATED
from gateway.cli.sandbox.simulators import Simulator
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.trust import moment
from gateway.wiring import load_policy

FORMAT: Final = "hutong-sandbox/3"
"""One more for each set of departments: a folder that knows fewer has no keys for the others.

Also for each fact that is kept: what a folder does not say of itself nobody can guess.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a later start has to know of the first one."""

    seed: int
    population: int
    port: int
    province: ProvinceName = ProvinceName.HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The departments of a sandbox that was taken up again."""

    simulators: dict[str, Simulator]
    nodes: dict[str, NodeProcess]


def store_kept(folders: Folders, kept: Kept) -> None:
    """Note that a sandbox is whole, and what it was started with."""
    members = {
        "format": FORMAT,
        "seed": kept.seed,
        "population": kept.population,
        "port": kept.port,
        "province": kept.province,
    }
    folders.kept.write_text(json.dumps(members) + "\n", "utf-8")


def load_kept(folders: Folders) -> Kept | None:
    """Return what an earlier start noted; None for a folder that is empty or not there.

    Raises:
        Told: SANDBOX_FOLDER_FOREIGN, also for a sandbox whose first start never ended;
            SANDBOX_FOLDER_UNUSABLE.
    """
    try:
        there = set(folders.root.iterdir()) if folders.root.exists() else set()
    except OSError as error:
        raise Told(CommandReason.SANDBOX_FOLDER_UNUSABLE, str(folders.root)) from error
    if not there - {folders.lock}:
        return None
    try:
        noted = json.loads(folders.kept.read_text("utf-8"))
        if noted["format"] == FORMAT:
            return Kept(
                seed=int(noted["seed"]),
                population=int(noted["population"]),
                port=int(noted["port"]),
                province=ProvinceName(noted["province"]),
            )
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise Told(CommandReason.SANDBOX_FOLDER_FOREIGN, str(folders.root))


@contextlib.contextmanager
def locked(folders: Folders) -> Iterator[None]:
    """Hold a sandbox's folder for this process.

    Raises:
        Told: SANDBOX_RUNS_ALREADY, SANDBOX_FOLDER_UNUSABLE.
    """
    try:
        folders.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folders.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Told(CommandReason.SANDBOX_FOLDER_UNUSABLE, str(folders.root)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        # from None: that the lock is held is all there is to say.
        raise Told(CommandReason.SANDBOX_RUNS_ALREADY, str(folders.root)) from None
    try:
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def resumed(folders: Folders, kept: Kept, ports: Ports) -> AsyncIterator[Taken]:
    """Renew what has run out and start the departments; the gateway is for the caller to start.

    Raises:
        Told: SANDBOX_ENDED, by root or agreements.
    """
    at = moment(SystemClock().now_ms()).replace(microsecond=0)
    _require_in_force(folders, at)
    renew(folders, at)
    names = _simulated(folders)
    async with departments(folders.departments, names, kept.seed, kept.population) as simulators:
        addresses = addresses_of(simulators)
        if not has_nodes(folders):
            readdress_config(folders, ports, addresses)
            yield Taken(simulators=simulators, nodes={})
            return
        readdress_nodes(folders, addresses)
        async with running_nodes(folders) as nodes:
            told = {name: each.address for name, each in nodes.items()}
            readdress_config(folders, ports, {}, told)
            yield Taken(simulators=simulators, nodes=nodes)


def _simulated(folders: Folders) -> frozenset[str]:
    """Return the simulated departments that the gateway of a folder connects."""
    config = yaml.safe_load(folders.config.read_text("utf-8"))
    return frozenset(config["departments"]) & SIMULATED.keys()


def _require_in_force(folders: Folders, at: datetime) -> None:
    authority = load_authority(folders.authority)
    bundle = load_policy(load_config(folders.config))
    ends = min(authority.certificate.not_after.date(), bundle.expires)
    if at.date() >= ends:
        raise Told(CommandReason.SANDBOX_ENDED, str(ends))


def require_free(ports: Ports) -> None:
    """Refuse ports that somebody listens at, before anything is written; 0 is any free one.

    Raises:
        Told: PORT_TAKEN.
    """
    for port in (ports.gateway, ports.health):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                # from None: the system's text names the port a second time.
                raise Told(CommandReason.PORT_TAKEN, str(port)) from None
