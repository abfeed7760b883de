"""Many rows to SQLite in one step: the interpreter lock is let go once, not once per row.

Knows nothing of tables. Statements are padded to a power of two rows, so that few are prepared.
"""

import sqlite3
from functools import lru_cache

MAX_ROWS = 1 << 10
"""Rows of one statement: twelve columns stay below SQLite's 32,766 parameters."""
STATEMENTS_KEPT = 256
"""Prepared statements kept: about ten, each in eleven widths."""

Cell = int | str | bytes | None


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
