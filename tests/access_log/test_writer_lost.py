"""The process that writes is lost: nobody is told of success, nothing is lost, another comes."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
import pytest_asyncio
import structlog.testing
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from gateway import child
from gateway.access_log import apart as writing_apart
from gateway.access_log.apart import LOST, UNDER_WAY
from gateway.access_log.errors import LogUnavailable
from gateway.access_log.intake import Intake, QueueLimits, Waiting
from gateway.access_log.log import AccessLog
from gateway.frames import encode_frame
from gateway.model import Logged
from tests.access_log import naive_tree
from tests.access_log.apart import (
    BEGUN_S,
    another,
    appended,
    begin_of,
    durable,
    failing_files,
    failing_writes,
    lives,
    lost,
    process_of,
    strike,
    writer_of,
    writing,
)
from tests.access_log.drafts import LogHome, refuse
from tests.access_log.states import require_whole, until_accepting, until_stopped_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

KILLS = 8
NOWHERE = "/nowhere/python"
P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    """The folder of the log that these tests share."""
    return LogHome(tmp_path_factory.mktemp("lost"), limits=QueueLimits(reserve_bytes=0, batch=20))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(shared_home: LogHome) -> AsyncIterator[AccessLog]:
    """A log whose process is replaced again and again."""
    async with writing(shared_home) as log:
        yield log


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing_apart, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(writing_apart, "WATCH_S", 0.05)


async def under_way(log: AccessLog) -> list["asyncio.Future[Logged]"]:
    """Stop the process and give it more batches than it may have at a time."""
    strike(log, signal.SIGSTOP)
    begun = [log.begin(refuse()) for _ in range(50)]
    peer = writer_of(log)._peer
    assert peer is not None
    async with asyncio.timeout(BEGUN_S):
        while len(peer.sent) < UNDER_WAY:  # noqa: ASYNC110 - sent by callbacks of this loop
            await asyncio.sleep(0)
    return begun


def unavailable(told: Sequence[object]) -> set[str]:
    """Require that nobody was told of success, and return what they were told."""
    assert all(type(each) is LogUnavailable for each in told)
    return {str(each) for each in told}


async def test_those_who_wait_for_a_killed_process_are_told(
    shared: AccessLog, shared_home: LogHome
) -> None:
    """Two batches under way and the queue behind them: nothing is known to be durable."""
    kept = durable(await appended(shared, 30))
    begun = await under_way(shared)

    killed = strike(shared)
    told = await asyncio.wait_for(asyncio.gather(*begun, return_exceptions=True), BEGUN_S)
    with pytest.raises(LogUnavailable, match=LOST):
        shared.begin(refuse())
    await another(shared, killed)
    logged = await shared.append(refuse())

    assert len(kept) == 30
    assert unavailable(told) == {LOST}
    assert not lives(killed)
    require_whole(shared_home, [*kept, logged])


@pytest.mark.slow
async def test_a_storm_of_kills_loses_nothing_that_was_acknowledged(
    shared: AccessLog, shared_home: LogHome
) -> None:
    """Killed at any moment under many callers, again and again; the gateway lives on."""
    choose = random.Random(2026)  # noqa: S311 - a seed makes the moments repeatable
    acknowledged: dict[int, bytes] = {}
    refused = 0
    ended = asyncio.Event()

    async def call() -> None:
        nonlocal refused
        while not ended.is_set():
            try:
                logged = await shared.append(refuse())
            except LogUnavailable:
                refused += 1
                await asyncio.sleep(0.005)
            else:
                assert acknowledged.setdefault(logged.index, logged.entry) is logged.entry

    callers = [asyncio.create_task(call()) for _ in range(16)]
    for _ in range(KILLS):
        await asyncio.sleep(choose.uniform(0.0, 0.1))
        await another(shared, strike(shared))
    ended.set()
    await asyncio.gather(*callers)
    last = await shared.append(refuse())

    entries = naive_tree.stored_entries(shared_home.file)
    assert {index: entries[index] for index in acknowledged} == acknowledged
    assert len(acknowledged) > KILLS
    assert refused >= KILLS
    require_whole(shared_home, [last])


async def test_a_process_that_stands_still_is_replaced(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newcomers are refused first, then those who waited are told, and another one writes."""
    monkeypatch.setattr(writing_apart, "STUCK_S", 1.0)
    monkeypatch.setattr(child, "END_S", 0.2)
    home.limits = QueueLimits(age_s=0.2, reserve_bytes=0)
    async with writing(home) as log:
        kept = await log.append(refuse())
        still = strike(log, signal.SIGSTOP)
        first = log.begin(refuse())
        await asyncio.sleep(0.4)

        with pytest.raises(LogUnavailable, match="too much waits"):
            log.begin(refuse())
        told = await asyncio.wait_for(asyncio.gather(first, return_exceptions=True), BEGUN_S)
        await another(log, still)
        logged = await log.append(refuse())

        assert unavailable(told) == {LOST}
        assert not lives(still)
        require_whole(home, [kept, logged])


