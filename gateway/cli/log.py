"""`hutong log verify` and `hutong log show`; `init` and `forget` have modules of their own.

`verify` is the verifier that stands alone (`python -m hutong.evidence log`). `show` looks into the
log, and the look itself is an entry: the gateway that serves writes it, else `show` opens the log.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.port import SubjectType
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.log_forgetting import forget
from gateway.cli.log_init import init
from gateway.cli.looking import look
from gateway.cli.printing import print_json
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.credentials import ConfigError
from gateway.looks import NEWEST, LookMalformed, LookRequest, require_look
from hutong.evidence.__main__ import main as judge

PIPED: Final = "-"
FILE_NAME: Final = "access.db"
"""What sandboxes and the documents call the log's file."""
MAX_IDENTIFIER: Final = 64
"""Characters read of an identifier from standard input: the longest has 18."""

_Config = Annotated[Path, typer.Option("--config", help="Configuration of the gateway.")]
_Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the group."""
    group = typer.Typer(help=help_line, no_args_is_help=True)
    group.command("init")(init)
    group.command("forget")(forget)
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
        raise Told(CommandReason.LOG_KEY_UNNAMED)
    _require_no_folder(log)
    key = ["--log-key", log_key] if log_key else ["--log-key-file", str(log_key_file)]
    arguments = ["log", str(log), *key]
    for path in receipt or ():
        arguments += ["--receipt", str(path)]
    for path in checkpoint or ():
        arguments += ["--checkpoint", str(path)]
    raise Ended(ExitCode(judge([*arguments, "--json"] if json else arguments)))


def _require_no_folder(log: Path) -> None:
    """Refuse a folder, and say where in it a log lies.

    Raises:
        Told: LOG_NOT_A_FILE.
    """
    try:
        if not log.is_dir():
            return
        inside = [each for each in (log / FILE_NAME, log / "log" / FILE_NAME) if each.is_file()]
    except OSError:
        return  # what cannot be looked at is for the verifier to tell
    raise Told(CommandReason.LOG_NOT_A_FILE, str(inside[0] if inside else log))


def show(
    config: _Config,
    officer: Annotated[str, typer.Option(help="Who looks; logged as a token.")],
    for_case: Annotated[
        str, typer.Option(help="Number of your own case this look is for; logged as a token.")
    ],
    *,
    org: Annotated[str, typer.Option(help="USCC of the organisation that asked.")] = "",
    case: Annotated[str, typer.Option(help="Number of the case; with --org.")] = "",
    subject: Annotated[
        str, typer.Option(help="Identifier of the subject; - reads it from standard input.")
    ] = "",
    subject_type: SubjectType = SubjectType.RESIDENT_ID,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries of one page.")] = 100,
    before: Annotated[
        int, typer.Option(min=0, max=NEWEST, help="Only entries below this index: the next page.")
    ] = NEWEST,
    json: _Json = False,
) -> None:
    """Show who asked in a case, or about a subject, newest first. The look is logged first."""
    try:
        request = require_look(
            LookRequest(
                officer=officer,
                for_case=for_case,
                org=org,
                case=case,
                subject=_piped() if subject == PIPED else subject,
                subject_type=subject_type,
                before=before,
                limit=limit,
            ),
            SystemClock().now_ms(),
        )
    except LookMalformed as error:
        raise Ended(ExitCode.USAGE, str(error)) from error
    try:
        chosen = load_config(config)
    except ConfigError as error:
        raise Ended(ExitCode.UNREADABLE, f"configuration: {error}") from error
    shown = look(chosen, request)
    if json:
        print_json(shown.whole)
        return
    for receipt in shown.receipts:
        typer.echo(f"{receipt.index}\t{receipt.entry.decode('ascii')}")
    count = len(shown.receipts)
    typer.echo(
        f"共 {count} 条；本次查看已记为第 {shown.view} 条\n"
        f"{count} entries; this look was logged as entry {shown.view}",
        err=True,
    )
    if shown.next_before is not None:
        typer.echo(f"更早的 · earlier ones: --before {shown.next_before}", err=True)


def _piped() -> str:
    """Return an identifier that stands in no list of processes."""
    return sys.stdin.readline(MAX_IDENTIFIER).strip()
