"""A second process that says nothing is not waited for; one that is busy is."""

import asyncio
import os
import signal
import time

import pytest

from adapters.port import Query
from gateway.app import Gateway
from gateway.compute.apart import SILENT_S, STUCK_S, WATCH_S, ComputeApart
from gateway.compute.here import ComputeHere
from gateway.compute.port import OpenJob
from tests.gateway.computing import BEGUN_S, begun, fetch_job

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_jobs_of_a_silent_process_are_done_here_before_it_is_given_up(
    apart: ComputeApart, here: ComputeHere, open_job: OpenJob
) -> None:
    """Whoever waits is answered in a fraction of the time after which it would be replaced."""
    silent = await begun(apart)
    os.kill(silent, signal.SIGSTOP)
    started = time.monotonic()

    opened = await apart.open(open_job)

    taken = time.monotonic() - started
    os.kill(silent, signal.SIGCONT)
    assert opened == await here.open(open_job)
    assert SILENT_S <= taken < STUCK_S - WATCH_S
    assert apart.process_id == silent


async def test_a_silent_process_is_given_nothing_until_it_speaks_again(
    apart: ComputeApart, open_job: OpenJob
) -> None:
    """Further jobs do not wait at all; once it goes on it does what it owes, and new ones."""
    silent, peer = await begun(apart), apart._peer
    assert peer is not None
    os.kill(silent, signal.SIGSTOP)
    await apart.open(open_job)
    owed = len(peer._waiting)

    await asyncio.gather(*(apart.open(open_job) for _ in range(5)))
    still_owed = len(peer._waiting)
    os.kill(silent, signal.SIGCONT)
    async with asyncio.timeout(BEGUN_S):
        while peer._waiting:  # noqa: ASYNC110 - seen by another task
            await asyncio.sleep(0.01)
    given = peer._number
    await apart.open(open_job)

    assert (owed, still_owed) == (1, 1)
    assert peer._number == given + 1
    assert apart.process_id == silent


async def test_a_question_is_given_back_with_the_job_that_shows_the_silence(
    gateway: Gateway, apart: ComputeApart, open_job: OpenJob, query: Query
) -> None:
    """A department may take its time, but not in a process that does nothing else either."""
    silent = await begun(apart)
    os.kill(silent, signal.SIGSTOP)
    asked = asyncio.ensure_future(apart.fetch(fetch_job(gateway, query)))

    await apart.open(open_job)
    told = await asyncio.wait_for(asked, WATCH_S)

    os.kill(silent, signal.SIGCONT)
    assert told is None
    assert apart.process_id == silent


async def test_a_process_with_much_to_do_is_waited_for(
    apart: ComputeApart, open_job: OpenJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of many jobs lies long, in a process that speaks all the while: it is not silent."""
    monkeypatch.setattr("gateway.compute.apart.SILENT_S", 0.1)
    monkeypatch.setattr("gateway.compute.apart.WATCH_S", 0.01)
    monkeypatch.delattr(ComputeHere, "open")
    await begun(apart)
    started = time.monotonic()

    opened = await asyncio.gather(*(apart.open(open_job) for _ in range(1_000)))

    assert time.monotonic() - started > 2 * 0.1
    assert all(each.statement is not None for each in opened)


async def test_a_silent_process_that_owes_nothing_is_replaced(
    apart: ComputeApart, open_job: OpenJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where whoever waited for it has gone: nobody would ever ask it again."""
    monkeypatch.setattr("gateway.compute.apart.STUCK_S", 1.0)
    monkeypatch.setattr("gateway.child.END_S", 0.2)
    silent, peer = await begun(apart), apart._peer
    assert peer is not None
    os.kill(silent, signal.SIGSTOP)
    await apart.open(open_job)
    peer._waiting.clear()  # as whoever waits leaves it when cancelled

    assert await begun(apart, other_than=silent) != silent
