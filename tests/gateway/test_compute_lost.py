"""Nothing is lost with the second process, and another takes its place."""

import asyncio
import dataclasses
import marshal
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog.testing

from adapters.port import (
    DatasetName,
    Query,
    Untold,
)
from adapters.settings import HrssConfig
from gateway import child
from gateway.app import Gateway
from gateway.compute.apart import MODULE, WATCH_S, ComputeApart
from gateway.compute.department import ApartDepartment
from gateway.compute.here import ComputeHere
from gateway.compute.port import OpenJob
from gateway.compute.protocol import Begin, Job
from gateway.distrust import Proven
from gateway.frames import encode_frame
from tests.child_processes import start_child
from tests.gateway.computing import BEGUN_S, HR, begin_of, begun, fetch_job, lives

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_breaks_apart_is_done_here(
    gateway: Gateway, apart: ComputeApart, query: Query
) -> None:
    """A dataset the second process does not serve is given back, and the process goes on."""
    shape = dataclasses.replace(query.dataset, name=DatasetName("hr.unheard_of@1"))
    job = fetch_job(gateway, dataclasses.replace(query, dataset=shape))
    department = ApartDepartment(gateway.registry.by_dataset[HR], apart)
    process = apart.process_id

    assert await apart.fetch(job) is None
    assert isinstance(await department.ask(job), Untold)
    assert isinstance(await department.ask(fetch_job(gateway, query)), Proven)
    assert apart.process_id == process


async def test_a_department_that_answers_nonsense_is_found_out_here_too(
    gateway: Gateway, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no outcome is none either where the second process is away."""
    here = gateway.registry.by_dataset[HR]

    async def nonsense(_: Query) -> str:
        await asyncio.sleep(0)
        return "nonsense"

    monkeypatch.setattr(here, "fetch", nonsense)
    away = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))

    with pytest.raises(TypeError):
        await ApartDepartment(here, away).ask(fetch_job(gateway, query))


async def test_jobs_of_a_killed_process_are_done_here(
    apart: ComputeApart, here: ComputeHere, open_job: OpenJob
) -> None:
    """Jobs under way when it dies, and those after, end as if nothing had happened."""
    killed = await begun(apart)
    under_way = [asyncio.ensure_future(apart.open(open_job)) for _ in range(50)]
    await asyncio.sleep(0)

    os.kill(killed, signal.SIGKILL)

    expected = await here.open(open_job)
    assert all(opened == expected for opened in await asyncio.gather(*under_way))
    assert await apart.open(open_job) == expected


async def test_a_killed_process_is_replaced(apart: ComputeApart, open_job: OpenJob) -> None:
    """Another one takes jobs by itself."""
    killed = await begun(apart)

    os.kill(killed, signal.SIGKILL)

    assert await begun(apart, other_than=killed) != killed
    assert (await apart.open(open_job)).statement is not None


async def test_a_process_that_stands_still_is_replaced(
    apart: ComputeApart, open_job: OpenJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that lies is done here, and the process that left it lying is ended."""
    monkeypatch.setattr("gateway.compute.apart.STUCK_S", 0.2)
    monkeypatch.setattr("gateway.compute.apart.WATCH_S", 0.1)
    monkeypatch.setattr("gateway.child.END_S", 0.2)
    still = await begun(apart)
    os.kill(still, signal.SIGSTOP)

    opened = await asyncio.wait_for(apart.open(open_job), 10)

    assert opened.statement is not None
    monkeypatch.undo()
    assert await begun(apart, other_than=still) != still
    assert not lives(still)


async def test_the_second_process_ends_with_the_first(gateway: Gateway) -> None:
    """A gateway that stops waits until it is gone."""
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    apart.start()
    process = await begun(apart)

    await apart.stop()

    assert not lives(process)
    assert apart.process_id is None


async def test_the_gauge_says_whether_a_second_process_works(gateway: Gateway) -> None:
    """One once it takes jobs, none after it has ended."""
    said: list[bool] = []
    signer = gateway.exchange._parts.signer
    apart = ComputeApart(ComputeHere(signer), begin_of(gateway), said.append)
    apart.start()
    await begun(apart)

    await apart.stop()

    assert said == [True, False]


async def test_what_nobody_foresaw_is_met_here(apart: ComputeApart, open_job: OpenJob) -> None:
    """The process ends, the gateway does the job itself and meets the error, another takes over."""
    ended = await begun(apart)

    with pytest.raises(OverflowError):
        await apart.open(dataclasses.replace(open_job, now_ms=10**30))

    assert await begun(apart, other_than=ended) != ended


async def test_a_process_that_breaks_says_the_kind_and_no_value() -> None:
    """Diagnostics name what happened, never what it happened to."""
    canary = "姓名-CANARY"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await start_child(MODULE, theirs)
        ours.sendall(encode_frame([(1, Job.OPEN.value, marshal.dumps(canary))]))
        async with asyncio.timeout(BEGUN_S):
            _, said = await process.communicate()

    assert b"compute_broke" in said
    assert canary not in said.decode()
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    "change",
    [
        lambda begin: dataclasses.replace(begin, config="{}"),
        lambda begin: dataclasses.replace(begin, form="another"),
        lambda begin: dataclasses.replace(begin, keyids=("another",)),
    ],
)
async def test_a_process_that_is_not_ours_leaves_the_jobs_here(
    gateway: Gateway, open_job: OpenJob, change: Callable[[Begin], Begin]
) -> None:
    """Another configuration, release or key ends it; the gateway answers, and says so."""
    begin = change(begin_of(gateway))
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin)
    apart.start()

    with structlog.testing.capture_logs() as said:
        async with asyncio.timeout(BEGUN_S):
            while not said:  # noqa: ASYNC110 - said by another task
                await asyncio.sleep(0.05)
    opened = await apart.open(open_job)

    assert said[0]["event"] == "compute_process_not_begun"
    assert opened.statement is not None
    await apart.stop()


