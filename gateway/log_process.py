"""The process that writes the log: reads batches from the gateway's socket, commits, answers.

Started by `gateway.access_log.apart` and by nobody else; ends with its socket. It holds the key of
the log and the lock on its file, and knows no network.
"""

import contextlib
import select
import signal
import socket
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from gateway.access_log.commit import Committer, LogFile, load_state, storage_failed
from gateway.access_log.errors import ClockBackwards, LogCorrupted, LogHeld, LogRefused
from gateway.access_log.genesis import Genesis
from gateway.access_log.protocol import (
    PACKAGE,
    Batch,
    BeginRow,
    Report,
    Said,
    build_state,
    committed_report,
    report,
    state_report,
)
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.rows import EntryRow
from gateway.access_log.store_sqlite import LogStore
from gateway.child import load_form
from gateway.credentials import ConfigError, KeyConfig
from gateway.diagnostics import write_diagnostics
from gateway.frames import FrameReader, encode_frame
from gateway.log_key import load_log_signer
from signing.errors import SigningError

RECEIVED: Final = 1 << 20
"""Bytes read from the socket at a time."""

_log: Final = structlog.get_logger("log")


class _Gone(Exception):
    """Nobody is left to write for."""


class Writing:
    """Commits what arrives, in the order it arrives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._frames: FrameReader[Batch] = FrameReader()
        self._failures = 0

    def run(self) -> None:
        """Write until the socket ends, or the file is not to be written any more."""
        committer = None
        try:
            committer = _open(self._begin())
            self._say(state_report(committer.state))
            while True:
                for failures, now_ms, rows in self._frames.feed(self._receive()):
                    # Sent before the gateway knew of the last failure: it has told them of that.
                    if failures == self._failures:
                        self._write(committer, rows, now_ms)
        except _Gone:
            return
        except (LogCorrupted, LogRefused, ConfigError, SigningError) as refused:
            held = isinstance(refused, LogHeld)
            self._say_last(report(Said.ENDED, str(refused), for_good=not held))
        except (sqlite3.Error, OSError) as fault:
            self._say_last(report(Said.ENDED, storage_failed(type(fault).__name__)))
        finally:
            if committer is not None:
                committer.close()

    def _write(self, committer: Committer, rows: Sequence[EntryRow], now_ms: int) -> None:
        try:
            committed = committer.commit(rows, now_ms)
        except ClockBackwards:
            self._say(report(Said.CLOCK))
        except (sqlite3.Error, OSError) as fault:
            self._failures += 1
            self._say(report(Said.FAILED, storage_failed(type(fault).__name__)))
            if not committer.recover(self._pause):
                raise _Gone from None
            self._say(state_report(committer.state))
        else:
            self._say(committed_report(committed))

    def _begin(self) -> BeginRow:
        frames: FrameReader[BeginRow] = FrameReader()
        while not (found := frames.feed(self._receive())):
            pass
        return found[0]

    def _receive(self) -> bytes:
        try:
            data = self._connection.recv(RECEIVED)
        except OSError:
            raise _Gone from None
        if not data:
            raise _Gone
        return data

    def _say(self, told: Report) -> None:
        try:
            self._connection.sendall(encode_frame([told]))
        except OSError:
            # What was committed is durable, and nobody is told of it: as with a gateway killed.
            raise _Gone from None

    def _say_last(self, told: Report) -> None:
        with contextlib.suppress(_Gone):
            self._say(told)

    def _pause(self, seconds: float) -> bool:
        """Wait, or less when the gateway is gone; return whether it is."""
        poll = select.poll()
        poll.register(self._connection, 0)  # tells of a closed other end only
        return bool(poll.poll(seconds * 1000))


def _open(begin: BeginRow) -> Committer:
    database, origin, signer_config, form, known = begin
    # A gateway that was installed anew is to be started again, not to be written for by another.
    if form != load_form(PACKAGE):
        raise LogRefused("another release was installed: start the gateway again")
    signer = load_log_signer(KeyConfig.model_validate_json(signer_config))
    genesis = Genesis(origin=origin, public_key=signer.public_key)
    store = LogStore.open(Path(database), genesis)
    file = LogFile(store=store, reader=LogReader(store.path), genesis=genesis, signer=signer)
    return Committer(file, load_state(file, build_state(known)))


def _say_kind(kind: type[BaseException], *_: object) -> None:
    """Name what nobody foresaw and what ends this process; its text may hold a value."""
    _log.error("log_process_broke", kind=kind.__name__)


if __name__ == "__main__":
    # Whoever ends a whole group (systemd does) tells the gateway too, which has calls to let end.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write_diagnostics()
    sys.excepthook = _say_kind
    Writing(socket.socket(fileno=int(sys.argv[1]))).run()
