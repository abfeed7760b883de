"""Read-only eyes on the file of the log, beside the one writer.

Knows nothing of who may look: `search` and `log` see to that. Each call sees one committed state.
INVARIANT: opened with `mode=ro` and `query_only`, so no read can become a write.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from gateway.access_log import search_index
from gateway.access_log.store_sqlite import StoredEntry, StoredHead
from gateway.model import Claim, EntryKind, SearchColumns

_ENTRY = (
    "SELECT e.idx, e.entry, s.kind, s.ts, s.request_id, s.item, s.org, s.system, s.subject,"
    " s.officer, s.case_token, s.openings FROM side s JOIN entries e ON e.idx = s.idx "
)
MAX_OF_REQUEST = 64
"""Entries of one exchange at most: anybody may write under a request id, and each costs a proof."""
_Row = tuple[
    int,
    bytes,
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
_Parameter = int | str | bytes | None


class LogReader:
    """Connections of its own, one for each thread that calls.

    On a shared one, a search that is half read would keep everybody at the state it began with, and
    a look logged meanwhile would seem not to be there.
    """

    __slots__ = ("_address", "_by_thread")

    def __init__(self, path: Path) -> None:
        """Open the file, so that one that cannot be read is known at once.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        self._address = f"{path.absolute().as_uri()}?mode=ro"
        self._by_thread = {threading.get_ident(): _connect(self._address)}

    def close(self) -> None:
        """Close every connection."""
        while self._by_thread:
            self._by_thread.popitem()[1].close()

    @property
    def _connection(self) -> sqlite3.Connection:
        # A thread that has ended leaves its number and its connection to a later one.
        thread = threading.get_ident()
        connection = self._by_thread.get(thread)
        if connection is None:
            connection = self._by_thread[thread] = _connect(self._address)
        return connection

    def head(self) -> StoredHead | None:
        """Return the newest head; absent in a file just made."""
        row: tuple[int, int, bytes, bytes] | None = self._query(
            "SELECT size, ts, edge, checkpoint FROM head"
        ).fetchone()
        if row is None:
            return None
        size, timestamp_ms, edge, checkpoint = row
        return StoredHead(size=size, timestamp_ms=timestamp_ms, edge=edge, checkpoint=checkpoint)

    def entries(self, first: int, count: int) -> list[tuple[int, bytes]]:
        """Return index and bytes of up to `count` entries from `first` on."""
        rows: list[tuple[int, bytes]] = self._query(
            "SELECT idx, entry FROM entries WHERE idx >= ? ORDER BY idx LIMIT ?", first, count
        ).fetchall()
        return rows

    def tile(self, level: int, number: int) -> bytes | None:
        """Return a full tile."""
        row: tuple[bytes] | None = self._query(
            "SELECT hashes FROM tiles WHERE level = ? AND number = ?", level, number
        ).fetchone()
        return row[0] if row else None

    def checkpoints(self, first_size: int) -> list[tuple[int, bytes]]:
        """Return size and bytes of all checkpoints from a size on."""
        rows: list[tuple[int, bytes]] = self._query(
            "SELECT size, checkpoint FROM checkpoints WHERE size >= ? ORDER BY size", first_size
        ).fetchall()
        return rows

    def live_claims(self, space: str, now_ms: int) -> list[Claim]:
        """Return the claims of a space that have not expired."""
        rows: list[tuple[bytes, bytes, int]] = self._query(
            "SELECT key, value, expires_ms FROM claims WHERE space = ? AND expires_ms > ?",
            space,
            now_ms,
        ).fetchall()
        return [
            Claim(space=space, key=key, value=value, expires_ms=expires_ms)
            for key, value, expires_ms in rows
        ]

    def used(self, counter: bytes, period: str) -> int:
        """Return what a calendar counter holds."""
        row: tuple[int] | None = self._query(
            "SELECT used FROM charges WHERE counter = ? AND period = ?", counter, period
        ).fetchone()
        return row[0] if row else 0

    def stored(self, index: int) -> StoredEntry | None:
        """Return one entry with what stands beside it."""
        return next(iter(self._stored("WHERE s.idx = ?", index)), None)

    def open_asks(self) -> list[StoredEntry]:
        """Return asks that no answer names, oldest first."""
        return self._stored("JOIN open_asks o ON o.idx = s.idx ORDER BY s.idx")

    def of_request(self, request_id: bytes, item: int, system: str) -> list[StoredEntry]:
        """Return up to 64 entries of one system's exchange, oldest first.

        Its asks and their answers go before its refusals.
        """
        request = (request_id, item, system)
        asks = self._oldest(search_index.ASK, EntryKind.ASK, request, MAX_OF_REQUEST // 2)
        found = asks + self._answers(asks)
        room = MAX_OF_REQUEST - len(found)
        found += self._oldest(search_index.REFUSE, EntryKind.REFUSE, request, room)
        return sorted(found, key=lambda stored: stored.index)

    def _oldest(
        self, what: int, kind: EntryKind, request: tuple[bytes, int, str], limit: int
    ) -> list[StoredEntry]:
        meant = "s.kind = ? AND s.request_id = ? AND s.item = ? AND s.system = ?"
        end = search_index.folded(self._connection)
        places = search_index.oldest_of_request(self._connection, what, request, end)
        found = self._meant(places, meant, (kind.value, *request), limit)
        if len(found) < limit:
            tail = f"WHERE s.idx >= ? AND {meant} ORDER BY s.idx LIMIT ?"
            found += self._stored(tail, end, kind.value, *request, limit - len(found))
        return found

    def _answers(self, asks: Sequence[StoredEntry]) -> list[StoredEntry]:
        """Return the first answers that close asks."""
        if not asks:
            return []
        indices = [ask.index for ask in asks]
        marks = ", ".join("?" * len(indices))
        end = search_index.folded(self._connection)
        places = search_index.answers_of(self._connection, indices, end)
        found = self._meant(places, f"s.ask IN ({marks})", indices, len(asks))
        tail = f"WHERE s.idx >= ? AND s.ask IN ({marks}) ORDER BY s.idx LIMIT ?"
        return found + self._stored(tail, end, *indices, len(asks) - len(found))

    def of_subject(self, tokens: Sequence[bytes], before: int, limit: int) -> list[StoredEntry]:
        """Return entries about a subject, newest first, below an index."""
        meant = f"s.subject IN ({', '.join('?' * len(tokens))})"
        return self._newest(search_index.SUBJECT, meant, tokens, tokens, (before, limit))

    def of_case(
        self, org: str, tokens: Sequence[bytes], before: int, limit: int
    ) -> list[StoredEntry]:
        """Return entries of an organisation's case, newest first, below an index."""
        meant = f"s.case_token IN ({', '.join('?' * len(tokens))}) AND s.org = ?"
        return self._newest(search_index.CASE, meant, tokens, (*tokens, org), (before, limit))

    def _newest(
        self,
        what: int,
        meant: str,
        tokens: Sequence[bytes],
        parameters: Sequence[_Parameter],
        page: tuple[int, int],
    ) -> list[StoredEntry]:
        before, limit = page
        end = search_index.folded(self._connection)
        tail = f"WHERE s.idx >= ? AND s.idx < ? AND {meant} ORDER BY s.idx DESC LIMIT ?"
        found = self._stored(tail, end, before, *parameters, limit)
        places = search_index.newest_under(self._connection, what, tokens, min(before, end))
        found += self._meant(places, meant, parameters, limit - len(found))
        return sorted(found, key=lambda stored: stored.index, reverse=True)

    def _meant(
        self,
        places: Iterator[int],
        meant: str,
        parameters: Sequence[_Parameter],
        limit: int,
    ) -> list[StoredEntry]:
        """Return the entries at the first places that are what was looked for."""
        found: list[StoredEntry] = []
        while len(found) < limit and (page := list(islice(places, limit - len(found)))):
            marks = ", ".join("?" * len(page))
            found += self._stored(f"WHERE s.idx IN ({marks}) AND {meant}", *page, *parameters)
        return found

    def newest(self, before: int, limit: int) -> list[StoredEntry]:
        """Return the newest entries below an index."""
        return self._stored("WHERE s.idx < ? ORDER BY s.idx DESC LIMIT ?", before, limit)

    def _stored(self, condition: str, *parameters: _Parameter) -> list[StoredEntry]:
        rows: list[_Row] = self._query(_ENTRY + condition, *parameters).fetchall()
        return [_stored(row) for row in rows]

    def _query(self, statement: str, *parameters: _Parameter) -> sqlite3.Cursor:
        return self._connection.execute(statement, parameters)


def _connect(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    # What is sorted may hold tokens, which must not spill into a temp file.
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _stored(row: _Row) -> StoredEntry:
    return StoredEntry(
        index=row[0],
        entry=row[1],
        kind=row[2],
        timestamp_ms=row[3],
        search=SearchColumns(
            request_id=row[4],
            item=row[5],
            org=row[6],
            system=row[7],
            subject=row[8],
            officer=row[9],
            case=row[10],
        ),
        openings=row[11],
    )
