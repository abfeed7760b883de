"""`hutong serve` and `hutong check-config`: one gateway process from one configuration file."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from certs.errors import CertificateRefused
from certs.trust_store import load_trust_store
from gateway.access_log.errors import AccessLogError
from gateway.app import Gateway, build_gateway
from gateway.catalog.problems import PolicyRefused
from gateway.cli.diagnostics import write_diagnostics
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json
from gateway.config import (
    Config,
    ConfigError,
    config_path_from_environment,
    describe,
    load_config,
    load_credential,
)
from gateway.policy.ports_sqlite import KEY_BYTES
from gateway.wiring import (
    load_departments,
    load_epoch_keys,
    load_log_signer,
    load_policy,
    load_signer,
    load_tls,
)
from signing.errors import SigningError

REFUSALS = (
    ConfigError,
    PolicyRefused,
    CertificateRefused,
    AccessLogError,
    SigningError,
    OSError,
    ValueError,
)
"""What an operator has to mend; each text names the setting or the file."""

_Config = Annotated[
    Path | None, typer.Option("--config", help="Configuration; default: $HUTONG_CONFIG.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command that was named; the other one stays a stub of the root."""
    app.command(name, help=help_line)(serve if name == "serve" else check_config)


def serve(
    config: _Config = None,
    *,
    sandbox: Annotated[
        bool, typer.Option(help="Serve a configuration with sandbox keys, for tests.")
    ] = False,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; diagnostics are JSON lines on standard error."""
    chosen = _load(config)
    if chosen.sandbox and not sandbox:
        text = "sandbox keys serve no real exchange: use `hutong sandbox`, or --sandbox in tests"
        raise Ended(ExitCode.UNREADABLE, text)
    write_diagnostics()
    typer.echo(describe(chosen), err=True)
    try:
        uvloop.run(_serve(chosen))
    except REFUSALS as error:
        raise Ended(ExitCode.UNREADABLE, f"cannot serve: {error}") from error


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    gateway = build_gateway(config)
    try:
        await _started(gateway)
        await stop.wait()
    finally:
        await gateway.stop()


async def _started(gateway: Gateway) -> None:
    """Start a gateway and say so to whoever reads diagnostics.

    Raises:
        ConfigError: a port is taken.
    """
    try:
        await gateway.start()
    except RuntimeError as error:
        # grpcio's own, for a port that cannot be bound; its text names the address only.
        raise ConfigError(f"listen: {gateway.config.listen} cannot be bound") from error
    structlog.get_logger("serve").info(
        "serving",
        port=gateway.port,
        health_port=gateway.health_port,
        policy=gateway.config.policy_digest,
        log_size=gateway.log.size,
    )


def check_config(config: _Config = None, *, json: _Json = False) -> None:
    """Load everything a configuration names, as `serve` would; open no log, bind no port."""
    chosen = _load(config)
    problems = dict(_problems(chosen))
    if json:
        print_json({"ready": not problems, "problems": dict(problems)})
    else:
        typer.echo(describe(chosen))
        for part, problem in problems.items():
            typer.echo(f"{part}: {problem}", err=True)
        if not problems:
            typer.echo("ready: every file can be read")
    raise Ended(ExitCode.NO if problems else ExitCode.YES)


def _problems(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what cannot be loaded, by part."""
    parts: dict[str, Callable[[], None]] = {
        "trust": lambda: _trust(config),
        "policy and departments": lambda: _policy(config),
        "envelope_signer": lambda: _touch(load_signer(config.envelope_signer)),
        "tls": lambda: _touch(load_tls(config.tls, b"")),
        "log.signer": lambda: _touch(load_log_signer(config.log.signer)),
        "log.epoch_keys": lambda: _touch(load_epoch_keys(config)),
        "registers_key_file": lambda: _secret(config.registers_key_file),
        "pseudonym_secret_file": lambda: _secret(config.pseudonym_secret_file),
    }
    for name, load in parts.items():
        try:
            load()
        except REFUSALS as error:
            yield name, str(error)


def _trust(config: Config) -> None:
    store = load_trust_store(config.trust)
    if store.snapshot.has_sandbox_anchor and not config.sandbox:
        raise ConfigError("holds a sandbox anchor, which serves no real exchange")


def _policy(config: Config) -> None:
    bundle = load_policy(config)
    load_departments(config.departments, bundle.catalog, bundle.matters)


def _secret(path: Path) -> None:
    if len(load_credential(path)) != KEY_BYTES:
        raise ConfigError(f"{path.name} holds no {KEY_BYTES} bytes")


def _touch(_loaded: object) -> None:
    """Take what was loaded: that it could be is all that matters here."""


def _load(path: Path | None) -> Config:
    chosen = path or config_path_from_environment()
    if chosen is None:
        raise Ended(ExitCode.USAGE, "name a configuration: --config FILE, or HUTONG_CONFIG")
    try:
        return load_config(chosen)
    except ConfigError as error:
        raise Ended(ExitCode.UNREADABLE, f"configuration: {error}") from error
