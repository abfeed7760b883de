"""The file is exchanged under a gateway that runs: the log stays closed until somebody looks."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import structlog.testing
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import child
from gateway.access_log.errors import LogUnavailable
from gateway.access_log.log import AccessLog
from tests.access_log import naive_tree
from tests.access_log.apart import (
    BEGUN_S,
    appended,
    begin_of,
    strike,
    unavailable,
    writer_of,
    writing,
)
from tests.access_log.drafts import LogHome, refuse


async def exchanged(home: LogHome, exchange: Callable[[AccessLog], None]) -> str:
    """Kill the process, change something before another one begins, and return why it stopped."""
    async with writing(home) as log:
        await appended(log, 3)
        with structlog.testing.capture_logs() as events:
            strike(log)
            exchange(log)
            keeping = writer_of(log)._keeping
            assert keeping is not None
            await asyncio.wait_for(asyncio.shield(keeping), BEGUN_S)
        with pytest.raises(LogUnavailable):
            log.begin(refuse())
        assert [each["event"] for each in events] == ["log_process_lost", "log_stopped"]
        assert events[1]["why"] == log.health().stopped
        assert log.process_id is None
        return str(events[1]["why"])


def put(copy: Path, home: LogHome) -> None:
    """Lay another file in the place of the log, as a restored disk would."""
    for name in ("log.db-wal", "log.db-shm"):
        (home.folder / name).unlink(missing_ok=True)
    shutil.copyfile(copy, home.file)


async def test_a_file_that_lost_what_was_durable_is_not_written_again(
    home: LogHome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A copy from before would get a second history: the log stays closed until somebody looks."""
    older = tmp_path_factory.mktemp("older") / "log.db"
    home.open().close()
    shutil.copyfile(home.file, older)

    found = await exchanged(home, lambda _log: put(older, home))

    assert found == "the file lost what was durable (entries 0 to 2)"


async def test_a_file_with_another_history_is_not_written_again(
    home: LogHome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Longer, signed by the same key, and not what partners were shown."""
    other = LogHome(tmp_path_factory.mktemp("other"))
    longer = other.open()
    await asyncio.gather(*(longer.append(refuse("OTHER")) for _ in range(9)))
    longer.close()

    found = await exchanged(home, lambda _log: put(other.file, home))

    assert found == "the file holds another history (entries 0 to 2)"


async def test_another_release_does_not_write_for_a_gateway_that_runs(home: LogHome) -> None:
    """Installed anew under a running gateway, the program has to be started again."""

    def install(log: AccessLog) -> None:
        writer = writer_of(log)
        writer._begin = replace(writer._begin, form="as it was before")

    found = await exchanged(home, install)

    assert found == "another release was installed: start the gateway again"


async def test_another_key_does_not_write(home: LogHome) -> None:
    """A key file exchanged under a running gateway ends the writing, and says why."""

    def exchange_key(_log: AccessLog) -> None:
        keys = home.folder.with_name(home.folder.name + "-keys")
        shutil.rmtree(keys)
        begin_of(LogHome(home.folder, key=Ed25519PrivateKey.from_private_bytes(b"x" * 32)))

    assert "key" in await exchanged(home, exchange_key)


async def test_a_head_moved_under_a_process_that_writes_starts_no_other(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes past the locks is noticed before anything is acknowledged, and for good."""
    started: list[object] = []
    async with writing(home) as log:
        await appended(log, 3)
        monkeypatch.setattr(child, "_spawn", lambda *arguments: started.append(arguments))
        with closing(sqlite3.connect(home.file)) as other, other:
            other.execute("UPDATE head SET size = 9")

        told = unavailable(await appended(log, 2))
        keeping = writer_of(log)._keeping
        assert keeping is not None
        await asyncio.wait_for(asyncio.shield(keeping), BEGUN_S)

        assert told == {"the head of the log was moved by somebody else"}
        assert log.health().stopped == told.pop()
    assert started == []
    assert len(naive_tree.stored_entries(home.file)) == 3
