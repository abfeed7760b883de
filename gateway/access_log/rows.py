"""Rows as they go to SQLite, many in one step: the lock of the interpreter is let go once for all.

Knows nothing of tables. Statements are padded to a power of two rows, so that few are prepared.
"""

import sqlite3
from functools import lru_cache
from typing import TypeAlias

MAX_ROWS = 1 << 10
"""Rows of one statement: twelve columns stay below SQLite's 32,766 parameters."""
STATEMENTS_KEPT = 256
"""Prepared statements kept: about ten, each in eleven widths."""

Cell = int | str | bytes | None

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
    size = MAX_ROWS * columns
    for at in range(0, len(cells), size):
        part = cells[at : at + size] if len(cells) > size else cells
        width = padded(len(part) // columns)
        part += [None] * (columns * width - len(part))
        connection.execute(_statement(into, columns, width, conflict), part)


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
