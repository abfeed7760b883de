"""`hutong log forget`: after its retention a quarter's tokens are to be nobody's.

Entries, proofs and receipts stay as they are; only who they are about can no longer be found.
INVARIANT: no gateway serves meanwhile: it would write the key back with that of its next quarter.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.access_log.epochs import epoch_at
from gateway.access_log.errors import AccessLogError, LogHeld
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.looking import open_alone
from gateway.cli.printing import print_json
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.credentials import ConfigError
from gateway.wiring import load_epoch_keys
from signing.errors import SigningError

_QUARTER: Final = re.compile(r"[0-9]{4}Q[1-4]", re.ASCII)


def forget(
    quarter: Annotated[str, typer.Argument(help="Quarter that has ended, e.g. 2024Q4 (UTC).")],
    *,
    config: Annotated[Path, typer.Option("--config", help="Configuration of the gateway.")],
    json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Destroy the epoch key of a quarter: nobody finds its entries by person or case any more."""
    if _QUARTER.fullmatch(quarter) is None:
        raise Ended(ExitCode.USAGE, f"{quarter}: not a quarter such as 2024Q4")
    if quarter >= epoch_at(SystemClock().now_ms()):
        raise Ended(ExitCode.NO, f"{quarter} has not ended: its key is in use")
    try:
        chosen = load_config(config)
        if not chosen.log.database.exists():
            raise Ended(ExitCode.UNREADABLE, f"there is no log at {chosen.log.database}")
        with closing(open_alone(chosen)):
            keys = load_epoch_keys(chosen)
            if quarter not in keys.epochs:
                raise Ended(ExitCode.NO, f"there is no key of {quarter}")
            keys.destroy(quarter)
    except LogHeld as error:
        raise Ended(ExitCode.NO, "a gateway serves: stop it first") from error
    except (AccessLogError, SigningError, ConfigError, OSError, sqlite3.Error) as error:
        raise Ended(ExitCode.UNREADABLE, f"log: {error}") from error
    if json:
        print_json({"forgotten": quarter, "left": list(keys.epochs)})
    else:
        typer.echo(f"{quarter}: forgotten; destroy its copies too")
