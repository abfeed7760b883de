"""`hutong simulate`: one simulated department alone, for whoever writes an adapter."""

import os
import sys
from enum import EnumType, StrEnum
from importlib import import_module
from typing import Annotated

import typer

from adapters.simulators.command_line import parse_fault
from gateway.cli.told import CommandReason, Told


class Department(StrEnum):
    """A department there is a simulator of."""

    EDUCATION = "education"
    HEALTH = "health"
    PUBLIC_SECURITY = "public_security"
    CIVIL_AFFAIRS = "civil_affairs"
    BANK = "bank"
    COMMERCE = "commerce"
    TAX = "tax"


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command; what follows the department's name is the simulator's own."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name, help=help_line, context_settings=settings)(simulate)


def simulate(
    context: typer.Context,
    department: Annotated[Department, typer.Argument(help="Which department.")],
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:COUNT]",
            help="A fault of the department's page that is on from the start. 启动即有的故障",
        ),
    ] = None,
) -> None:
    """Run a simulator; `-- --help` after its name lists its options (docs/population.md)."""
    faults = fault or []
    _require_known(department, faults)
    module = f"adapters.simulators.{department}"
    options = [f"--fault={each}" for each in faults]
    # Its own process from here on: it shares no code with the gateway.
    os.execv(sys.executable, [sys.executable, "-m", module, *options, *context.args])  # noqa: S606  no shell


def list_faults(department: Department) -> tuple[str, ...]:
    """Return the closed list of a department's faults, in the order of its simulator."""
    listed: EnumType = import_module(f"adapters.simulators.{department}.faults").Fault
    return tuple(map(str, listed))


def _require_known(department: Department, faults: list[str]) -> None:
    """Judge the faults before a process is begun.

    Raises:
        Told: FAULT_UNKNOWN, USAGE_WRONG.
    """
    known = list_faults(department)
    for each in faults:
        try:
            name, _ = parse_fault(each)
        except ValueError:
            raise Told(CommandReason.USAGE_WRONG, "--fault NAME[:COUNT]") from None
        if name not in known:
            raise Told(CommandReason.FAULT_UNKNOWN, ", ".join(known))
