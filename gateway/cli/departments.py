"""`hutong departments`: how each department of a running gateway has answered lately.

Read from the gateway's health port; nothing about persons stands there.
"""

import contextlib
import http.client
import json as json_text
import re
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import build_console, print_json
from gateway.cli.serve import ConfigOption, load_chosen
from gateway.cli.told import CommandReason, Told
from gateway.config import ADDRESS
from signing.encoding import JsonValue

PATIENCE_S: Final = 5.0
MAX_BYTES: Final = 1 << 20
CLOSED: Final = "CLOSED"
HealthOption = Annotated[
    str | None,
    typer.Option("--health", help="HOST:PORT of health, where the configuration says port 0."),
]
_BREAKERS: Final = {"CLOSED": "闭合 closed", "HALF_OPEN": "试探 half-open", "OPEN": "断开 open"}


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command."""
    app.command(name, help=help_line)(departments)


def departments(
    config: ConfigOption = None,
    health: HealthOption = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Tell of the last ten minutes: 0 all are asked, 1 a breaker is not closed, 2 nothing known."""
    address = health or load_chosen(config).health_listen
    told = fetch_departments(address)
    rows = _rows(told)
    if json:
        print_json(told)
    else:
        _show(rows, told)
    is_open = any(row["breaker"] != CLOSED for row in rows)
    raise Ended(ExitCode.NO if is_open else ExitCode.YES)


def fetch_departments(address: str) -> dict[str, JsonValue]:
    """Return what a gateway's health port tells of its departments.

    Raises:
        Told: GATEWAY_SILENT.
    """
    if not re.fullmatch(ADDRESS, address):
        raise Told(CommandReason.GATEWAY_SILENT, address)
    try:
        with contextlib.closing(
            http.client.HTTPConnection(address, timeout=PATIENCE_S)
        ) as connection:
            connection.request("GET", "/departments")
            answer = connection.getresponse()
            # Whatever an error page holds is no word of departments; nothing is no JSON either.
            body = answer.read(MAX_BYTES) if answer.status == http.HTTPStatus.OK else b""
            told = json_text.loads(body)
        _rows(told)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise Told(CommandReason.GATEWAY_SILENT, address) from error
    return dict(told)


def _rows(told: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    """Return the members of the departments.

    Raises:
        KeyError, TypeError: it is something else.
    """
    rows, _ = told["departments"], told["window_s"]
    if not isinstance(rows, list):
        raise TypeError
    found = [row for row in rows if isinstance(row, dict)]
    if len(found) < len(rows):
        raise TypeError
    for row in found:
        _ = (row["organisation"], row["breaker"], row["asked"], row["answered"])
    return found


def _show(rows: list[dict[str, JsonValue]], told: dict[str, JsonValue]) -> None:
    table = Table(title=escape(f"部门 · departments ({told['window_s']} s)"))
    # A code that is cut short names nobody: 80 columns hold all of it.
    headings = ("部门\norganisation", "断路器\nbreaker", "提问\nasked", "答复\nanswered")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for heading in ("P50\nms", "P95\nms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(f"{row['organisation']}\n{_families(row.get('datasets'))}"),
            escape(_BREAKERS.get(str(row["breaker"]), str(row["breaker"]))),
            escape(str(row["asked"])),
            _share(row["answered"], row["asked"]),
            _milliseconds(row.get("p50_us")),
            _milliseconds(row.get("p95_us")),
        )
    build_console().print(table)


def _families(datasets: JsonValue) -> str:
    """Return what the names of datasets begin with, e.g. `edu.*`."""
    names = datasets if isinstance(datasets, list) else []
    return " ".join(sorted({f"{str(name).partition('.')[0]}.*" for name in names}))


def _share(answered: JsonValue, asked: JsonValue) -> str:
    if not isinstance(answered, int) or not isinstance(asked, int) or asked == 0:
        return "-"
    return f"{answered / asked:.1%}"


def _milliseconds(microseconds: JsonValue) -> str:
    return f"{microseconds / 1000:.1f}" if isinstance(microseconds, int) else "-"
