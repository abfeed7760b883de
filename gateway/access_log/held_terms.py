"""Claims that live, counters used lately and asks without answer, in memory over their tables.

Knows nothing of entries. Keys of claims are random: an index of them on disk would write a page for
each. So their table only grows at its end, and they are looked up here. One process writes the
file, so what is here is what is there; 250 bytes a claim are less than the exchange itself keeps
for the same request.

INVARIANT: what is taken here is stored in the same transaction; after one that failed nothing here
counts any more: it is made anew from the file.
"""

import heapq
import json
import sqlite3
from collections.abc import Mapping, Sequence

from gateway.access_log.rows import MAX_ROWS, Cell, ClaimRow, joined, marks, padded, put

CounterKey = tuple[bytes, str]

FIRST_COUNTER: CounterKey = (b"", "")
"""Below every counter: where a round of pruning begins."""
CHUNK = 1_024
"""Claims read from the file that are removed together, at the latest expiry among them."""
CHUNKS_PRUNED = 4
"""Batches of expired claims removed with one commit: more than come, and never a long wait."""
COUNTERS_KEPT = 65_536
"""Counters in memory, about 200 bytes each; beyond that all are forgotten and read again."""
CHARGE_LIFE_MS = 400 * 86_400_000
"""How long an untouched counter is kept: longer than the longest calendar period, a year."""
COUNTERS_PRUNED_EVERY_MS = 10_000
"""How often counters long untouched are looked for, among the next few of them."""
COUNTERS_PRUNED = 500
"""How many are looked at then, under a millisecond: four million a day, going round and round."""

SCHEMA = (
    """CREATE TABLE claims (
        id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK, space TEXT NOT NULL ON CONFLICT ROLLBACK,
        key BLOB NOT NULL ON CONFLICT ROLLBACK, value BLOB NOT NULL ON CONFLICT ROLLBACK,
        expires_ms INTEGER NOT NULL ON CONFLICT ROLLBACK) STRICT""",
    """CREATE TABLE charges (
        counter BLOB NOT NULL, period TEXT NOT NULL, used INTEGER NOT NULL ON CONFLICT ROLLBACK,
        touched_ms INTEGER NOT NULL ON CONFLICT ROLLBACK,
        PRIMARY KEY (counter, period) ON CONFLICT ROLLBACK) STRICT, WITHOUT ROWID""",
)
_EXPIRY = 8  # bytes before the value


