"""One SQLite file that holds the log: entries, what they are found by, head, claims, charges.

Knows nothing of trees, signatures or the meaning of an entry. Entries, edge and checkpoint commit
in one transaction of one file, because a commit over two files is not atomic.

INVARIANT: every PRAGMA is read back: a failed `journal_mode=WAL` stays `delete` without an error.
INVARIANT: one process writes, held by a lock beside the file; readers open it read-only.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from gateway.access_log.admission import Admission, ClaimKey, CounterKey
from gateway.access_log.errors import LogHeld, LogRefused
from gateway.access_log.genesis import FORMAT, Genesis, require_same_log
from gateway.access_log.merkle import Tile
from gateway.model import SearchColumns

CACHE_KIB = 262_144
"""256 MiB of page cache: random tokens in three indexes touch that much (2.8 times faster)."""
AUTOCHECKPOINT_PAGES = 20_000
"""80 MiB of write-ahead log before pages move to the file (measured together with the cache)."""
MAX_CLAIMS_PRUNED = 1_000
"""Expired claims removed in one batch, so that pruning never delays a commit noticeably."""
CHARGE_LIFE_MS = 400 * 86_400_000
"""How long an untouched counter is kept: longer than the longest calendar period, a year."""

_PRAGMAS: tuple[tuple[str, str, str | int], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("recursive_triggers", "ON", 1),  # else INSERT OR REPLACE passes the delete trigger by
    ("trusted_schema", "OFF", 0),
    ("temp_store", "MEMORY", 2),  # else what a statement would undo spills into temp files
    ("cache_size", str(-CACHE_KIB), -CACHE_KIB),
    ("wal_autocheckpoint", str(AUTOCHECKPOINT_PAGES), AUTOCHECKPOINT_PAGES),
    ("busy_timeout", "2000", 2000),
)
_IMMUTABLE = ("genesis", "entries", "checkpoints", "tiles")
_SCHEMA = (
    """CREATE TABLE genesis (
        id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
        origin TEXT NOT NULL, public_key BLOB NOT NULL) STRICT""",
    # ON CONFLICT ROLLBACK: a broken constraint ends the batch anyway; with ABORT, SQLite would copy
    # every page that a statement of many rows touches, to undo that statement alone.
    """CREATE TABLE entries (
        idx INTEGER PRIMARY KEY ON CONFLICT ROLLBACK,
        entry BLOB NOT NULL ON CONFLICT ROLLBACK) STRICT""",
    """CREATE TABLE side (
        idx INTEGER PRIMARY KEY ON CONFLICT ROLLBACK, kind TEXT NOT NULL ON CONFLICT ROLLBACK,
        ts INTEGER NOT NULL ON CONFLICT ROLLBACK, request_id BLOB,
        item INTEGER NOT NULL ON CONFLICT ROLLBACK, org TEXT, system TEXT, subject BLOB,
        officer BLOB, case_token BLOB, openings BLOB NOT NULL ON CONFLICT ROLLBACK) STRICT""",
    "CREATE INDEX side_subject ON side (subject, idx) WHERE subject IS NOT NULL",
    "CREATE INDEX side_case ON side (case_token, idx) WHERE case_token IS NOT NULL",
    "CREATE INDEX side_request ON side (request_id) WHERE request_id IS NOT NULL",
    """CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, ts INTEGER NOT NULL,
        edge BLOB NOT NULL, checkpoint BLOB NOT NULL) STRICT""",
    "CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, checkpoint BLOB NOT NULL) STRICT",
    # The names under which a verifier of other make reads the log (docs/evidence.md).
    "CREATE VIEW entry AS SELECT idx, entry AS body FROM entries",
    "CREATE VIEW checkpoint AS SELECT size, checkpoint AS note FROM checkpoints",
    """CREATE TABLE tiles (
        level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
        UNIQUE (level, number)) STRICT""",
    "CREATE TABLE open_asks (idx INTEGER PRIMARY KEY ON CONFLICT ROLLBACK) STRICT",
    """CREATE TABLE claims (
        space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, expires_ms INTEGER NOT NULL,
        PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX claims_expiry ON claims (expires_ms)",
    """CREATE TABLE charges (
        counter BLOB NOT NULL, period TEXT NOT NULL, used INTEGER NOT NULL ON CONFLICT ROLLBACK,
        touched_ms INTEGER NOT NULL ON CONFLICT ROLLBACK,
        PRIMARY KEY (counter, period) ON CONFLICT ROLLBACK) STRICT, WITHOUT ROWID""",
    *(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        for table in _IMMUTABLE
        for act in ("UPDATE", "DELETE")
    ),
)
MAX_ROWS = 1 << 10
"""Rows of one statement: eleven columns stay below SQLite's 32,766 parameters."""
STATEMENTS_KEPT = 256
"""Prepared statements kept: about ten, each in eleven widths."""


