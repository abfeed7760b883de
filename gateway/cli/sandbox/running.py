"""Starts a sandbox and ends it: departments, gateway, and one identity per partner."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.simulators.population.people import DEFAULT_SIZE
from gateway.app import Gateway, build_gateway
from gateway.cli.sandbox.cases import seed_registers
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.nodes import NodeProcess, running_nodes, write_nodes
from gateway.cli.sandbox.partners import write_partner
from gateway.cli.sandbox.provinces import HOME, Province
from gateway.cli.sandbox.settings import Ports, write_config
from gateway.cli.sandbox.simulated import SIMULATED, Addresses, Department
from gateway.cli.sandbox.simulators import (
    Simulator,
    make_hrss_tables,
    start_simulator,
)
from gateway.cli.sandbox.world import World, build_world
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.trust import moment

ANY_PORTS: Final = Ports(gateway=0, health=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """What may be chosen of a sandbox."""

    root: Path | None = None
    seed: int = 1
    population: int = DEFAULT_SIZE
    ports: Ports = ANY_PORTS
    remote: bool = False
    """Whether each department runs a node of its own, and the gateway holds no key of any."""
    systems: frozenset[str] | None = None
    """Which requesting systems get keys; None means all that an agreement names."""
    province: Province = HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A sandbox whose departments run; the gateway runs once `serving` is entered."""

    world: World
    simulators: dict[str, Simulator]
    nodes: dict[str, NodeProcess]


@asynccontextmanager
async def prepared(options: SandboxOptions) -> AsyncIterator[Sandbox]:
    """Make the world and start the departments; the gateway is for the caller to start."""
    with tempfile.TemporaryDirectory(prefix="hutong-sandbox-") as temporary:
        now_ms = SystemClock().now_ms()
        at = moment(now_ms - now_ms % 1000)
        root = options.root or Path(temporary)
        world = build_world(
            root, at, options.systems, remote=options.remote, province=options.province
        )
        folder = world.folders.departments
        simulated = frozenset(options.province.departments) & SIMULATED.keys()
        for name in simulated:
            SIMULATED[name].register(folder, world.client_key)
        async with departments(folder, simulated, options.seed, options.population) as simulators:
            addresses = addresses_of(simulators)
            # Before the nodes: HRSS's asks tables that have to be there.
            _make_tables(world, options)
            async with _nodes(world, addresses) as nodes:
                told = {name: each.address for name, each in nodes.items()}
                write_config(world, options.ports, addresses, told)
                _seed(world, options, now_ms)
                yield Sandbox(world=world, simulators=simulators, nodes=nodes)


@asynccontextmanager
async def _nodes(world: World, addresses: Addresses) -> AsyncIterator[dict[str, NodeProcess]]:
    """Run the departments' nodes, where they have some."""
    if not world.node_keys:
        yield {}
        return
    write_nodes(world, addresses)
    async with running_nodes(world.folders) as nodes:
        yield nodes


def addresses_of(simulators: Mapping[str, Simulator]) -> Addresses:
    """Return the settings that say where each department answers."""
    return {
        name: {"base_url": each.base_url, **SIMULATED[name].further_addresses(each.ports)}
        for name, each in simulators.items()
    }


@asynccontextmanager
async def departments(
    folder: Path, names: Collection[str], seed: int, population: int
) -> AsyncIterator[dict[str, Simulator]]:
    """Run simulated departments, told of us by the files of a folder, over one population."""
    simulators: dict[str, Simulator] = {}
    try:
        people = ("--seed", str(seed), "--population", str(population))
        await _start_all(simulators, {name: SIMULATED[name] for name in names}, folder, people)
        yield simulators
    finally:
        await asyncio.gather(*(each.stop() for each in simulators.values()))


async def _start_all(
    simulators: dict[str, Simulator],
    starting: Mapping[str, Department],
    folder: Path,
    people: tuple[str, ...],
) -> None:
    """Start all of them at once; whoever started is in `simulators` even if another fails."""

    async def start(name: str, each: Department) -> None:
        told = each.arguments(folder)
        simulators[name] = await start_simulator(name, *told, *people, scheme=each.scheme)

    async with asyncio.TaskGroup() as group:
        for name, each in starting.items():
            group.create_task(start(name, each))


@asynccontextmanager
async def serving(sandbox: Sandbox) -> AsyncIterator[Gateway]:
    """Run the gateway in this process and write an identity for every partner."""
    async with serving_from(sandbox.world.folders) as gateway:
        write_partners(sandbox.world, f"127.0.0.1:{gateway.port}")
        yield gateway


@asynccontextmanager
async def serving_from(folders: Folders) -> AsyncIterator[Gateway]:
    """Run the gateway of a folder in this process."""
    gateway = build_gateway(load_config(folders.config))
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


def write_partners(world: World, address: str) -> None:
    """Write the identity directory of every partner that has none yet."""
    for partner in world.partners.values():
        slug = partner.system_id.partition("/")[2]
        folder = world.folders.partner(slug)
        if not folder.exists():
            write_partner(world, partner, address, folder)


def _make_tables(world: World, options: SandboxOptions) -> None:
    """Write HRSS's own tables."""
    path = world.folders.departments / "hrss.db"
    make_hrss_tables(path, options.seed, options.population)


def _seed(world: World, options: SandboxOptions, now_ms: int) -> None:
    """Open the cases of the planted people."""
    folders = world.folders
    matters = tuple(world.bundle.matters)
    seed_registers(
        folders.gateway / "registers.db",
        folders.gateway / "registers-key",
        matters,
        seed=options.seed,
        now_ms=now_ms,
    )
