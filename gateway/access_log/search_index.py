"""What entries are found by, written a segment at a time after them.

Knows nothing of who may look. Tokens and request ids are random: an index kept with every entry
writes three random pages for it, four times the bytes of the entry itself. So a commit only appends
to `side`, and the keys gather in memory; those of a full segment go into `found` with one commit,
256 rows for each thing one can look for. A search asks one row of every segment and reads the
entries since the last one.

The index is derived and proves nothing: it names places, `side` says whether they are meant.
INVARIANT: below `folded.size` every key of `side` is in `found`, written in one transaction.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from gateway.access_log.rows import Cell, EntryRow, joined, marks, put
from gateway.model import EntryKind

SEGMENT = 1 << 13
"""Entries of a segment: a place within one takes two bytes; ten million entries are 1,221."""
SUBJECT, CASE, ASK, REFUSE, ANSWER = range(5)
"""What one can look for. An answer is found by the ask it closes."""

SCHEMA = (
    # id = (segment * 5 + what) * 256 + first byte of the key; records = key and place of each.
    "CREATE TABLE found (id INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT",
    "CREATE TABLE folded (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL) STRICT",
    "INSERT INTO folded VALUES (1, 0)",
)
_KEY = 16
_PLACE = 2
_RECORD = _KEY + _PLACE
_ROWS = 5 << 8
_REMEMBERED = 4_096
_BY_SYSTEM = {EntryKind.ASK.value: ASK << 8, EntryKind.REFUSE.value: REFUSE << 8}
_FoundBy = tuple[str, bytes | None, int, str | None, bytes | None, bytes | None, int | None]
"""Kind, request id, item, system, subject, case, ask it closes."""

_OF_TAIL = (
    "SELECT idx, kind, request_id, item, system, subject, case_token, ask FROM side WHERE idx >= ?"
)
# CROSS JOIN: one look into `found` for each segment and key, segments in the order they are given
# (sqlite.org/optoverview.html, "Manual Control Of Query Plans Using CROSS JOIN").
_SEGMENTS = """WITH RECURSIVE segments (segment, id) AS (
    SELECT ?1, ?1 * ?5 WHERE ?1 BETWEEN ?2 AND ?3
    UNION ALL SELECT segment + ?4, id + ?4 * ?5 FROM segments WHERE segment + ?4 BETWEEN ?2 AND ?3)
