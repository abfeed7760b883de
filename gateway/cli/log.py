"""`hutong log verify` and `hutong log show`.

`verify` is the verifier that stands alone (`python -m hutong.evidence log`). `show` opens the log
as its one writer, because the look itself is an entry: it refuses while a gateway serves.
"""

import asyncio
import json as json_module
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.access_log.epochs import EpochKeys
from gateway.access_log.errors import AccessLogError, LogRefused
from gateway.access_log.log import AccessLog
from gateway.access_log.search import CaseQuery, Found, Look, Query, SubjectQuery
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json
from gateway.clock import SystemClock
from gateway.config import Config, ConfigError, load_config, load_credential
from gateway.wiring import load_log_signer
from hutong.evidence.__main__ import main as judge
from signing.encoding import JsonValue
from signing.errors import SigningError

WHAT: Final = "log.show"

_Config = Annotated[Path, typer.Option("--config", help="Configuration of the gateway.")]
_Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the group."""
    group = typer.Typer(help=help_line, no_args_is_help=True)
    group.command("verify")(verify)
    group.command("show")(show)
    app.add_typer(group, name=name)


def verify(
    log: Annotated[Path, typer.Argument(help="The log's file.")],
    *,
    log_key: Annotated[str, typer.Option(help="Public key: <origin>+<id>+<base64>.")] = "",
    log_key_file: Annotated[Path | None, typer.Option(help="A file that holds it.")] = None,
    receipt: Annotated[
        list[Path] | None, typer.Option(help="A receipt that must be in it; repeat it.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint kept earlier; repeat it.")
    ] = None,
    json: _Json = False,
) -> None:
    """Verify the whole log offline: 0 proven, 1 tampered, 2 cannot tell, 3 unreadable."""
    if bool(log_key) == (log_key_file is not None):
        raise Ended(ExitCode.USAGE, "give --log-key or --log-key-file")
    key = ["--log-key", log_key] if log_key else ["--log-key-file", str(log_key_file)]
    arguments = ["log", str(log), *key]
    for path in receipt or ():
        arguments += ["--receipt", str(path)]
    for path in checkpoint or ():
        arguments += ["--checkpoint", str(path)]
    raise Ended(ExitCode(judge([*arguments, "--json"] if json else arguments)))


def show(
    config: _Config,
    officer: Annotated[str, typer.Option(help="Who looks; logged as a token.")],
    *,
    org: Annotated[str, typer.Option(help="USCC of the organisation that asked.")] = "",
    case: Annotated[str, typer.Option(help="Number of the case; with --org.")] = "",
    subject: Annotated[str, typer.Option(help="Identifier of the subject.")] = "",
    subject_type: Annotated[str, typer.Option(help="RESIDENT_ID or USCC.")] = "RESIDENT_ID",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    json: _Json = False,
) -> None:
    """Show who asked in a case, or about a subject, newest first. The look is logged first."""
    if bool(subject) == bool(case) or bool(case) != bool(org):
        raise Ended(ExitCode.USAGE, "give --org and --case, or --subject")
    try:
        chosen = load_config(config)
        keys = _epoch_keys(chosen)
    except (ConfigError, AccessLogError) as error:
        raise Ended(ExitCode.UNREADABLE, str(error)) from error
    query: Query
    if subject:
        query = SubjectQuery(tokens=keys.tokens(subject_type, subject.upper()), limit=limit)
    else:
        query = CaseQuery(org=org, tokens=keys.tokens("case", f"{org}/{case}"), limit=limit)
    now_ms = SystemClock().now_ms()
    own = chosen.system_id.partition("/")[0]
    token = keys.token("officer", f"{own}/{officer}", now_ms)
    look = Look(what=WHAT, org=own, system=chosen.system_id, officer=token)
    found = _look(chosen, look, query)
    if json:
        entries: list[JsonValue] = [_entry_json(each) for each in found]
        print_json({"entries": entries})
        return
    for each in found:
        typer.echo(f"{each.index}\t{each.entry.decode('utf-8')}")
    typer.echo(f"{len(found)} entries; this look was logged", err=True)


def _look(config: Config, look: Look, query: Query) -> tuple[Found, ...]:
    """Open the log, log the look, look, close."""
    try:
        log = AccessLog.open(
            config.log.database,
            origin=config.log.origin,
            signer=load_log_signer(config.log.signer),
            clock=SystemClock(),
            node=config.system_id,
        )
    except LogRefused as refused:
        text = f"{refused}. While a gateway serves, stop it first: a log has one writer."
        raise Ended(ExitCode.UNREADABLE, text) from refused
    except (AccessLogError, SigningError, ConfigError, OSError) as error:
        raise Ended(ExitCode.UNREADABLE, f"log: {error}") from error

    async def looked() -> tuple[Found, ...]:
        return await log.search(await log.view(look, query))

    try:
        return asyncio.run(looked())
    except AccessLogError as error:
        raise Ended(ExitCode.INDETERMINATE, f"the look could not be logged: {error}") from error
    finally:
        log.close()


def _epoch_keys(config: Config) -> EpochKeys:
    passphrase = load_credential(config.log.epoch_passphrase_file)
    return EpochKeys.load(config.log.epoch_keys, origin=config.log.origin, passphrase=passphrase)


def _entry_json(found: Found) -> JsonValue:
    entry: JsonValue = json_module.loads(found.entry)
    return {"index": found.index, "entry": entry}
