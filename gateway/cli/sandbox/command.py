"""`hutong sandbox` and `hutong sandbox enrol`."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from adapters.simulators.population import planted
from gateway.app import Gateway
from gateway.cli.printing import command_line, print_json
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.enrolment import Enrolled, enrol
from gateway.cli.sandbox.folders import Folders, store_address
from gateway.cli.sandbox.nodes import NodeProcess, has_nodes
from gateway.cli.sandbox.partners import readdress_partners
from gateway.cli.sandbox.provinces import PROVINCES, ProvinceName
from gateway.cli.sandbox.restart import (
    Kept,
    load_kept,
    locked,
    require_free,
    resumed,
    store_kept,
)
from gateway.cli.sandbox.running import SandboxOptions, prepared, serving, serving_from
from gateway.cli.sandbox.settings import Ports
from gateway.cli.sandbox.simulators import Simulator
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.diagnostics import write_diagnostics
from gateway.trust import moment
from hutong.client import load_identity
from signing.encoding import JsonValue

POPULATION: Final = 1_000
EXAMPLE: Final = "ordinary_graduate"
EXAMPLE_SYSTEM: Final = "retirement"
"""Who asks in the examples; another province has no such partner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What `hutong sandbox` tells about."""

    folders: Folders
    simulators: Mapping[str, Simulator]
    nodes: Mapping[str, NodeProcess]

    @property
    def log_vkey(self) -> str:
        """The log's public key as partners receive it."""
        return self.folders.log_key.read_text("utf-8").strip()


Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the group: without a subcommand it runs a sandbox."""
    group = typer.Typer(help=help_line)
    group.callback(invoke_without_command=True)(sandbox)
    group.command("enrol")(enrol_newcomer)
    app.add_typer(group, name=name)


def sandbox(
    context: typer.Context,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Keep everything here; a folder kept earlier is taken up again."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port of the gateway; 0: the one it had, or a free one.")
    ] = 0,
    health_port: Annotated[int, typer.Option(help="Port of health and metrics.")] = 0,
    population: Annotated[
        int | None, typer.Option(min=240, max=1_000_000, help=f"People; default {POPULATION}.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=1, help="Of the people; default 1.")] = None,
    *,
    remote: Annotated[
        bool, typer.Option("--remote", help="Give each department a provider node of its own.")
    ] = False,
    province: Annotated[
        ProvinceName | None,
        typer.Option(help="other: another province's HRSS, its own tables and M11 alone."),
    ] = None,
    json: Json = False,
) -> None:
    """Run departments, gateway and one identity per partner on loopback until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    folders = None if directory is None else Folders(root=directory.absolute())
    kept = None if folders is None else load_kept(folders)
    if kept is not None and (seed or kept.seed, population or kept.population) != (
        kept.seed,
        kept.population,
    ):
        raise Told(CommandReason.SANDBOX_PEOPLE_FIXED)
    if folders is not None and kept is not None and remote and not has_nodes(folders):
        raise Told(CommandReason.SANDBOX_NODES_FIXED)
    if kept is not None and province not in {None, kept.province}:
        raise Told(CommandReason.SANDBOX_PROVINCE_FIXED)
    people = kept or Kept(
        seed=seed or 1,
        population=population or POPULATION,
        port=0,
        province=province or ProvinceName.HOME,
    )
    ports = Ports(gateway=port or people.port, health=health_port)
    write_diagnostics()
    with contextlib.nullcontext() if folders is None else locked(folders):
        # A first start that fails later leaves a folder that cannot be taken up.
        require_free(ports)
        start = _Start(
            folders=folders,
            people=people,
            ports=ports,
            kept=kept,
            remote=remote,
        )
        asyncio.run(_run(start, json=json))


