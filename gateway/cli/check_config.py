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
from gateway.config import Config, describe
from gateway.credentials import ConfigError, load_credential
from gateway.log_key import load_log_signer
from gateway.policy.ports_sqlite import KEY_BYTES
from gateway.wiring import (
    describe_link,
    describe_means,
    load_epoch_keys,
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
    link = describe_link(config, lambda: load_trust(config))
    means = describe_means(bundle.catalog, bundle.matters, SystemClock(), link=link)
    build_registry(config.departments, means)


def _log(config: Config) -> None:
    require_own_origin(config)
    signer = load_log_signer(config.log.signer)
    genesis = Genesis(origin=config.log.origin, public_key=signer.public_key)
    _require_file(config.log.database, lambda file: require_same_log(file, genesis))


def _require_file(path: Path, judge: Callable[[sqlite3.Connection], object]) -> None:
    """Judge a database read-only; a folder that takes no file is told, but hides nothing else.

    Raises:
        ConfigError: the folder takes no file.
        sqlite3.Error: it is no database.
    """
    if path.exists():
        _read(path, judge)
    # Also beside a database that is there: SQLite keeps its write-ahead log next to it.
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigError(f"{path}: nothing can be made in its folder")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise ConfigError(f"{path} cannot be written")


def _read(path: Path, judge: Callable[[sqlite3.Connection], object]) -> None:
    # Reading a database in WAL mode makes files beside it, which would be the wrong user's, and
    # fails where it cannot. Where no write-ahead log lies there nobody has it open, and the file
    # alone is the whole truth: then it may be read as immutable.
    serving = path.with_name(f"{path.name}-wal").exists()
    options = "mode=ro" if serving else "mode=ro&immutable=1"
    location = f"{path.absolute().as_uri()}?{options}"
    with contextlib.closing(sqlite3.connect(location, uri=True)) as file:
        # The first statement reads the file, and says so where it is no database.
        if file.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
            judge(file)


def _secret(path: Path) -> None:
    if len(load_credential(path)) != KEY_BYTES:
        raise ConfigError(f"{path.name} holds no {KEY_BYTES} bytes")