SELECT segment, k.column1, f.records FROM segments s CROSS JOIN (VALUES"""
_ROWS_OF_KEYS = """) k CROSS JOIN found f ON f.id = s.id + k.column2
WHERE instr(f.records, k.column1)"""


class GatheredKeys:
    """The keys of entries that are in no full segment yet; used by the thread that writes."""

    __slots__ = ("_connection", "_rows", "_segment")

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Gather the keys of a file whose tables exist.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        self._connection = connection
        self._segment = folded(connection) // SEGMENT
        self._rows: list[list[bytes]] = [[] for _ in range(_ROWS)]
        tail = connection.execute(_OF_TAIL, (self._segment * SEGMENT,))
        for index, kind, *found_by in tail:
            self._gather(index, [(kind, *found_by)])

    def gather(self, first: int, rows: Sequence[EntryRow]) -> None:
        """Note what the next entries of the log are found by; write a segment that is full before.

        Raises:
            sqlite3.Error: the full segment could not be written.
        """
        found_by = [(row[0], row[4], row[5], row[7], row[8], row[10], row[11]) for row in rows]
        while found_by:
            if first == (self._segment + 1) * SEGMENT:
                self._fold()
            room = (self._segment + 1) * SEGMENT - first
            self._gather(first, found_by[:room])
            first, found_by = first + room, found_by[room:]

    def _gather(self, first: int, entries: Sequence[_FoundBy]) -> None:
        rows = self._rows
        for number, entry in enumerate(entries, first % SEGMENT):
            kind, request_id, item, system, subject, case, ask = entry
            place = number.to_bytes(_PLACE, "big")
            if ask is not None:
                key = _answer_key(ask)
                rows[ANSWER << 8 | key[0]].append(key + place)
                continue
            if subject is not None:
                key = subject if len(subject) == _KEY else _token_key(subject)
                rows[SUBJECT << 8 | key[0]].append(key + place)
            if case is not None:
                key = case if len(case) == _KEY else _token_key(case)
                rows[CASE << 8 | key[0]].append(key + place)
            of_kind = _BY_SYSTEM.get(kind)
            if of_kind is not None and request_id is not None and system is not None:
                key = _request_key(request_id, item, system)
                rows[of_kind | key[0]].append(key + place)

    def _fold(self) -> None:
        first = self._segment * _ROWS
        cells: list[Cell] = []
        for number, records in enumerate(self._rows, first):
            if records:
                cells += (number, b"".join(records))
                records.clear()
        put(self._connection, "INSERT INTO found", 2, cells)
        self._segment += 1
        self._connection.execute("UPDATE folded SET size = ?", (self._segment * SEGMENT,))


def folded(connection: sqlite3.Connection) -> int:
    """Return how many entries are in full segments."""
    row: tuple[int] = connection.execute("SELECT size FROM folded").fetchone()
    return row[0]


def newest_under(
    connection: sqlite3.Connection, what: int, tokens: Sequence[bytes], end: int
) -> Iterator[int]:
    """Yield places below `end`, itself within the full segments, newest first."""
    places = _hits(connection, what, [_token_key(token) for token in tokens], (0, end - 1), step=-1)
    return (index for index in places if index < end)


def oldest_of_request(
    connection: sqlite3.Connection, what: int, request: tuple[bytes, int, str], end: int
) -> Iterator[int]:
    """Yield places of a system's asks or refusals under a request id and item, oldest first."""
    return _hits(connection, what, [_request_key(*request)], (0, end - 1))


def answers_of(connection: sqlite3.Connection, asks: Sequence[int], end: int) -> Iterator[int]:
    """Yield places of the answers that close asks, at least one, oldest first."""
    keys = [_answer_key(ask) for ask in asks]
    return _hits(connection, ANSWER, keys, (min(asks), end - 1))


def _hits(
    connection: sqlite3.Connection,
    what: int,
    keys: Sequence[bytes],
    between: tuple[int, int],
    *,
    step: int = 1,
) -> Iterator[int]:
    """Yield the places under keys in the segments from one place to another, up or down."""
    if not keys:
        return
    low, high = (place // SEGMENT for place in between)
    statement = joined(_SEGMENTS, marks("(?, ?)", len(keys)), _ROWS_OF_KEYS)
    cells: list[Cell] = [low if step > 0 else high, low, high, step, _ROWS]
    for key in keys:
        cells += (key, what << 8 | key[0])
    with closing(connection.execute(statement, cells)) as rows:
        for segment, of_segment in groupby(rows, itemgetter(0)):
            places = {place for _, key, records in of_segment for place in _places(records, key)}
            yield from (segment * SEGMENT + place for place in sorted(places, reverse=step < 0))


def _places(records: bytes, key: bytes) -> Iterator[int]:
    at = records.find(key)
    while at >= 0:
        if at % _RECORD == 0:
            yield int.from_bytes(records[at + _KEY : at + _RECORD], "big")
        at = records.find(key, at + 1)


def _token_key(token: bytes) -> bytes:
    # Tokens are 16 bytes; of others the index knows the beginning, and `side` the rest.
    return token if len(token) == _KEY else token[:_KEY].ljust(_KEY, b"\x00")


def _request_key(request_id: bytes, item: int, system: str) -> bytes:
    return request_id[: _KEY - 4].ljust(_KEY - 4, b"\x00") + _asker(item, system)


@lru_cache(maxsize=_REMEMBERED)
def _asker(item: int, system: str) -> bytes:
    return hashlib.sha256(b"%d\x00%b" % (item, system.encode())).digest()[:4]


def _answer_key(ask: int) -> bytes:
    # The lowest byte first: it chooses the row.
    return ask.to_bytes(_KEY, "little")
