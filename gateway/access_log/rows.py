"""Rows as they go to SQLite, many in one step: the lock of the interpreter is let go once for all.

Knows nothing of tables. Statements have a power of two rows, so that few are prepared.
"""

import sqlite3
from functools import lru_cache
from typing import TypeAlias

MAX_ROWS = 1 << 10
"""Rows of one statement: twelve columns stay below SQLite's 32,766 parameters."""
CUT_FROM = 8
"""From so many rows on, another statement costs less than rows of padding."""
STATEMENTS_KEPT = 256
"""Prepared statements kept: about ten, each in eleven widths."""

Cell = int | str | bytes | bytearray | None
"""Where there are many, a bytearray: of bytes, `sqlite3` first asks whether they adapt to another
type (CPython, Modules/_sqlite/cursor.c, need_adapt), which takes five times as long as binding."""

ClaimRow: TypeAlias = tuple[str, bytes, bytes, int]
"""Space, key, value, expiry in ms."""
ChargeRow: TypeAlias = tuple[bytes, str, int, int]
"""Counter, period, cost, limit."""
EntryRow: TypeAlias = tuple[
    str,
    bytes,
    bytes,
    bytes,
    bytes | None,
    int,
    str | None,
    str | None,
    bytes | None,
    bytes | None,
    bytes | None,
    int | None,
    tuple[ClaimRow, ...],
    tuple[ChargeRow, ...],
]
"""An entry on its way to the file: kind, leaf before and after its time, kept openings; request id,
item, organisation, system, subject, officer, case; the ask an answer closes; claims, charges."""


def put(
    connection: sqlite3.Connection, into: str, columns: int, cells: list[Cell], conflict: str = ""
) -> None:
    """Insert rows, whose cells stand one after another, the first of a row never NULL."""
    rows, at = len(cells) // columns, 0
    while at < rows:
        width = _width(rows - at)
        part = cells[at * columns : (at + width) * columns]
        # Numbers, but for the first cell, which says that the row is none: NULL is dear to bind.
        part += [None, *[0] * (columns - 1)] * (width - len(part) // columns)
        connection.execute(_statement(into, columns, width, conflict), part)
        at += width


def _width(rows: int) -> int:
    """Return how many rows the next statement has: few are padded, many are cut."""
    return padded(rows) if rows < CUT_FROM else min(padded(rows + 1) // 2, MAX_ROWS)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _statement(into: str, columns: int, width: int, conflict: str) -> str:
    values = marks(f"({', '.join('?' * columns)})", width)
    # Rows of padding are left out again.
    return joined(into, "SELECT * FROM (VALUES", values, ") WHERE column1 IS NOT NULL", conflict)


def padded(count: int) -> int:
    """Return the power of two to which so many are padded."""
    return 1 << (count - 1).bit_length()


def marks(element: str, width: int) -> str:
    """Repeat an element of a statement."""
    return ", ".join([element] * width)


def joined(*parts: str) -> str:
    """Join parts of a statement, all of them constants of this package or marks for parameters."""
    return " ".join(parts)
