"""One look into the log: asked of the gateway that serves, or made here while none does.

INVARIANT: the lock of the log decides which: a socket that somebody left is never believed while
the log is free, and the log is never opened beside a gateway.
"""

import asyncio
import http.client
import json
import socket
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.access_log.errors import AccessLogError, LogHeld
from gateway.access_log.log import AccessLog
from gateway.cli.ending import Ended, ExitCode
from gateway.clock import SystemClock
from gateway.config import Config
from gateway.credentials import ConfigError
from gateway.errors import GatewayError
from gateway.log_key import load_log_signer
from gateway.looks import LookRequest, Looks, encode_look, page_json
from gateway.rpc.admin import PATH, peer_is_this_user, short_path, socket_beside
from gateway.wiring import load_epoch_keys
from hutong.evidence import Malformed, Receipt
from hutong.evidence.receipt_file import parse_receipt
from signing.encoding import JsonValue
from signing.errors import SigningError

PATIENCE_S: Final = 60.0
"""How long the gateway may take: twice what it allows itself."""
MAX_PAGE: Final = 16 << 20
"""Bytes of an answer: a thousand entries with proofs take a third of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page as `--json` prints it, and what people are shown of it."""

    whole: JsonValue = field(repr=False)
    view: int
    next_before: int | None
    receipts: tuple[Receipt, ...] = field(repr=False)


def look(config: Config, request: LookRequest) -> Shown:
    """Look once.

    Raises:
        Ended: UNREADABLE where neither the log nor its gateway can be reached, INDETERMINATE where
            the look could not be logged or nothing came back, USAGE for a question out of form.
    """
    if not config.log.database.exists():
        text = f"此处没有访问日志：{config.log.database}\nthere is no log at {config.log.database}"
        raise Ended(ExitCode.UNREADABLE, text)
    try:
        log = open_alone(config)
    except LogHeld:
        return parse_page(_asked(socket_beside(config.log.database), encode_look(request)))
    except (AccessLogError, SigningError, ConfigError, OSError, sqlite3.Error) as error:
        text = f"访问日志无法打开\nthe log cannot be opened: {error}"
        raise Ended(ExitCode.UNREADABLE, text) from error
    try:
        return parse_page(json.dumps(_looked(config, log, request)).encode())
    finally:
        log.close()


def open_alone(config: Config) -> AccessLog:
    """Open a log that no gateway serves.

    Raises:
        LogHeld: one does.
        AccessLogError, SigningError, ConfigError, OSError, sqlite3.Error: it cannot be opened.
    """
    return AccessLog.open(
        config.log.database,
        origin=config.log.origin,
        signer=load_log_signer(config.log.signer),
        clock=SystemClock(),
        node=config.system_id,
    )


def _looked(config: Config, log: AccessLog, request: LookRequest) -> JsonValue:
    try:
        # Behind the lock: this may draw the key of a new quarter, which only one process may do.
        keys = load_epoch_keys(config)
        looks = Looks(log=log, keys=keys, system_id=config.system_id, clock=SystemClock())
    except (AccessLogError, ConfigError, OSError) as error:
        raise Ended(ExitCode.UNREADABLE, f"log.epoch_keys: {error}") from error
    try:
        return page_json(asyncio.run(looks.show(request)))
    except (AccessLogError, GatewayError, OSError, sqlite3.Error) as error:
        text = f"查看未能记入日志，没有显示任何条目\nthe look could not be logged: {error}"
        raise Ended(ExitCode.INDETERMINATE, text) from error


def _asked(path: Path, question: bytes) -> bytes:
    """Put a question to the gateway that serves."""
    connection = http.client.HTTPConnection("localhost")
    try:
        connection.sock = _connected(path)
    except OSError as error:
        text = (
            "另一个进程正在写日志，但不回应查看：网关可能正在启动或停止，请稍后再试\n"
            "another process writes the log and answers no look: a gateway may be starting or "
            f"stopping, try again soon ({type(error).__name__})"
        )
        raise Ended(ExitCode.UNREADABLE, text) from error
    try:
        connection.request("POST", PATH, question, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read(MAX_PAGE + 1)
    except (OSError, http.client.HTTPException) as error:
        raise _nothing_proven(type(error).__name__) from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise Ended(_ENDINGS.get(response.status, ExitCode.INDETERMINATE), _texts(content))
    return content


_ENDINGS: Final = {
    http.client.BAD_REQUEST: ExitCode.USAGE,
    http.client.FORBIDDEN: ExitCode.UNREADABLE,
}


def _connected(path: Path) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(PATIENCE_S)
    try:
        with short_path(path) as name:
            connected.connect(name)
        # What a question names is for this user's gateway alone.
        if not peer_is_this_user(connected):
            raise PermissionError
    except OSError:
        connected.close()
        raise
    return connected


def parse_page(content: bytes) -> Shown:
    """Read a page; every receipt in it has to be readable.

    Raises:
        Ended: INDETERMINATE, for what is no page.
    """
    try:
        whole = json.loads(content)
        receipts = tuple(
            parse_receipt(json.dumps(each["receipt"]).encode()) for each in whole["entries"]
        )
        below = whole["next_before"]
        return Shown(
            whole=whole,
            view=int(whole["view"]),
            next_before=None if below is None else int(below),
            receipts=receipts,
        )
    except (ValueError, KeyError, TypeError, Malformed) as error:
        raise _nothing_proven(type(error).__name__) from error


def _texts(content: bytes) -> str:
    try:
        told = json.loads(content)
        return f"{told['zh']}\n{told['en']}"
    except (ValueError, KeyError, TypeError):
        return "网关没有说明原因\nthe gateway did not say why"


def _nothing_proven(kind: str) -> Ended:
    text = (
        f"网关没有给出结果；查看可能已记入日志\nno page came back; the look may be logged ({kind})"
    )
    return Ended(ExitCode.INDETERMINATE, text)
