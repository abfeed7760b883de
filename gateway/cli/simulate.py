"""`hutong simulate`: one simulated department alone, for whoever writes an adapter."""

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer


class Department(StrEnum):
    """A department there is a simulator of, or the platform before one."""

    EDUCATION = "education"
    HEALTH = "health"
    PUBLIC_SECURITY = "public_security"
    CIVIL_AFFAIRS = "civil_affairs"
    BANK = "bank"
    COMMERCE = "commerce"
    TAX = "tax"
    NATIONAL = "national"


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command; what follows the department's name is the simulator's own."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name, help=help_line, context_settings=settings)(simulate)


def simulate(
    context: typer.Context,
    department: Annotated[Department, typer.Argument(help="Which department.")],
) -> None:
    """Run a simulator; `-- --help` after its name lists its options (docs/population.md)."""
    module = f"adapters.simulators.{department}"
    # Its own process from here on: it shares no code with the gateway.
    os.execv(sys.executable, [sys.executable, "-m", module, *context.args])  # noqa: S606  no shell
