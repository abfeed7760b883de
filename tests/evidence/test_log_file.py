"""How a log file is opened: read-only, whole, and never taken for less than it holds."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from hutong.evidence import (
    EvidenceError,
    Unreadable,
    examine_log,
    verify_log,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evidence.synthetic_log import (
        Signer,
        SyntheticLog,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log file is stored; the name needs quoting in a URI."""
    return tmp_path / "log of 2026?#%.db"


def test_log_in_use_is_read_without_being_written(log: SyntheticLog, path: Path) -> None:
    """A log in write-ahead mode is read as of its last commit."""
    log.store(path)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    log.add(kind="tick")
    log.sign()
    with writer:
        writer.execute("INSERT INTO entry VALUES (22, ?)", (log.entries[22],))
        writer.execute("INSERT INTO checkpoint VALUES (23, ?)", (log.checkpoints[23],))

    report = verify_log(path, log.signer.log_key)

    assert report.size == 23
    writer.close()


def test_views_serve_as_well_as_tables(log: SyntheticLog, path: Path) -> None:
    """A writer with other names gives the two as views."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE entry RENAME TO leaves")
        connection.execute("CREATE VIEW entry AS SELECT idx, body FROM leaves")

    assert verify_log(path, log.signer.log_key).size == 22
    connection.close()


def test_a_path_that_cannot_be_looked_at_is_unreadable(signer: Signer, tmp_path: Path) -> None:
    """Not being able to look accuses nobody."""
    with pytest.raises(Unreadable, match="looked at"):
        verify_log(tmp_path / ("x" * 300), signer.log_key)


def test_view_without_numbers_is_unreadable(log: SyntheticLog, path: Path) -> None:
    """Rows are numbered by integers."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE entry RENAME TO leaves")
        connection.execute("CREATE VIEW entry AS SELECT 'one' AS idx, body FROM leaves")

    with pytest.raises(Unreadable):
        examine_log(path, log.signer.log_key)
    connection.close()


def test_damaged_database_is_unreadable(log: SyntheticLog, path: Path) -> None:
    """A page that is no page is not taken for a shorter log."""
    for number in range(200):
        log.ask(number + 50)
    raw = bytearray(log.store(path).read_bytes())
    raw[4096 * 3 :] = b"\xff" * (len(raw) - 4096 * 3)
    path.write_bytes(raw)

    with pytest.raises(Unreadable):
        examine_log(path, log.signer.log_key)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_file_that_is_no_log_is_unreadable(signer: Signer, path: Path, content: bytes) -> None:
    """Neither an empty file nor another format is an empty log."""
    path.write_bytes(content)

    with pytest.raises(Unreadable):
        examine_log(path, signer.log_key)


def test_file_with_a_write_ahead_log_is_never_read_past_it(log: SyntheticLog, path: Path) -> None:
    """Entries in a write-ahead log are not passed over by reading the main file alone."""
    path.write_bytes(b"no database at all" * 100)
    path.with_name(path.name + "-wal").write_bytes(b"")

    with pytest.raises(Unreadable):
        examine_log(path, log.signer.log_key)


def test_absent_file_is_unreadable_and_not_created(signer: Signer, path: Path) -> None:
    """Looking for a log makes none."""
    with pytest.raises(EvidenceError):
        examine_log(path, signer.log_key)

    assert not path.exists()
