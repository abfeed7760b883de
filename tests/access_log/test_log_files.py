"""Whose file a log is: one writer, one origin, one key, closed to others, only growing."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access_log.errors import (
    LogRefused,
)
from gateway.access_log.log import AccessLog
from gateway.model import Logged
from tests.access_log.drafts import LogHome, ask


async def many(log: AccessLog, count: int) -> list[Logged]:
    """Append asks at once."""
    return await asyncio.gather(*(log.append(ask()) for _ in range(count)))


def test_second_writer_is_refused(home: LogHome, log: AccessLog) -> None:
    """One process writes."""
    assert log.size == 0

    with pytest.raises(LogRefused, match="another process"):
        home.open()


def test_other_origin_is_refused(home: LogHome) -> None:
    """A file keeps the origin it was made with."""
    home.open().close()

    with pytest.raises(LogRefused, match="origin"):
        home.open(origin="other.invalid/log")


def test_other_key_is_refused(home: LogHome, tmp_path: Path) -> None:
    """A file keeps the key it was made with."""
    home.open().close()
    other = LogHome(tmp_path)
    other.key = Ed25519PrivateKey.from_private_bytes(b"x" * 32)

    with pytest.raises(LogRefused, match="key"):
        other.open()


@pytest.mark.usefixtures("log")
def test_files_are_closed_to_others(home: LogHome) -> None:
    """Nobody but the owner reads the log or holds its lock."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.folder.iterdir()}

    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("table", ["genesis", "entries", "checkpoints", "tiles"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET rowid = 99", "DELETE FROM {0}"])
async def test_what_was_logged_cannot_be_changed(home: LogHome, table: str, act: str) -> None:
    """Triggers refuse every UPDATE and DELETE of what only grows."""
    log = home.open()
    await many(log, 256)
    log.close()
    connection = sqlite3.connect(home.file)

    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute(act.format(table))

    connection.close()
