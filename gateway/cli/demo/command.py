"""`hutong demo`: exit 0 only if every expectation held."""

import asyncio
import logging
from typing import Annotated

import structlog
import typer
from rich.console import Console

from gateway.cli.demo.run import run_demo
from gateway.cli.demo.screen import demo_json, show_demo
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json


def register(app: typer.Typer, help_line: str) -> None:
    """Add the command."""
    app.command("demo", help=help_line)(demo)


def demo(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print data instead of tables.")] = False,
) -> None:
    """Run the demo and show it."""
    # The gateway's own diagnostics would stand between the tables.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = asyncio.run(run_demo())
    if json:
        print_json(demo_json(found))
    else:
        show_demo(Console(), found)
    raise Ended(ExitCode.YES if found.holds else ExitCode.NO)
