"""How a log whose writer is a process of its own begins and ends, also when things go wrong."""

import asyncio
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog.testing

from gateway import child
from gateway.access_log import apart as writing_apart
from gateway.access_log.errors import LogUnavailable
from tests.access_log.apart import (
    BEGUN_S,
    NOWHERE,
    appended,
    begin_of,
    failing_files,
    failing_writes,
    lives,
    lost,
    process_of,
    strike,
    unavailable,
    writer_of,
    writing,
)
from tests.access_log.drafts import LogHome, refuse
from tests.access_log.states import require_whole, until_stopped_for


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing_apart, "WATCH_S", 0.05)


async def test_without_a_process_at_first_the_start_fails(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that cannot log does not serve; started again, it does."""
    monkeypatch.setattr("gateway.child.sys.executable", NOWHERE)
    log = home.open(apart=begin_of(home))

    with pytest.raises(LogUnavailable, match="no process could be started"):
        await log.start()

    await log.stop()
    home.open().close()


async def test_a_log_stops_while_nobody_writes(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway told to stop does not wait for a process that cannot be had."""
    async with writing(home) as log:
        kept = await log.append(refuse())
        monkeypatch.setattr("gateway.child.sys.executable", NOWHERE)
        strike(log)
        await lost(log)

        await asyncio.wait_for(log.stop(), 5)

        assert log.process_id is None
    home.open().close()
    require_whole(home, [kept])


async def test_a_log_stops_although_its_process_stands_still(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies there for too long is given up, those who wait are told, nothing is left."""
    monkeypatch.setattr(writing_apart, "STUCK_S", 0.5)
    monkeypatch.setattr(child, "END_S", 0.2)
    log = home.open(apart=begin_of(home))
    await log.start()
    still = strike(log, signal.SIGSTOP)
    begun = [log.begin(refuse()) for _ in range(3)]

    await asyncio.wait_for(log.stop(), BEGUN_S)

    unavailable(await asyncio.gather(*begun, return_exceptions=True))
    assert not lives(still)


@pytest.mark.parametrize("after_s", [0.1, 0.3])
async def test_a_start_that_is_broken_off_leaves_no_process(
    home: LogHome, monkeypatch: pytest.MonkeyPatch, after_s: float
) -> None:
    """Neither while the process is being started nor while it begins."""
    started: list[subprocess.Popen[bytes]] = []
    spawn = child._spawn

    def spawn_slowly(module: str, theirs: socket.socket) -> subprocess.Popen[bytes]:
        time.sleep(0.2)
        started.append(spawn(module, theirs))
        return started[0]

    monkeypatch.setattr(child, "_spawn", spawn_slowly)
    log = home.open(apart=begin_of(home))
    starting = asyncio.ensure_future(log.start())
    await asyncio.sleep(after_s)

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await log.stop()

    assert [each.returncode is not None for each in started] == [True]
    home.open().close()


async def test_a_stop_without_a_free_thread_leaves_no_process(home: LogHome) -> None:
    """The process of a log that is stopped is waited for, whatever else is going on."""
    log = home.open(apart=begin_of(home))
    await log.start()
    process = process_of(log)
    free = threading.Event()
    threads = ThreadPoolExecutor(max_workers=1)
    asyncio.get_running_loop().set_default_executor(threads)
    threads.submit(free.wait)

    stopping = asyncio.ensure_future(log.stop())
    await asyncio.sleep(0.1)
    free.set()
    await stopping

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    threads.shutdown()
    assert not lives(process)
    await until_stopped_for(log, "closed")


async def test_a_gateway_that_stops_while_its_process_recovers_ends_it(home: LogHome) -> None:
    """Nobody waits for storage that does not come back."""
    log = home.open(apart=begin_of(home))
    await log.start()
    kept = await log.append(refuse())
    peer = writer_of(log)._peer
    assert peer is not None
    with failing_writes(peer.process_id), failing_files(peer.process_id):
        unavailable(await appended(log, 3))
        await asyncio.sleep(0.2)
        stopped = log.health().stopped

        await log.stop()

    assert "the store failed" in (stopped or "")
    assert peer._process.returncode == 0  # by itself
    require_whole(home, [kept])


async def test_a_keeper_that_dies_is_named(home: LogHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw leaves the log closed; diagnostics say its kind and not its text."""

    async def exhausted(_peer: object) -> None:
        await asyncio.sleep(0.1)
        raise MemoryError("姓名-CANARY")

    monkeypatch.setattr("gateway.access_log.apart._Peer.wait_for_end", exhausted)
    with structlog.testing.capture_logs() as said:
        async with writing(home) as log:
            await lost(log)
            await asyncio.wait([keeping for keeping in [writer_of(log)._keeping] if keeping])
            with pytest.raises(LogUnavailable):
                await log.append(refuse())

    assert {"event": "log_stopped", "why": "MemoryError", "log_level": "error"} in said


def test_both_ends_must_share_what_lies_beside_the_package(tmp_path: Path) -> None:
    """The child is a module beside it; changed there, it is another release."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "inside.py").write_text("inside")
    (tmp_path / "beside.py").write_text("before")
    before = child.load_form(package)

    (tmp_path / "beside.py").write_text("after")

    assert child.load_form(package) != before
