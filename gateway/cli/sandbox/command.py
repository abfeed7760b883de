"""`hutong sandbox` and `hutong sandbox enrol`."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from adapters.simulators.population import planted
from gateway.cli.diagnostics import write_diagnostics
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import command_line, print_json
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.enrolment import Enrolled, enrol
from gateway.cli.sandbox.folders import Folders, store_address
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from gateway.cli.sandbox.settings import Ports
from gateway.clock import SystemClock
from gateway.trust import moment
from hutong.client import load_identity
from signing.encoding import JsonValue

POPULATION: Final = 1_000
EXAMPLE: Final = "ordinary_graduate"

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
        Path | None, typer.Option("--dir", help="Keep everything in this empty folder.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the gateway; 0 takes a free one.")] = 0,
    health_port: Annotated[int, typer.Option(help="Port of health and metrics.")] = 0,
    population: Annotated[int, typer.Option(min=240, max=1_000_000)] = POPULATION,
    seed: Annotated[int, typer.Option(min=1)] = 1,
    *,
    json: Json = False,
) -> None:
    """Run departments, gateway and one identity per partner on loopback until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    if directory is not None and directory.exists() and any(directory.iterdir()):
        raise Ended(ExitCode.USAGE, f"{directory} is not empty: each sandbox needs its own folder")
    options = SandboxOptions(
        root=None if directory is None else directory.absolute(),
        seed=seed,
        population=population,
        ports=Ports(gateway=port, health=health_port),
    )
    write_diagnostics()
    asyncio.run(_run(options, json=json))


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


async def _run(options: SandboxOptions, *, json: bool) -> None:
    """Serve until a signal comes, then end everything in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.ensure_future(stop.wait())
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(prepared(options))
        gateway = await stack.enter_async_context(serving(world))
        address, health = f"127.0.0.1:{gateway.port}", f"127.0.0.1:{gateway.health_port}"
        store_address(world.world.folders, address)
        stack.callback(world.world.folders.address.unlink, missing_ok=True)
        if json:
            print_json(_sandbox_json(world, address, health))
        else:
            _show(world, address, health)
        await starting


def _show(sandbox: Sandbox, address: str, health: str) -> None:
    folders = sandbox.world.folders
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"gateway  {address}  (mutual TLS)")
    console.print(f"health   http://{health}/readyz  /healthz  /metrics")
    console.print(f"folder   {folders.root}")
    console.print(f"log key  {sandbox.world.log_vkey}", markup=False)
    for name, each in sandbox.simulators.items():
        console.print(f"{name:16} {each.base_url}")
    console.print("\nAsk as the retirement system:\n")
    console.print(_retirement_example(folders), markup=False)
    console.print("\nEnrol yourself:\n")
    enrolling = command_line("sandbox", "enrol", "newcomer-1", "--dir", str(folders.root))
    console.print(enrolling, markup=False)
    console.print("\nCtrl-C ends everything.")


def _retirement_example(folders: Folders) -> str:
    person = next(each for each in planted() if each.name_of_case == EXAMPLE)
    identity = folders.partner("retirement")
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


def _sandbox_json(sandbox: Sandbox, address: str, health: str) -> JsonValue:
    folders = sandbox.world.folders
    partners: dict[str, JsonValue] = {
        each.name: str(each) for each in sorted(folders.partners.iterdir())
    }
    departments: dict[str, JsonValue] = {
        name: {"base_url": each.base_url, "admin_port": each.admin_port}
        for name, each in sandbox.simulators.items()
    }
    return {
        "address": address,
        "health": f"http://{health}",
        "folder": str(folders.root),
        "config": str(folders.config),
        "log_key": sandbox.world.log_vkey,
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
