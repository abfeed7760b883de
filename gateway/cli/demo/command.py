"""`hutong demo`: exit 0 only if every expectation held."""

import asyncio
from typing import Annotated

import typer

from gateway.cli.demo.run import run_demo
from gateway.cli.demo.screen import demo_json, show_demo
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import build_console, print_json
from gateway.diagnostics import silence_diagnostics


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command."""
    app.command(name, help=help_line)(demo)


def demo(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print data instead of tables.")] = False,
) -> None:
    """Run the demo and show it."""
    silence_diagnostics()
    found = asyncio.run(run_demo())
    if json:
        print_json(demo_json(found))
    else:
        show_demo(build_console(), found)
    raise Ended(ExitCode.YES if found.holds else ExitCode.NO)
