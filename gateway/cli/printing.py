"""What commands write: JSON for machines, tables nobody cuts, command lines that run as printed."""

import json
import shlex
import sys
from pathlib import Path
from typing import Final

import typer
from rich.console import Console

from signing.encoding import JsonValue

PROGRAM: Final = "hutong"
UNCUT: Final = 10_000
"""Columns where nothing is a terminal: no table of ours is as wide, so nothing is folded or cut."""


def print_json(value: JsonValue) -> None:
    """Print one JSON value, indented, in UTF-8."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def build_console() -> Console:
    """Return a console as wide as the terminal; a file or pipe gets every line whole."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=UNCUT)


def command_line(*arguments: str) -> str:
    """Return a command line of this program that runs in a shell from the current folder."""
    return shlex.join([called_as(), *arguments])


def called_as() -> str:
    """Return how this program was called, shorter where it lies below the current folder."""
    called = Path(sys.argv[0])
    if called.name != PROGRAM:
        return PROGRAM  # inside another program there is no path that would run it
    here = Path.cwd()
    return str(called.relative_to(here)) if called.is_relative_to(here) else str(called)
