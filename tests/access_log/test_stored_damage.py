"""What is found at start: changed, missing, foreign or cut-off entries, with their place."""

import asyncio
import hashlib
import sqlite3
from dataclasses import replace

import pytest

from gateway.access_log import store_sqlite
from gateway.access_log.errors import LogCorrupted, LogRefused
from gateway.access_log.log import AccessLog, LogOptions
from gateway.access_log.note import Ed25519LogSigner
from gateway.model import Committed
from tests.access_log import naive_tree
from tests.access_log.drafts import ORIGIN, LogHome, refuse

SIZE = 600


async def fill(home: LogHome, together: int, alone: int = 0) -> None:
    """Write a log: some entries in large batches, some each in its own."""
    log = home.open()
    await asyncio.gather(*(log.append(refuse(count=at)) for at in range(together)))
    for at in range(alone):
        await log.append(refuse(count=together + at))
    log.close()


def tamper(home: LogHome, statement: str, *parameters: int) -> None:
    """Change the file as somebody does who has it in his hands."""
    connection = sqlite3.connect(home.file)
    triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    assert connection.execute(statement, parameters).rowcount
    connection.commit()
    connection.close()


def found(home: LogHome, *, examine_all: bool = True) -> tuple[int, int]:
    """Where opening finds damage."""
    with pytest.raises(LogCorrupted) as caught:
        home.open(examine_all=examine_all)
    return caught.value.first, caught.value.last


@pytest.mark.parametrize("position", [0, 255, 256, 511])
async def test_changed_entry_is_named(home: LogHome, position: int) -> None:
    """An entry in a full tile that was changed is found at its exact place."""
    await fill(home, SIZE)

    tamper(home, "UPDATE entries SET entry = x'7b7d' WHERE idx = ?", position)

    assert found(home) == (position, position)


async def test_changed_entry_of_the_tail_is_named_by_its_batch(home: LogHome) -> None:
    """After the last full tile, checkpoints lead to the batch: here of one entry."""
    await fill(home, 300, alone=3)

    tamper(home, "UPDATE entries SET entry = x'7b7d' WHERE idx = 301")

    assert found(home) == (301, 301)
    assert found(home, examine_all=False) == (301, 301)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("DELETE FROM entries WHERE idx = 300", (300, 300)),
        ("DELETE FROM entries WHERE idx = 599", (599, 599)),
        ("INSERT INTO entries VALUES (600, x'7b7d')", (600, 600)),
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE number = 1", (256, 256)),
        ("DELETE FROM tiles WHERE number = 1", (256, 256)),
        ("UPDATE head SET edge = x'00'", (512, 599)),
        ("UPDATE head SET size = 599", (599, 599)),
    ],
)
async def test_each_damage_is_named(home: LogHome, statement: str, place: tuple[int, int]) -> None:
    """Missing and foreign entries, changed tiles and a changed head are found where they are."""
    await fill(home, SIZE)

    tamper(home, statement)

    assert found(home) == place


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("DELETE FROM entries WHERE idx = 599", (512, 599)),
        ("DELETE FROM entries WHERE idx = 520", (512, 599)),
        ("INSERT INTO entries VALUES (600, x'7b7d')", (600, 600)),
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE number = 1", (512, 599)),
        ("DELETE FROM tiles WHERE number = 1", (256, 511)),
    ],
)
async def test_short_examination_finds_damage_at_the_end(
    home: LogHome, statement: str, place: tuple[int, int]
) -> None:
    """Looking at the end only still compares all tiles and the unfilled one's entries."""
    await fill(home, SIZE)

    tamper(home, statement)

    assert found(home, examine_all=False) == place


async def test_checkpoint_of_another_key_is_refused(home: LogHome) -> None:
    """A head signed by somebody else is not ours."""
    await fill(home, 3)

    tamper(home, "UPDATE head SET checkpoint = x'7b7d'")

    with pytest.raises(LogRefused):
        home.open()


async def test_file_without_head_of_full_entries_is_refused(home: LogHome) -> None:
    """Entries without a head are not taken for a new log."""
    await fill(home, 3)

    tamper(home, "DELETE FROM checkpoints WHERE size = 0")
    tamper(home, "DELETE FROM head")

    assert found(home) == (0, 2)


async def test_cut_write_ahead_log_loses_only_whole_batches(home: LogHome) -> None:
    """A write-ahead log cut anywhere leaves a log that is whole up to some checkpoint."""
    log = home.open()
    for at in range(12):
        await log.append(refuse(count=at))
    ahead = home.file.with_name("log.db-wal").read_bytes()
    main = home.file.read_bytes()
    log.close()

    for number in range(16):
        cut = LogHome(home.folder / str(number))
        cut.folder.mkdir()
        cut.file.write_bytes(main)
        cut.file.with_name("log.db-wal").write_bytes(ahead[: len(ahead) * number // 15])
        reopened = cut.open()
        size = reopened.size
        reopened.close()
        entries = naive_tree.stored_entries(cut.file)
        root = naive_tree.mth([naive_tree.leaf(entry) for entry in entries])
        assert naive_tree.stored_head(cut.file) == (size, root)


async def test_examination_tells_its_progress(home: LogHome) -> None:
    """Operators see how far a long start has come."""
    await fill(home, SIZE)
    told: list[tuple[int, int]] = []

    options = LogOptions(limits=home.limits, progress=lambda done, size: told.append((done, size)))
    log = AccessLog.open(
        home.file,
        origin=ORIGIN,
        signer=Ed25519LogSigner(home.key),
        clock=home.clock,
        node="gw-1",
        options=options,
    )
    log.close()

    assert told == [(SIZE, SIZE)]


@pytest.mark.parametrize("name", [row[0] for row in store_sqlite._PRAGMAS])
def test_pragma_that_is_not_taken_is_refused(
    home: LogHome, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A setting that reads back differently stops the start."""
    rows = tuple((row[0], row[1], "other") for row in store_sqlite._PRAGMAS if row[0] == name)
    monkeypatch.setattr(store_sqlite, "_PRAGMAS", rows)

    with pytest.raises(LogRefused, match=name):
        home.open()


def test_file_that_cannot_be_opened_leaves_no_lock(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed start the next one is not locked out."""

    def broken(_path: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    with monkeypatch.context() as patched:
        patched.setattr(store_sqlite, "_connect", broken)
        with pytest.raises(sqlite3.OperationalError):
            home.open()

    home.open().close()


async def test_personal_data_stands_in_no_file(home: LogHome) -> None:
    """What is committed to as detached is in no file of the log, neither raw nor in hex."""
    canary = b"canary-11010119900307002X"
    draft = refuse()
    sensitive = Committed(member="request", value=canary, salt=b"\xc3" * 32, detached=True)
    log = home.open()
    await log.append(replace(draft, committed=(sensitive,)))

    contents = [path.read_bytes() for path in home.folder.iterdir()]
    log.close()

    for secret in (canary, canary.hex().encode(), b"\xc3" * 32, hashlib.sha256(canary).digest()):
        assert not any(secret in content for content in contents)