async def test_storage_that_fails_in_the_process_is_told_to_all(
    shared: AccessLog, shared_home: LogHome
) -> None:
    """What was under way is not written, and the same process goes on once it can."""
    kept = durable(await appended(shared, 5))
    process = process_of(shared)

    with failing_writes(process):
        told = await appended(shared, 50)
        stored = len(naive_tree.stored_entries(shared_home.file))
    await until_accepting(shared)
    logged = await shared.append(refuse())

    assert {each.rpartition(":")[0] for each in unavailable(told)} <= {
        *("the store failed (OperationalError)", "the store failed (DatabaseError)")
    }
    assert (logged.index, process_of(shared)) == (stored, process)
    require_whole(shared_home, [*kept, logged])


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


async def test_a_log_resumes_when_its_file_can_be_opened_again(home: LogHome) -> None:
    """The process tries until it can read the file, and nothing is accepted meanwhile."""
    async with writing(home) as log:
        process = process_of(log)
        with failing_writes(process), failing_files(process):
            unavailable(await appended(log, 3))
            await asyncio.sleep(0.3)
            with pytest.raises(LogUnavailable, match="the store failed"):
                log.begin(refuse())
        await until_accepting(log)

        logged = await log.append(refuse())

        assert (logged.index, process_of(log)) == (0, process)


@dataclass
class Exchanged:
    """A log whose file was exchanged between two of its processes."""

    log: AccessLog
    said: list[str | None]


async def exchanged(home: LogHome, exchange: Callable[[AccessLog], None]) -> Exchanged:
    """Kill the process, change something before another one begins, and wait for what it says."""
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
        assert [each["event"] for each in events] == ["log_process_lost"]
        assert log.process_id is None
        return Exchanged(log, [log.health().stopped])


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

    assert found.said == ["the file lost what was durable (entries 0 to 2)"]


