"""The process that writes is lost: nobody is told of success, nothing is lost, another comes."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import pytest
import pytest_asyncio
import structlog.testing
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
    NOWHERE,
    another,
    appended,
    durable,
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
from tests.access_log.states import require_whole, until_accepting

pytestmark = pytest.mark.asyncio(loop_scope="module")

KILLS = 8
P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    """The folder of the log that these tests share."""
    return LogHome(tmp_path_factory.mktemp("lost"), limits=QueueLimits(reserve_bytes=0, batch=20))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(shared_home: LogHome) -> AsyncIterator[AccessLog]:
    """A log whose process is replaced again and again."""
    async with writing(shared_home) as log:
        yield log


@pytest_asyncio.fixture(loop_scope="module")
async def shared(running: AccessLog) -> AccessLog:
    """The same once it accepts, whatever the test before did to it."""
    await another(running, than=-1)
    return running


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


async def test_a_process_that_does_not_recover_is_replaced(
    shared: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hang while nobody has given it a batch: another one tries after a while."""
    monkeypatch.setattr(writing_apart, "RECOVER_S", 0.5)
    monkeypatch.setattr(child, "END_S", 0.2)
    process = process_of(shared)
    with failing_writes(process), failing_files(process):
        unavailable(await appended(shared, 3))
        strike(shared, signal.SIGSTOP)

    assert await another(shared, process) != process
    assert not lives(process)


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

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    threads.shutdown()
    assert ended
    assert {each["event"] for each in events} == {"log_process_lost", "log_process_not_started"}
    assert isinstance(await shared.append(refuse()), Logged)


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