_Cell = int | str | bytes | None
_Key = TypeVar("_Key", bound=tuple[str | bytes, str | bytes])
SideRow = tuple[
    int,
    str,
    int,
    bytes | None,
    int,
    str | None,
    str | None,
    bytes | None,
    bytes | None,
    bytes | None,
    bytes,
]
"""A row of the table `side`, in the order of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """The newest tree as last committed."""

    size: int
    timestamp_ms: int
    """The time of the newest entry."""
    edge: bytes
    """The compact range of the tree, joined."""
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry with everything that is stored beside it."""

    index: int
    entry: bytes
    kind: str
    timestamp_ms: int
    search: SearchColumns
    openings: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one transaction adds."""

    entries: Sequence[tuple[int, bytes]]
    side: Sequence[SideRow]
    head: StoredHead
    tiles: Sequence[Tile]
    opened: Sequence[int]
    """Indices of the asks among the entries."""
    closed: Sequence[int]
    """Indices of the asks that the answers among the entries name."""


class LogStore:
    """The writer's connection to the file; used by one thread at a time."""

    __slots__ = ("_connection", "_lock", "path")

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def open(cls, path: Path, genesis: Genesis) -> "LogStore":
        """Lock and open the file, and make its tables when it is new.

        Raises:
            LogRefused: another process writes, a PRAGMA was not taken, or it is another log's file.
            sqlite3.Error: the file cannot be read.
            OSError: the same.
        """
        lock = _lock_beside(path)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            store = cls(path, _connect(path), lock)
            store._require_genesis(genesis)
        except (sqlite3.Error, OSError, LogRefused):
            os.close(lock)
            raise
        return store

    def reopen(self) -> None:
        """Drop the connection, whose state is unknown after an error, and make another.

        Raises:
            LogRefused: a PRAGMA was not taken.
            sqlite3.Error: the file cannot be read.
        """
        self._connection.close()
        self._connection = _connect(self.path)

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._connection.close()
        os.close(self._lock)

    def _require_genesis(self, genesis: Genesis) -> None:
        with self.transaction():
            found = self._connection.execute(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'genesis'"
            ).fetchone()
            if found == (0,):
                for statement in _SCHEMA:
                    self._connection.execute(statement)
                row = (FORMAT, genesis.origin, genesis.public_key)
                self._connection.execute("INSERT INTO genesis VALUES (1, ?, ?, ?)", row)
        require_same_log(self._connection, genesis)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def claimed(self, keys: Sequence[ClaimKey], now_ms: int) -> dict[ClaimKey, bytes]:
        """Return the values of those keys that are claimed at this time."""
        held = self._look_up(
            "SELECT hex(value) FROM claims"
            " WHERE space = column2 AND key = column3 AND expires_ms > ?",
            keys,
            now_ms,
        )
        return {key: bytes.fromhex(value) for key, value in held.items() if isinstance(value, str)}

    def used(self, keys: Sequence[CounterKey]) -> dict[CounterKey, int]:
        """Return what each counter holds."""
        held = self._look_up(
            "SELECT used FROM charges WHERE counter = column2 AND period = column3", keys
        )
        return {key: value if isinstance(value, int) else 0 for key, value in held.items()}

    def take(self, admission: Admission, now_ms: int) -> None:
        """Store the claims and charges of a batch."""
        claims = admission.claims
        self._put(
            "INSERT OR REPLACE INTO claims",
            [(claim.space, claim.key, claim.value, claim.expires_ms) for claim in claims],
        )
        self._put(
            "INSERT INTO charges",
            [(*counter, cost, now_ms) for counter, cost in admission.added.items()],
            " ON CONFLICT DO UPDATE"
            " SET used = used + excluded.used, touched_ms = excluded.touched_ms",
        )

    def prune(self, now_ms: int) -> None:
        """Remove expired claims and counters of periods long past."""
        self._connection.execute(
            "DELETE FROM claims WHERE (space, key) IN"
            " (SELECT space, key FROM claims WHERE expires_ms <= ? LIMIT ?)",
            (now_ms, MAX_CLAIMS_PRUNED),
        )
        self._connection.execute(
            "DELETE FROM charges WHERE touched_ms < ?", (now_ms - CHARGE_LIFE_MS,)
        )

    def add(self, batch: Batch) -> None:
        """Store a batch; the head must stand where the batch's first entry begins.

        Raises:
            LogRefused: somebody else moved the head.
        """
        self._put("INSERT INTO entries", batch.entries)
        self._put("INSERT INTO side", batch.side)
        tiles = [(tile.level, tile.number, tile.hashes) for tile in batch.tiles]
        self._put("INSERT INTO tiles", tiles)
        self._put("INSERT INTO open_asks", [(index,) for index in batch.opened])
        for index in batch.closed[:1]:
            # One statement for all of them; the list is padded by its own first member.
            marks, width = _padded("?", len(batch.closed))
            closed = (*batch.closed, *[index] * (width - len(batch.closed)))
            statement = _joined("DELETE FROM open_asks WHERE idx IN (", marks, ")")
            self._connection.execute(statement, closed)
        head = batch.head
        execute = self._connection.execute
        execute("INSERT INTO checkpoints VALUES (?, ?)", (head.size, head.checkpoint))
        moved = execute(
            "UPDATE head SET size = ?, ts = ?, edge = ?, checkpoint = ? WHERE size = ?",
            (
                head.size,
                head.timestamp_ms,
                head.edge,
                head.checkpoint,
                head.size - len(batch.entries),
            ),
        )
        if moved.rowcount != 1:
            raise LogRefused("the head of the log was moved by somebody else")

    def _put(self, into: str, rows: Sequence[tuple[_Cell, ...]], conflict: str = "") -> None:
        """Insert rows in one step, padded with rows of NULL that are left out again.

        One step releases the interpreter lock once, not once per row; padding to a power of two
        keeps the number of prepared statements small.
        """
        for at in range(0, len(rows), MAX_ROWS):
            part = rows[at : at + MAX_ROWS]
            columns = len(part[0])
            values, width = _padded(f"({', '.join('?' * columns)})", len(part))
            cells = list(chain.from_iterable(part))
            cells += [None] * (columns * (width - len(part)))
            chosen = _joined("SELECT * FROM (VALUES", values, ") WHERE column1 IS NOT NULL")
            self._connection.execute(_joined(into, chosen, conflict), cells)

    def _look_up(
        self, found: str, keys: Sequence[_Key], *parameters: _Cell
    ) -> dict[_Key, int | str | None]:
        """Ask for one value per key, in one step and one row, for the same reason."""
        values: dict[_Key, int | str | None] = {}
        for at in range(0, len(keys), MAX_ROWS):
            part = keys[at : at + MAX_ROWS]
            marks, width = _padded("(?, ?, ?)", len(part))
            cells = list(parameters)
            for position, key in enumerate(part):
                cells += (position, *key)
            cells += [None] * (3 * (width - len(part)))
            row: tuple[str] = self._connection.execute(
                _joined(
                    "SELECT json_group_object(column1, (",
                    found,
                    ")) FROM (VALUES",
                    marks,
                    ") WHERE column1 IS NOT NULL",
                ),
                cells,
            ).fetchone()
            answers: dict[str, int | str | None] = json.loads(row[0])
            values |= {part[int(position)]: answer for position, answer in answers.items()}
        return values

    def found_head(self, head: StoredHead) -> None:
        """Store the head of an empty log."""
        with self.transaction():
            row = (head.size, head.timestamp_ms, head.edge, head.checkpoint)
            self._connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", row)
            self._connection.execute(
                "INSERT INTO checkpoints VALUES (?, ?)", (head.size, head.checkpoint)
            )


def _lock_beside(path: Path) -> int:
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        # from None: the operating system's words add nothing.
        raise LogHeld("another process writes this log") from None
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )
    for name, wanted, expected in _PRAGMAS:
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
        found = connection.execute(f"PRAGMA {name}").fetchone()
        if found != (expected,):
            connection.close()
            raise LogRefused(f"the store did not take {name} = {wanted}")
    return connection


def _padded(element: str, count: int) -> tuple[str, int]:
    """Repeat an element of a statement to the next power of two."""
    width = 1 << (count - 1).bit_length()
    return ", ".join([element] * width), width


def _joined(*parts: str) -> str:
    """Join parts of a statement, all of them constants of this module or marks for parameters."""
    return " ".join(parts)
