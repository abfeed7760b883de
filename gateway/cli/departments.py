"""`hutong departments`: how each department of a running gateway has answered lately.

Read from the gateway's health port; nothing about persons stands there.
"""

import contextlib
import re
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from rich.markup import escape
from rich.table import Table

from adapters.port import BreakerState
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import build_console, print_json
from gateway.cli.serve import ConfigOption, load_chosen
from gateway.cli.told import CommandReason, Told
from gateway.config import ADDRESS

PATIENCE_S: Final = 5.0
MAX_BYTES: Final = 1 << 20
HealthOption = Annotated[
    str | None,
    typer.Option("--health", help="HOST:PORT of health, where the configuration says port 0."),
]
_BREAKERS: Final = {
    BreakerState.CLOSED: "闭合 closed",
    BreakerState.HALF_OPEN: "试探 half-open",
    BreakerState.OPEN: "断开 open",
}


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
    told = fetch_departments(health or load_chosen(config).health_listen)
    if json:
        print_json(told.model_dump(mode="json"))
    else:
        _show(told)
    closed = all(each.breaker is BreakerState.CLOSED for each in told.departments)
    raise Ended(ExitCode.YES if closed else ExitCode.NO)


class DepartmentTold(BaseModel):
    """One department, as the health port tells of it (docs/operations/health.md)."""

    organisation: str
    datasets: tuple[str, ...]
    breaker: BreakerState
    waiting: int
    room: int
    asked: int
    answered: int
    p50_us: int | None
    p95_us: int | None


class DepartmentsTold(BaseModel):
    """What the health port tells; `window_s` in seconds."""

    window_s: int
    departments: tuple[DepartmentTold, ...]


def fetch_departments(address: str) -> DepartmentsTold:
    """Return what a gateway's health port tells of its departments.

    Raises:
        Told: GATEWAY_SILENT.
    """
    if not re.fullmatch(ADDRESS, address):
        raise Told(CommandReason.GATEWAY_SILENT, address)
    try:
        with contextlib.closing(HTTPConnection(address, timeout=PATIENCE_S)) as connection:
            connection.request("GET", "/departments")
            answer = connection.getresponse()
            # Whatever an error page holds is no word of departments; nothing is no JSON either.
            body = answer.read(MAX_BYTES) if answer.status == HTTPStatus.OK else b""
        return DepartmentsTold.model_validate_json(body, strict=True)
    except (OSError, HTTPException, ValueError) as error:
        raise Told(CommandReason.GATEWAY_SILENT, address) from error


def _show(told: DepartmentsTold) -> None:
    table = Table(title=f"部门 · departments ({told.window_s} s)")
    # A code that is cut short names nobody: 80 columns hold all of it.
    headings = ("部门\norganisation", "断路器\nbreaker", "提问\nasked", "答复\nanswered")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for heading in ("P50\nms", "P95\nms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in told.departments:
        families = sorted({f"{name.partition('.')[0]}.*" for name in each.datasets})
        table.add_row(
            escape(f"{each.organisation}\n{' '.join(families)}"),
            _BREAKERS[each.breaker],
            str(each.asked),
            f"{each.answered / each.asked:.1%}" if each.asked else "-",
            _milliseconds(each.p50_us),
            _milliseconds(each.p95_us),
        )
    build_console().print(table)


def _milliseconds(microseconds: int | None) -> str:
    return "-" if microseconds is None else f"{microseconds / 1000:.1f}"
