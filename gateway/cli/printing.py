"""What commands write for machines: one JSON object on standard output."""

import json

import typer

from signing.encoding import JsonValue


def print_json(value: JsonValue) -> None:
    """Print one JSON value, indented, in UTF-8."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