def enrol_newcomer(
    slug: Annotated[str, typer.Argument(help="A free seat: newcomer-1, newcomer-2, newcomer-3.")],
    directory: Annotated[Path, typer.Option("--dir", help="The folder of the running sandbox.")],
    identity: Annotated[
        Path | None, typer.Option(help="Where the identity goes; default DIR/partners/SLUG.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Give a newcomer own keys, certificates, agreements, a case and an identity directory."""
    folders = Folders(root=directory.absolute())
    target = identity.absolute() if identity is not None else folders.partner(slug)
    at = moment(SystemClock().now_ms())
    enrolled = enrol(slug, folders, target, at.replace(microsecond=0))
    if json:
        print_json(_enrolled_json(enrolled))
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{enrolled.system_id} is enrolled; the gateway knows it within two seconds.")
    console.print("Ask your first question:\n")
    console.print(_example(enrolled), markup=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """How a sandbox begins: anew, or where an earlier one was stopped."""

    folders: Folders | None
    people: Kept
    ports: Ports
    kept: Kept | None
    remote: bool


@contextlib.asynccontextmanager
async def _started(start: _Start) -> AsyncIterator[tuple[_Running, Gateway]]:
    """Start everything, in the order in which it is needed."""
    if start.folders is not None and start.kept is not None:
        async with (
            resumed(start.folders, start.kept, start.ports) as taken,
            serving_from(start.folders) as gateway,
        ):
            readdress_partners(start.folders, f"127.0.0.1:{gateway.port}")
            running = _Running(
                folders=start.folders, simulators=taken.simulators, nodes=taken.nodes
            )
            yield running, gateway
        return
    options = SandboxOptions(
        root=None if start.folders is None else start.folders.root,
        seed=start.people.seed,
        population=start.people.population,
        ports=start.ports,
        remote=start.remote,
        province=PROVINCES[start.people.province],
    )
    async with prepared(options) as made, serving(made) as gateway:
        folders = made.world.folders
        yield _Running(folders=folders, simulators=made.simulators, nodes=made.nodes), gateway


async def _run(start: _Start, *, json: bool) -> None:
    """Serve until a signal comes, then end everything in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.ensure_future(stop.wait())
    async with contextlib.AsyncExitStack() as stack:
        running, gateway = await stack.enter_async_context(_started(start))
        address, health = f"127.0.0.1:{gateway.port}", f"127.0.0.1:{gateway.health_port}"
        store_kept(running.folders, replace(start.people, port=gateway.port))
        store_address(running.folders, address)
        stack.callback(running.folders.address.unlink, missing_ok=True)
        if json:
            print_json(_sandbox_json(running, address, health))
        else:
            _show(running, address, health)
        await starting


def _show(sandbox: _Running, address: str, health: str) -> None:
    folders = sandbox.folders
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"gateway  {address}  (mutual TLS)")
    console.print(f"health   http://{health}/readyz  /healthz  /metrics  /departments")
    console.print(f"folder   {folders.root}")
    console.print(f"log key  {sandbox.log_vkey}", markup=False)
    for name, each in sandbox.simulators.items():
        console.print(f"{name:16} {each.base_url}")
    for name, node in sandbox.nodes.items():
        console.print(f"{name + ' node':16} {node.address}  (mutual TLS)  {node.health}/readyz")
    if folders.partner(EXAMPLE_SYSTEM).exists():
        console.print("\nAsk as the retirement system:\n")
        console.print(_retirement_example(folders), markup=False)
        console.print("\nEnrol yourself:\n")
        enrolling = command_line("sandbox", "enrol", "newcomer-1", "--dir", str(folders.root))
        console.print(enrolling, markup=False)
    console.print("\nCtrl-C ends everything.")


def _retirement_example(folders: Folders) -> str:
    person = next(each for each in planted() if each.name_of_case == EXAMPLE)
    identity = folders.partner(EXAMPLE_SYSTEM)
    hint = load_identity(identity).agreements[0]
    return _ask_line(identity, hint.number, case_number("M2", person))


def _example(enrolled: Enrolled) -> str:
    return _ask_line(enrolled.identity, enrolled.agreements[0], enrolled.case_number)


def _ask_line(identity: Path, agreement: str, case: str) -> str:
    person = next(each for each in planted() if each.name_of_case == EXAMPLE)
    return command_line(
        *("ask", "--identity", str(identity), "--agreement", agreement),
        *("--matter", "M2", "--case", case),
        *("--subject-id", person.id_number, "--subject-name", person.full_name),
        *("--field", "full_name", "--field", "birth_date", "--field", "person_state"),
    )


def _sandbox_json(sandbox: _Running, address: str, health: str) -> JsonValue:
    folders = sandbox.folders
    partners: dict[str, JsonValue] = {
        each.name: str(each) for each in sorted(folders.partners.iterdir())
    }
    departments: dict[str, JsonValue] = {
        name: {"base_url": each.base_url, "admin_port": each.admin_port}
        for name, each in sandbox.simulators.items()
    }
    nodes: dict[str, JsonValue] = {
        name: {"address": each.address, "health": each.health}
        for name, each in sandbox.nodes.items()
    }
    return {
        "nodes": nodes,
        "address": address,
        "health": f"http://{health}",
        "folder": str(folders.root),
        "config": str(folders.config),
        "log_key": sandbox.log_vkey,
        "partners": partners,
        "departments": departments,
    }


def _enrolled_json(enrolled: Enrolled) -> JsonValue:
    agreements: list[JsonValue] = list(enrolled.agreements)
    return {
        "system_id": enrolled.system_id,
        "identity": str(enrolled.identity),
        "case": enrolled.case_number,
        "subject_id": enrolled.person.id_number,
        "subject_name": enrolled.person.full_name,
        "agreements": agreements,
    }
