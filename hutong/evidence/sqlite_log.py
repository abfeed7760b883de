"""Reads a gateway's log file without trusting it: two tables or views, opened read-only.

Knows SQL and sizes; knows neither what an entry says nor what a checkpoint proves. What is read:

    entry(idx INTEGER PRIMARY KEY, body BLOB)       the exact bytes of each entry
    checkpoint(size INTEGER PRIMARY KEY, note BLOB) every signed checkpoint

INVARIANT: one read transaction, so a log that is being written shows one moment of itself.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from hutong.evidence.entry import MAX_ENTRY_BYTES
from hutong.evidence.note import MAX_NOTE_BYTES
from hutong.evidence.reasons import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SqliteLog:
    """One open log file, inside one read transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Takes over a connection whose read transaction has begun."""
        self._connection = connection

    def entries(self) -> Iterator[tuple[int, bytes | None]]:
        """Yields index and bytes in order; None for bytes that are none, or too many."""
        yield from self._rows(
            # SQLite types values, not columns: the file may hold text or a gigabyte where bytes
            # belong, and that must not reach memory.
            "SELECT idx, CASE WHEN typeof(body) = 'blob' AND length(body) <= ? THEN body END"
            " FROM entry ORDER BY idx",
            MAX_ENTRY_BYTES,
        )

    def checkpoints(self) -> Iterator[tuple[int, bytes | None]]:
        """Yields size and note in order; None for notes that are none, or too large."""
        yield from self._rows(
            "SELECT size, CASE WHEN typeof(note) = 'blob' AND length(note) <= ? THEN note END"
            " FROM checkpoint ORDER BY size",
            MAX_NOTE_BYTES,
        )

    def entry_at(self, index: int) -> bytes | None:
        """Returns the bytes of one entry, None where there is none."""
        rows = self._rows(
            "SELECT idx, body FROM entry WHERE idx = ? AND typeof(body) = 'blob'", index
        )
        return next((body for _, body in rows), None)

    def _rows(self, query: str, parameter: int) -> Iterator[tuple[int, bytes | None]]:
        try:
            for number, raw in self._connection.execute(query, (parameter,)):
                if not isinstance(number, int):
                    raise Unreadable("the log file numbers a row with something else than a number")
                yield number, raw
        except sqlite3.Error as cause:
            raise Unreadable("the log file cannot be read") from cause


@contextmanager
def open_log(path: Path) -> Iterator[SqliteLog]:
    """Opens a log file read-only for the time of a `with` block.

    Raises:
        Unreadable: there is no such file, it is no SQLite file, or the tables are missing.
    """
    try:
        there = path.is_file()
    except OSError as cause:  # a folder that may not be looked into, a name too long
        raise Unreadable("the log file cannot be looked at") from cause
    if not there:
        raise Unreadable("there is no such log file")
    with closing(_connect(path)) as connection:
        yield SqliteLog(connection)


def _connect(path: Path) -> sqlite3.Connection:
    # A copy on a read-only medium has no room for SQLite's shared-memory file. It may be read as
    # immutable, but only where no write-ahead log holds entries this would pass over.
    attempts = ["mode=ro"]
    if not path.with_name(path.name + "-wal").exists():
        attempts.append("mode=ro&immutable=1")
    failure: sqlite3.Error | None = None
    for options in attempts:
        # Quoted, or a `?` in the file's name would be read as options of the connection.
        location = f"file:{quote(str(path.absolute()))}?{options}"
        connection = sqlite3.connect(location, uri=True, isolation_level=None)
        try:
            # A stranger's file: its schema may call no unsafe functions, and cells are measured
            # before they are read (sqlite.org/security.html, "Untrusted SQLite Database Files").
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("BEGIN")
            # Asked for no row: a missing table shows here and not in the middle of a walk.
            connection.execute("SELECT idx, body FROM entry LIMIT 0").fetchall()
            connection.execute("SELECT size, note FROM checkpoint LIMIT 0").fetchall()
        except sqlite3.Error as cause:
            connection.close()
            failure = cause
        else:
            return connection
    raise Unreadable("the log file is not a log") from failure
