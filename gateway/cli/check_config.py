"""`hutong check-config`: what `serve` would refuse, found without writing, locking or binding.

Each part is judged by the function that builds it, so the two cannot come to differ.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from adapters.registry import build_registry
from gateway.access_log.genesis import Genesis, require_same_log
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json
from gateway.cli.serve import (
    REFUSALS,
    ConfigOption,
    SandboxOption,
    load_chosen,
    require_allowed,
)
from gateway.clock import SystemClock
from gateway.config import Config, ConfigError, describe, load_credential
from gateway.policy.ports_sqlite import KEY_BYTES
from gateway.wiring import (
    load_departments,
    load_epoch_keys,
    load_log_signer,
    load_policy,
    load_signer,
    load_tls,
    load_trust,
    require_own_origin,
)


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command."""
    app.command(name, help=help_line)(check_config)


def check_config(
    config: ConfigOption = None,
    *,
    sandbox: SandboxOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Judge everything a configuration names, as `serve` would; write nothing, bind no port."""
    chosen = load_chosen(config)
    problems = dict(find_problems(chosen, sandbox=sandbox))
    if json:
        print_json({"ready": not problems, "problems": dict(problems)})
    else:
        typer.echo(describe(chosen))
        for part, problem in problems.items():
            typer.echo(f"{part}: {problem}", err=True)
        if not problems:
            typer.echo("ready: serve would start, if its ports and the lock of the log are free")
    raise Ended(ExitCode.NO if problems else ExitCode.YES)


def find_problems(config: Config, *, sandbox: bool) -> Iterator[tuple[str, str]]:
    """Yield what `serve` would refuse, by part."""
    parts: dict[str, Callable[[], object]] = {
        "sandbox": lambda: require_allowed(config, sandbox=sandbox),
        "trust": lambda: load_trust(config),
        "policy and departments": lambda: _policy(config),
        "envelope_signer": lambda: load_signer(config.envelope_signer),
        "tls": lambda: load_tls(config.tls, b""),
        "log": lambda: _log(config),
        "log.epoch_keys": lambda: load_epoch_keys(config),
        "registers": lambda: _require_file(config.registers, lambda _: None),
        "registers_key_file": lambda: _secret(config.registers_key_file),
        "pseudonym_secret_file": lambda: _secret(config.pseudonym_secret_file),
    }
    for name, load in parts.items():
        try:
            load()
        except (*REFUSALS, sqlite3.Error) as error:
            yield name, str(error)


def _policy(config: Config) -> None:
    bundle = load_policy(config)
    departments = load_departments(config.departments, bundle.catalog, bundle.matters)
    build_registry(departments, SystemClock().now_ms)


def _log(config: Config) -> None:
    require_own_origin(config)
    signer = load_log_signer(config.log.signer)
    genesis = Genesis(origin=config.log.origin, public_key=signer.public_key)
    _require_file(config.log.database, lambda file: require_same_log(file, genesis))


def _require_file(path: Path, judge: Callable[[sqlite3.Connection], object]) -> None:
    """Judge a database read-only; one that is still to be made needs a folder that takes it.

    Raises:
        ConfigError: the folder takes no file.
        sqlite3.Error: it is no database.
    """
    if not path.exists():
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise ConfigError(f"{path} cannot be made")
        return
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    ) as file:
        # The first statement reads the file, and says so where it is no database.
        if file.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
            judge(file)


def _secret(path: Path) -> None:
    if len(load_credential(path)) != KEY_BYTES:
        raise ConfigError(f"{path.name} holds no {KEY_BYTES} bytes")
