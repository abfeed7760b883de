"""`hutong provide`: one provider node of a department from one configuration file."""

import asyncio
import json as json_text
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import command_line, print_json
from gateway.collector import keep_apart_what_lives_on
from gateway.config import describe, load_settings
from gateway.credentials import ConfigError
from gateway.diagnostics import write_diagnostics
from gateway.node.building import REFUSALS, RunningNode, build_node, find_node_problems
from gateway.node.config import NodeConfig


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command."""
    app.command(name, help=help_line)(provide)


def provide(
    config: Annotated[Path, typer.Option("--config", help="Configuration of the node.")],
    *,
    sandbox: Annotated[
        bool, typer.Option(help="Allow a configuration with sandbox keys, for tests.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Judge everything; start nothing.")
    ] = False,
    exit_with_stdin: Annotated[
        bool, typer.Option("--exit-with-stdin", help="End when standard input ends.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Serve a department's data from its own side, with its own key, until SIGTERM or Ctrl-C."""
    chosen = _load(config, sandbox=sandbox)
    if check:
        raise Ended(_check(chosen, json=json))
    write_diagnostics()
    typer.echo(describe(chosen), err=True)
    try:
        uvloop.run(_serve(chosen, json=json, exit_with_stdin=exit_with_stdin))
    except REFUSALS as error:
        raise Ended(ExitCode.UNREADABLE, f"cannot provide: {error}") from error


def _load(path: Path, *, sandbox: bool) -> NodeConfig:
    """Return the configuration of a node.

    Raises:
        Ended: it cannot be read, or holds a sandbox's keys and nobody asked for those.
    """
    try:
        chosen = load_settings(path, NodeConfig)
    except ConfigError as error:
        raise Ended(ExitCode.UNREADABLE, f"configuration: {error}") from error
    if chosen.sandbox and not sandbox:
        starting = command_line("sandbox", "--remote")
        text = f"its keys serve no real exchange: use `{starting}`, or --sandbox in tests"
        raise Ended(ExitCode.UNREADABLE, f"cannot provide: sandbox: {text}")
    return chosen


def _check(config: NodeConfig, *, json: bool) -> ExitCode:
    problems = dict(find_node_problems(config))
    if json:
        print_json({"ready": not problems, "problems": dict(problems)})
    else:
        typer.echo(describe(config))
        for part, problem in problems.items():
            typer.echo(f"{part}: {problem}", err=True)
        if not problems:
            typer.echo("ready: the node would start, if its ports are free")
    return ExitCode.NO if problems else ExitCode.YES


async def _serve(config: NodeConfig, *, json: bool, exit_with_stdin: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = build_node(config)
    watching = asyncio.create_task(_watch_stdin(stop)) if exit_with_stdin else None
    try:
        await running.start()
        _say_ready(running, json=json)
        await stop.wait()
    finally:
        if watching is not None:
            watching.cancel()
        await running.stop()


def _say_ready(running: RunningNode, *, json: bool) -> None:
    """Say where the node answers: a line on standard output with --json, and a diagnostic."""
    host = running.config.listen.rpartition(":")[0]
    health_host = running.config.health_listen.rpartition(":")[0]
    ready = {
        "ready": True,
        "system_id": running.config.system_id,
        "address": f"{host}:{running.port}",
        "health": f"http://{health_host}:{running.health_port}",
    }
    if json:
        typer.echo(json_text.dumps(ready, ensure_ascii=False))
    structlog.get_logger("provide").info(
        "providing",
        port=running.port,
        health_port=running.health_port,
        policy=running.config.policy_digest,
        objects_kept_apart=keep_apart_what_lives_on(),
    )


async def _watch_stdin(stop: asyncio.Event) -> None:
    """Ask for the end when standard input has ended: whoever started this process is gone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        continue
    stop.set()
