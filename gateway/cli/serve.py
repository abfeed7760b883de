"""`hutong serve`: one gateway process from one configuration file."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
import uvloop

from adapters.errors import AdapterMisconfigured
from certs.errors import CertificateRefused
from gateway.access_log.errors import AccessLogError
from gateway.app import Gateway, build_gateway
from gateway.catalog.problems import PolicyRefused
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import command_line
from gateway.collector import keep_apart_what_lives_on
from gateway.config import Config, config_path_from_environment, describe, load_config
from gateway.credentials import ConfigError
from gateway.diagnostics import write_diagnostics
from signing.errors import SigningError

REFUSALS: Final = (
    ConfigError,
    AdapterMisconfigured,
    PolicyRefused,
    CertificateRefused,
    AccessLogError,
    SigningError,
    OSError,
    ValueError,
)
"""What an operator has to mend; each text names the setting or the file."""

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration; default: $HUTONG_CONFIG.")
]
SandboxOption = Annotated[
    bool, typer.Option(help="Allow a configuration with sandbox keys, for tests.")
]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command."""
    app.command(name, help=help_line)(serve)


def serve(
    config: ConfigOption = None,
    *,
    sandbox: SandboxOption = False,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; diagnostics are JSON lines on standard error."""
    chosen = load_chosen(config)
    try:
        require_allowed(chosen, sandbox=sandbox)
    except ConfigError as error:
        raise Ended(ExitCode.UNREADABLE, f"cannot serve: {error}") from error
    write_diagnostics()
    typer.echo(describe(chosen), err=True)
    try:
        uvloop.run(_serve(chosen))
    except REFUSALS as error:
        raise Ended(ExitCode.UNREADABLE, f"cannot serve: {error}") from error


def require_allowed(config: Config, *, sandbox: bool) -> None:
    """Refuse sandbox keys where they are not asked for.

    Raises:
        ConfigError: they would serve as a real exchange.
    """
    if config.sandbox and not sandbox:
        starting = command_line("sandbox")
        text = f"its keys serve no real exchange: use `{starting}`, or --sandbox in tests"
        raise ConfigError(f"sandbox: {text}")


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
    kept_apart = keep_apart_what_lives_on()
    structlog.get_logger("serve").info(
        "serving",
        port=gateway.port,
        health_port=gateway.health_port,
        policy=gateway.config.policy_digest,
        log_size=gateway.log.size,
        objects_kept_apart=kept_apart,
    )


def load_chosen(path: Path | None) -> Config:
    """Return the configuration named on the command line or by the environment.

    Raises:
        Ended: none is named, or it cannot be read.
    """
    chosen = path or config_path_from_environment()
    if chosen is None:
        raise Ended(ExitCode.USAGE, "name a configuration: --config FILE, or HUTONG_CONFIG")
    try:
        return load_config(chosen)
    except ConfigError as error:
        raise Ended(ExitCode.UNREADABLE, f"configuration: {error}") from error
