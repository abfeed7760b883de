"""One SQLite file that holds the log: entries, what they are found by, head, claims, charges.

Knows nothing of trees, signatures or the meaning of an entry. Entries, edge and checkpoint commit
in one transaction of one file, because a commit over two files is not atomic.

INVARIANT: every PRAGMA is read back: a failed `journal_mode=WAL` stays `delete` without an error.
INVARIANT: one process writes, held by a lock beside the file; readers open it read-only.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.access_log import held_terms, search_index
from gateway.access_log.admission import Admission
from gateway.access_log.errors import LogRefused
from gateway.access_log.genesis import FORMAT, Genesis, require_same_log
from gateway.access_log.held_terms import HeldTerms
from gateway.access_log.lock import FileLock
from gateway.access_log.merkle import Tile
from gateway.access_log.rows import STATEMENTS_KEPT, Cell, joined, marks, padded, put
from gateway.access_log.search_index import GatheredKeys
from gateway.model import SearchColumns

CACHE_KIB = 262_144
"""256 MiB of page cache: what segments and counters touch stays in memory."""
AUTOCHECKPOINT_PAGES = 20_000
"""80 MiB of write-ahead log before pages move to the file (measured together with the cache)."""

LOCK_PATIENCE_S = 5.0
"""A process whose gateway was killed lets go of the file once its last commit has ended."""

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
        officer BLOB, case_token BLOB, ask INTEGER,
        openings BLOB NOT NULL ON CONFLICT ROLLBACK) STRICT""",
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
    *held_terms.SCHEMA,
    *search_index.SCHEMA,
    *(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        for table in _IMMUTABLE
        for act in ("UPDATE", "DELETE")
    ),
)


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


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one transaction adds."""

    first: int
    """Where the batch begins: the size of the tree before it."""
    head: StoredHead
    tiles: Sequence[Tile]
    entries: list[Cell] = field(default_factory=list)
    """Index and leaf of each entry, one after another."""
    side: list[Cell] = field(default_factory=list)
    """The columns of each entry's row in `side`, one after another."""
    opened: list[int] = field(default_factory=list)
    """Indices of the asks among the entries."""
    closed: list[int] = field(default_factory=list)
    """Indices of the asks that the answers among the entries name."""


class LogStore:
    """The writer's connection to the file; used by one thread at a time."""

    __slots__ = ("_connection", "_lock", "keys", "path", "terms")

    terms: HeldTerms
    """Where claims and counters stand."""
    keys: GatheredKeys
    """What the newest entries are found by."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock) -> None:
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
        lock = FileLock(path.with_name(path.name + ".writer.lock"), patience_s=LOCK_PATIENCE_S)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            store = cls(path, _connect(path), lock)
            store._require_genesis(genesis)
            store._load()
        except (sqlite3.Error, OSError, LogRefused):
            lock.release()
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
        self._load()

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._connection.close()
        self._lock.release()

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

    def take(self, admission: Admission, now_ms: int) -> None:
        """Store the claims and charges of a batch and remove what expired."""
        self.terms.take(admission.claims, admission.charged, now_ms)
        self.terms.prune(now_ms)

    def add(self, batch: Batch) -> None:
        """Store a batch; the head must stand where the batch's first entry begins.

        Raises:
            LogRefused: somebody else moved the head.
        """
        connection = self._connection
        put(connection, "INSERT INTO entries", 2, batch.entries)
        put(connection, "INSERT INTO side", 12, batch.side)
        for tile in batch.tiles:
            row = (tile.level, tile.number, tile.hashes)
            connection.execute("INSERT INTO tiles VALUES (?, ?, ?)", row)
        put(connection, "INSERT INTO open_asks", 1, [*batch.opened])
        for index in batch.closed[:1]:
            # One statement for all of them; the list is padded by its own first member.
            width = padded(len(batch.closed))
            closed = (*batch.closed, *[index] * (width - len(batch.closed)))
            statement = joined("DELETE FROM open_asks WHERE idx IN (", marks("?", width), ")")
            connection.execute(statement, closed)
        self.terms.note_asks(batch.opened, batch.closed)
        head = batch.head
        execute = connection.execute
        execute("INSERT INTO checkpoints VALUES (?, ?)", (head.size, head.checkpoint))
        moved = execute(
            "UPDATE head SET size = ?, ts = ?, edge = ?, checkpoint = ? WHERE size = ?",
            (head.size, head.timestamp_ms, head.edge, head.checkpoint, batch.first),
        )
        if moved.rowcount != 1:
            raise LogRefused("the head of the log was moved by somebody else")

    def _load(self) -> None:
        """Read what is kept in memory of what the file holds."""
        self.terms = HeldTerms(self._connection)
        self.keys = GatheredKeys(self._connection)

    def found_head(self, head: StoredHead) -> None:
        """Store the head of an empty log."""
        with self.transaction():
            row = (head.size, head.timestamp_ms, head.edge, head.checkpoint)
            self._connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", row)
            self._connection.execute(
                "INSERT INTO checkpoints VALUES (?, ?)", (head.size, head.checkpoint)
            )


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