async def test_a_file_with_another_history_is_not_written_again(
    home: LogHome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Longer, signed by the same key, and not what partners were shown."""
    other = LogHome(tmp_path_factory.mktemp("other"))
    longer = other.open()
    await asyncio.gather(*(longer.append(refuse("OTHER")) for _ in range(9)))
    longer.close()

    found = await exchanged(home, lambda _log: put(other.file, home))

    assert found.said == ["the file holds another history (entries 0 to 2)"]


async def test_another_release_does_not_write_for_a_gateway_that_runs(home: LogHome) -> None:
    """Installed anew under a running gateway, the program has to be started again."""

    def install(log: AccessLog) -> None:
        writer = writer_of(log)
        writer._begin = replace(writer._begin, form="as it was before")

    found = await exchanged(home, install)

    assert found.said == ["another release was installed: start the gateway again"]


async def test_another_key_does_not_write(home: LogHome) -> None:
    """A key file exchanged under a running gateway ends the writing, and says why."""

    def exchange_key(_log: AccessLog) -> None:
        keys = home.folder.with_name(home.folder.name + "-keys")
        shutil.rmtree(keys)
        begin_of(LogHome(home.folder, key=Ed25519PrivateKey.from_private_bytes(b"x" * 32)))

    (said,) = (await exchanged(home, exchange_key)).said

    assert "key" in (said or "")


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


async def test_the_log_opens_again_when_a_process_can_be_started(
    shared: AccessLog, shared_home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again and again, the log is closed meanwhile, and the operator is told."""
    with structlog.testing.capture_logs() as events:
        with monkeypatch.context() as patched:
            patched.setattr("gateway.child.sys.executable", NOWHERE)
            killed = strike(shared)
            await lost(shared)
            await asyncio.sleep(0.3)
            with pytest.raises(LogUnavailable, match=LOST):
                shared.begin(refuse())
        await another(shared, killed)

    logged = await shared.append(refuse())

    kinds = [each["event"] for each in events]
    assert kinds[0] == "log_process_lost"
    assert set(kinds[1:]) == {"log_process_not_started"}
    assert len(kinds) > 2
    require_whole(shared_home, [logged])


class NoThreads(ThreadPoolExecutor):
    """Threads that are not to be had for a while."""

    exhausted = False

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run something, if a thread may be started."""
        if self.exhausted:
            raise RuntimeError("can't start new thread")
        return super().submit(fn, *args, **kwargs)


async def test_without_a_thread_the_lost_process_ends_and_another_comes_later(
    shared: AccessLog,
) -> None:
    """At a limit of threads nothing waits for ever, and the log opens when there is room."""
    threads = NoThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    threads.exhausted = True
    killed = strike(shared)
    with structlog.testing.capture_logs() as events:
        await lost(shared)
        await asyncio.sleep(0.2)
    ended = not lives(killed)
    threads.exhausted = False

    await another(shared, killed)

    assert ended
    assert {each["event"] for each in events} == {"log_process_lost", "log_process_not_started"}
    assert isinstance(await shared.append(refuse()), Logged)


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


async def test_memory_that_ends_while_a_batch_is_taken_leaves_nobody_untold(
    shared: AccessLog, shared_home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drafts that left the queue and were never sent are told like those behind them."""
    process, size = process_of(shared), shared.size

    def exhausted(_intake: Intake, _batch: object) -> list[Waiting]:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "_wanted", exhausted)
        told = await asyncio.wait_for(appended(shared, 5), 5)
    await another(shared, process)

    assert unavailable(told) == {LOST}
    assert len(naive_tree.stored_entries(shared_home.file)) == size


@pytest.mark.parametrize("broken", ["entry_row", "encode_frame", "outcomes", "settle"])
async def test_memory_that_ends_in_the_gateway_tells_nobody_of_success(
    shared: AccessLog,
    shared_home: LogHome,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    """A batch that was not sent takes no answer of the next; one half told is told by the loss."""
    process, times = process_of(shared), iter([MemoryError()])
    works = getattr(writing_apart, broken)

    def once(*arguments: object) -> object:
        for error in times:
            raise error
        return works(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(writing_apart, broken, once)
        told = await asyncio.wait_for(appended(shared, 50), 5)
    await another(shared, process)
    logged = await shared.append(refuse())

    failed = [each for each in told if not isinstance(each, Logged)]
    assert unavailable(failed) == {LOST}
    require_whole(shared_home, [*durable(told), logged])


async def test_a_report_that_is_not_understood_ends_the_process(shared: AccessLog) -> None:
    """Whoever waits is told, and another process takes over."""
    begun = await under_way(shared)
    peer, process = writer_of(shared)._peer, process_of(shared)
    assert peer is not None

    with pytest.raises(ValueError, match="nonsense"):
        peer.data_received(encode_frame([("nonsense", None, [], [], "", False)]))
    os.kill(process, signal.SIGCONT)

    unavailable(await asyncio.wait_for(asyncio.gather(*begun, return_exceptions=True), 5))
    assert await another(shared, process) != process


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

    assert not lives(process)
    await until_stopped_for(log, "closed")
