"""One SQLite file that holds the log: entries, what they are found by, head, claims, charges.

Knows nothing of trees, signatures or the meaning of an entry. Entries, edge and checkpoint commit
in one transaction of one file, because a commit over two files is not atomic.

INVARIANT: every PRAGMA is read back: a failed `journal_mode=WAL` stays `delete` without an error.
INVARIANT: one process writes, held by a lock beside the file; readers open it read-only.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.access_log.errors import LogRefused
from gateway.access_log.merkle import Tile
from gateway.model import Charge, Claim, SearchColumns

FORMAT = 1
"""Version of the tables; another one is refused."""
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
    ("cache_size", str(-CACHE_KIB), -CACHE_KIB),
    ("wal_autocheckpoint", str(AUTOCHECKPOINT_PAGES), AUTOCHECKPOINT_PAGES),
    ("busy_timeout", "2000", 2000),
)
_IMMUTABLE = ("genesis", "entries", "checkpoints", "tiles")
_SCHEMA = (
    """CREATE TABLE genesis (
        id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
        origin TEXT NOT NULL, public_key BLOB NOT NULL) STRICT""",
    "CREATE TABLE entries (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT",
    """CREATE TABLE side (
        idx INTEGER PRIMARY KEY, kind TEXT NOT NULL, ts INTEGER NOT NULL, request_id BLOB,
        item INTEGER NOT NULL, org TEXT, system TEXT, subject BLOB, officer BLOB, case_token BLOB,
        openings BLOB NOT NULL) STRICT""",
    "CREATE INDEX side_subject ON side (subject, idx) WHERE subject IS NOT NULL",
    "CREATE INDEX side_case ON side (org, case_token, idx) WHERE case_token IS NOT NULL",
    "CREATE INDEX side_request ON side (request_id, item) WHERE request_id IS NOT NULL",
    """CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, ts INTEGER NOT NULL,
        edge BLOB NOT NULL, checkpoint BLOB NOT NULL) STRICT""",
    "CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, checkpoint BLOB NOT NULL) STRICT",
    """CREATE TABLE tiles (
        level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
        UNIQUE (level, number)) STRICT""",
    "CREATE TABLE open_asks (idx INTEGER PRIMARY KEY) STRICT",
    """CREATE TABLE claims (
        space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, expires_ms INTEGER NOT NULL,
        PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX claims_expiry ON claims (expires_ms)",
    """CREATE TABLE charges (
        counter BLOB NOT NULL, period TEXT NOT NULL, used INTEGER NOT NULL,
        touched_ms INTEGER NOT NULL, PRIMARY KEY (counter, period)) STRICT, WITHOUT ROWID""",
    *(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        for table in _IMMUTABLE
        for act in ("UPDATE", "DELETE")
    ),
)
# One statement steps over many rows: the interpreter lock is released once per chunk, not per row.
_CHUNKS = (64, 16, 4, 1)


_Cell = int | str | bytes | None
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
class Genesis:
    """Which log this file is: fixed when it is made."""

    origin: str
    public_key: bytes


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
        stored = self._connection.execute(
            "SELECT format, origin, public_key FROM genesis"
        ).fetchone()
        if stored != (FORMAT, genesis.origin, genesis.public_key):
            raise LogRefused("the file belongs to a log of another origin, key or format")

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

    def claimed(self, space: str, key: bytes, now_ms: int) -> bytes | None:
        """Return the value a key is claimed with at this time."""
        row: tuple[bytes] | None = self._connection.execute(
            "SELECT value FROM claims WHERE space = ? AND key = ? AND expires_ms > ?",
            (space, key, now_ms),
        ).fetchone()
        return row[0] if row else None

    def used(self, counter: bytes, period: str) -> int:
        """Return what a calendar counter holds."""
        row: tuple[int] | None = self._connection.execute(
            "SELECT used FROM charges WHERE counter = ? AND period = ?", (counter, period)
        ).fetchone()
        return row[0] if row else 0

    def take(self, claims: Iterable[Claim], charges: Iterable[Charge], now_ms: int) -> None:
        """Store claims found free, and charges found within limits, in the same transaction."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)",
            [(claim.space, claim.key, claim.value, claim.expires_ms) for claim in claims],
        )
        self._connection.executemany(
            "INSERT INTO charges VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET used = used + excluded.used, touched_ms = excluded.touched_ms",
            [(charge.counter, charge.period, charge.cost, now_ms) for charge in charges],
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
        self._insert("entries", 2, batch.entries)
        self._insert("side", 11, batch.side)
        head = batch.head
        execute, executemany = self._connection.execute, self._connection.executemany
        if batch.tiles:
            rows = [(tile.level, tile.number, tile.hashes) for tile in batch.tiles]
            executemany("INSERT INTO tiles VALUES (?, ?, ?)", rows)
        executemany("INSERT INTO open_asks VALUES (?)", [(index,) for index in batch.opened])
        executemany("DELETE FROM open_asks WHERE idx = ?", [(index,) for index in batch.closed])
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

    def _insert(self, table: str, columns: int, rows: Sequence[tuple[_Cell, ...]]) -> None:
        at = 0
        for chunk in _CHUNKS:
            while len(rows) - at >= chunk:
                values = [value for row in rows[at : at + chunk] for value in row]
                self._connection.execute(_insertion(table, columns, chunk), values)
                at += chunk

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
        raise LogRefused("another process writes this log") from None
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for name, wanted, expected in _PRAGMAS:
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
        found = connection.execute(f"PRAGMA {name}").fetchone()
        if found != (expected,):
            connection.close()
            raise LogRefused(f"the store did not take {name} = {wanted}")
    return connection


def _insertion(table: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608 - names are ours
