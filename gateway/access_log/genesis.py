"""Which log a file is: written once when it is made, compared whenever it is opened."""

import sqlite3
from dataclasses import dataclass

from gateway.access_log.errors import LogRefused

FORMAT = 2
"""Version of the tables; another one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """Which log this file is: fixed when it is made."""

    origin: str
    public_key: bytes


def require_same_log(connection: sqlite3.Connection, genesis: Genesis) -> None:
    """Compare which log a file is with which it should be.

    Raises:
        LogRefused: it is another log's file.
        sqlite3.Error: it is no log at all.
    """
    stored = connection.execute("SELECT format, origin, public_key FROM genesis").fetchone()
    if stored != (FORMAT, genesis.origin, genesis.public_key):
        raise LogRefused("the file belongs to a log of another origin, key or format")