async def test_a_process_that_cannot_be_started_leaves_the_jobs_here(
    gateway: Gateway, open_job: OpenJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No fork, no second process: the gateway answers, keeps trying, and ends in good order."""
    monkeypatch.setattr("gateway.child.sys.executable", "/nowhere/python")
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    apart.start()
    await asyncio.sleep(0.2)

    opened = await apart.open(open_job)
    await apart.stop()

    assert opened.statement is not None
    assert apart.process_id is None


async def test_a_department_that_takes_its_time_is_no_hang(
    gateway: Gateway, apart: ComputeApart, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question has its own deadline: a process is not replaced because its tables are locked."""
    monkeypatch.setattr("gateway.compute.apart.STUCK_S", 0.1)
    process = await begun(apart)
    os.kill(process, signal.SIGSTOP)
    asked = asyncio.ensure_future(apart.fetch(fetch_job(gateway, query)))
    await asyncio.sleep(WATCH_S + 0.5)  # so that it was looked at in between

    kept = apart.process_id
    os.kill(process, signal.SIGCONT)

    assert isinstance(await asyncio.wait_for(asked, BEGUN_S), Proven)
    assert kept == process


async def test_a_locked_file_holds_up_one_question_and_no_other_job(
    gateway: Gateway, apart: ComputeApart, open_job: OpenJob, query: Query
) -> None:
    """The second process waits for the rows elsewhere, and proves them when they come."""
    own = gateway.config.departments.hrss
    assert isinstance(own, HrssConfig)
    writer = sqlite3.connect(own.database, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    asked = asyncio.ensure_future(apart.fetch(fetch_job(gateway, query)))
    opened = await apart.open(open_job)
    waiting = not asked.done()
    writer.execute("ROLLBACK")
    told = await asyncio.wait_for(asked, BEGUN_S)

    writer.close()
    assert opened.statement is not None
    assert waiting
    assert isinstance(told, Proven)


async def test_a_message_that_is_not_understood_gives_its_job_back(
    apart: ComputeApart, open_job: OpenJob
) -> None:
    """The event loop closes the socket over such a message, and the job is done here."""
    process, peer = await begun(apart), apart._peer
    assert peer is not None
    os.kill(process, signal.SIGSTOP)
    asked = asyncio.ensure_future(apart.open(open_job))
    await asyncio.sleep(0.05)
    (number,) = peer._waiting

    with pytest.raises(ValueError, match="nonsense"):
        peer.data_received(encode_frame([(number, "nonsense", b"")]))
    os.kill(process, signal.SIGKILL)

    assert (await asyncio.wait_for(asked, BEGUN_S)).statement is not None


async def test_a_keeper_without_a_thread_says_so_and_goes_on(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a limit of threads no process is started; it is tried again when there is room."""

    def refuse(_module: str, _theirs: socket.socket) -> None:
        raise RuntimeError("can't start new thread")

    spawn = "gateway.child._spawn"
    monkeypatch.setattr("gateway.compute.apart.FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(spawn, refuse)
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    with structlog.testing.capture_logs() as said:
        apart.start()
        await asyncio.sleep(0.2)
    monkeypatch.undo()

    assert await begun(apart)
    assert said[0]["event"] == "compute_process_not_started"
    await apart.stop()


async def test_a_gateway_that_stops_while_it_ends_a_lost_process_waits_for_that(
    gateway: Gateway,
) -> None:
    """Also where no thread was free when it was told to stop: no process is left unawaited."""
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    apart.start()
    killed = await begun(apart)
    free = threading.Event()
    threads = ThreadPoolExecutor(max_workers=1)
    asyncio.get_running_loop().set_default_executor(threads)
    threads.submit(free.wait)

    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(BEGUN_S):
        while apart.process_id is not None:  # noqa: ASYNC110 - lost is seen by another task
            await asyncio.sleep(0.02)
    stopping = asyncio.ensure_future(apart.stop())
    await asyncio.sleep(0.05)
    free.set()
    await stopping

    # One thread is too few for tests that ask a server on this loop from a thread of it.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    threads.shutdown()
    assert not lives(killed)


async def test_a_process_whose_gateway_is_gone_ends() -> None:
    """Whatever ended the gateway, the kernel closes the socket, and nobody works for nobody."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await start_child(MODULE, theirs)
    async with asyncio.timeout(BEGUN_S):
        _, said = await process.communicate()

    assert (process.returncode, said) == (0, b"")


async def test_a_start_that_is_broken_off_leaves_no_process(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that stops while it starts one waits for that too."""
    started: list[subprocess.Popen[bytes]] = []
    spawn = child._spawn

    def spawn_slowly(module: str, theirs: socket.socket) -> subprocess.Popen[bytes]:
        time.sleep(0.3)
        started.append(spawn(module, theirs))
        return started[0]

    monkeypatch.setattr(child, "_spawn", spawn_slowly)
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    apart.start()
    await asyncio.sleep(0.1)

    await apart.stop()

    assert [each.returncode for each in started] == [0]