class HeldTerms:
    """Where claims and counters stand; used by the thread that writes, within its transaction."""

    __slots__ = (
        "_chunks",
        "_claims",
        "_connection",
        "_counters",
        "_next_id",
        "_open_asks",
        "_pruned_ms",
        "_pruned_to",
    )

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the claims of a file whose tables exist.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        self._connection = connection
        # Bytes under bytes: the garbage collector passes such a dictionary by.
        self._claims: dict[bytes, bytes] = {}
        self._chunks: list[tuple[int, int, int, list[bytes]]] = []
        self._counters: dict[CounterKey, int] = {}
        self._next_id = 1
        self._open_asks = {index for (index,) in connection.execute("SELECT idx FROM open_asks")}
        self._pruned_ms = 0
        self._pruned_to: CounterKey = FIRST_COUNTER
        rows = connection.execute(
            "SELECT id, space, key, value, expires_ms FROM claims ORDER BY id"
        )
        while part := rows.fetchmany(CHUNK):
            claims = [(space, key, value, end) for _, space, key, value, end in part]
            self._remember(claims, part[0][0], part[-1][0])
            self._next_id = part[-1][0] + 1

    def claimed(self, space: str, key: bytes, now_ms: int) -> bytes | None:
        """Return the value a key is claimed with at this time."""
        held = self._claims.get(_name(space, key))
        if held is None or int.from_bytes(held[:_EXPIRY], "big") <= now_ms:
            return None
        return held[_EXPIRY:]

    def used(self, key: CounterKey) -> int:
        """Return what a counter holds that `read_counters` was asked for."""
        return self._counters[key]

    def is_open(self, ask: int) -> bool:
        """Say whether there is such an ask, without an answer."""
        return ask in self._open_asks

    def note_asks(self, opened: Sequence[int], closed: Sequence[int]) -> None:
        """Note which asks a batch opens and which it closes."""
        self._open_asks.update(opened)
        self._open_asks.difference_update(closed)

    def read_counters(self, keys: Sequence[CounterKey]) -> None:
        """Make sure that counters are in memory.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        counters = self._counters
        wanted = list(dict.fromkeys([key for key in keys if key not in counters]))
        if len(counters) + len(wanted) > COUNTERS_KEPT:
            wanted = list(dict.fromkeys(keys))
            counters.clear()
        for at in range(0, len(wanted), MAX_ROWS):
            self._read(wanted[at : at + MAX_ROWS])

    def take(
        self, claims: Sequence[ClaimRow], charged: Mapping[CounterKey, int], now_ms: int
    ) -> None:
        """Store the claims of a batch and what its counters come to.

        Raises:
            sqlite3.Error: not stored; nothing here counts any more.
        """
        cells: list[Cell] = []
        for at, claim in enumerate(claims, self._next_id):
            cells += (at, *claim)
        put(self._connection, "INSERT INTO claims", 5, cells)
        if claims:
            self._remember(claims, self._next_id, self._next_id + len(claims) - 1)
            self._next_id += len(claims)
        cells = []
        for (counter, period), used in charged.items():
            cells += (counter, period, used, now_ms)
        put(
            self._connection,
            "INSERT INTO charges",
            4,
            cells,
            " ON CONFLICT DO UPDATE SET used = excluded.used, touched_ms = excluded.touched_ms",
        )
        self._counters.update(charged)

    def prune(self, now_ms: int) -> None:
        """Remove claims that expired and counters of periods long past.

        Raises:
            sqlite3.Error: not removed; nothing here counts any more.
        """
        for _ in range(CHUNKS_PRUNED):
            if not self._chunks or self._chunks[0][0] > now_ms:
                break
            _, first, last, names = heapq.heappop(self._chunks)
            self._connection.execute("DELETE FROM claims WHERE id BETWEEN ? AND ?", (first, last))
            for name in names:
                held = self._claims.get(name)
                # The key may have been claimed anew since.
                if held is not None and int.from_bytes(held[:_EXPIRY], "big") <= now_ms:
                    del self._claims[name]
        if now_ms - self._pruned_ms >= COUNTERS_PRUNED_EVERY_MS:
            self._prune_counters(now_ms - CHARGE_LIFE_MS)
            self._pruned_ms = now_ms

    def _prune_counters(self, oldest_ms: int) -> None:
        # All at once would hold up the commit it comes with for as long as there are counters.
        execute, begin = self._connection.execute, self._pruned_to
        end: CounterKey | None = execute(
            "SELECT counter, period FROM charges WHERE (counter, period) > (?, ?)"
            " ORDER BY counter, period LIMIT 1 OFFSET ?",
            (*begin, COUNTERS_PRUNED - 1),
        ).fetchone()
        within = "" if end is None else " AND (counter, period) <= (?, ?)"
        gone = execute(
            joined(
                "DELETE FROM charges WHERE touched_ms < ? AND (counter, period) > (?, ?)",
                within,
                " RETURNING counter, period",
            ),
            (oldest_ms, *begin, *(end or ())),
        ).fetchall()
        for key in gone:
            self._counters.pop(key, None)
        self._pruned_to = end or FIRST_COUNTER

    def _remember(self, claims: Sequence[ClaimRow], first: int, last: int) -> None:
        names = [_name(space, key) for space, key, _, _ in claims]
        for name, (_, _, value, expires_ms) in zip(names, claims, strict=True):
            self._claims[name] = expires_ms.to_bytes(_EXPIRY, "big") + value
        latest = max([expires_ms for _, _, _, expires_ms in claims])
        heapq.heappush(self._chunks, (latest, first, last, names))

    def _read(self, keys: Sequence[CounterKey]) -> None:
        """Ask for one value per key, in one step and one row."""
        width = padded(len(keys))
        cells: list[Cell] = []
        for position, key in enumerate(keys):
            cells += (position, *key)
        cells += [None] * (3 * (width - len(keys)))
        row: tuple[str] = self._connection.execute(
            joined(
                "SELECT json_group_object(column1, (SELECT used FROM charges"
                " WHERE counter = column2 AND period = column3)) FROM (VALUES",
                marks("(?, ?, ?)", width),
                ") WHERE column1 IS NOT NULL",
            ),
            cells,
        ).fetchone()
        found: dict[str, int | None] = json.loads(row[0])
        self._counters |= {keys[int(at)]: used or 0 for at, used in found.items()}


def _name(space: str, key: bytes) -> bytes:
    return b"%b\x00%b" % (space.encode(), key)
