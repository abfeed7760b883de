"""What may wait for the writer, how long, and what those who wait are told."""

import asyncio
import os
from collections import deque, namedtuple

import pytest

from gateway.access_log.commit import Committed, TreeState
from gateway.access_log.entry import prepare_entry
from gateway.access_log.errors import (
    LogUnavailable,
)
from gateway.access_log.intake import QueueLimits, Waiting, settle
from gateway.access_log.log import AccessLog
from gateway.access_log.merkle import TreeEdge
from gateway.access_log.writer import outcomes
from tests.access_log import naive_tree
from tests.access_log.drafts import LogHome, ask, refuse

Disk = namedtuple("Disk", "f_blocks f_frsize f_bavail")  # noqa: PYI024 - mimics os.statvfs_result


async def test_full_queue_refuses_the_next(home: LogHome) -> None:
    """What does not fit the queue is refused, what fits is written."""
    home.limits = QueueLimits(entries=10, reserve_bytes=0)
    log = home.open()

    outcomes = await asyncio.gather(*(log.append(ask()) for _ in range(25)), return_exceptions=True)
    log.close()

    refused = [each for each in outcomes if isinstance(each, LogUnavailable)]
    assert len(refused) > 0
    assert len(naive_tree.stored_entries(home.file)) == 25 - len(refused) >= 10


async def test_old_queue_refuses_and_fails(home: LogHome) -> None:
    """With an age of nothing, whatever waits is told that it waited too long."""
    home.limits = QueueLimits(age_s=-1.0, reserve_bytes=0)
    log = home.open()

    outcomes = await asyncio.gather(log.append(ask()), log.append(ask()), return_exceptions=True)
    log.close()

    assert [type(each) for each in outcomes] == [LogUnavailable, LogUnavailable]
    assert naive_tree.stored_entries(home.file) == []


async def test_commit_that_hangs_refuses_newcomers(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one commit takes longer than the allowed age, nobody else is let in."""
    home.limits = QueueLimits(age_s=0.05, reserve_bytes=0)
    log = home.open()
    first = asyncio.ensure_future(log.append(ask()))
    intake = log._writer.intake
    await first
    monkeypatch.setattr(intake, "_taken", deque([(-1e9, [])]))

    with pytest.raises(LogUnavailable):
        await log.append(ask())

    log.close()


async def test_cancelled_caller_leaves_nothing(home: LogHome, log: AccessLog) -> None:
    """A draft whose caller gave up before it was taken is not written."""
    task = asyncio.ensure_future(log.append(ask()))
    await asyncio.sleep(0)
    task.cancel()

    await log.append(refuse())

    assert len(naive_tree.stored_entries(home.file)) == 1


async def test_disk_at_its_reserve_lets_only_ticks_through(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the reserve nothing is written but signs of life."""
    monkeypatch.setattr(os, "statvfs", lambda _path: Disk(1_000, 4_096, 10))
    log._writer.intake._limits = QueueLimits()
    log._writer.intake._disk_asked_at = float("-inf")

    with pytest.raises(LogUnavailable, match="reserve"):
        await log.append(ask())

    assert (await log.tick()).index == 0


async def test_disk_that_does_not_say_its_space_refuses_every_draft(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the free space cannot be read nobody is let in; afterwards all is well."""

    def unreadable(_path: object) -> Disk:
        raise OSError("I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", unreadable)
        for _ in range(2):
            with pytest.raises(LogUnavailable, match="free space"):
                await log.append(ask())

    assert (await log.append(ask())).index == 0


async def test_closed_log_accepts_nothing(home: LogHome) -> None:
    """After closing there is no appending."""
    log = home.open()
    log.close()

    with pytest.raises(LogUnavailable):
        await log.append(ask())

    assert log.health().stopped == "the log is closed"


async def test_health_tells_size_and_state(log: AccessLog) -> None:
    """A log that accepts gives no reason for stopping."""
    await asyncio.gather(log.append(ask()), log.append(ask()))

    health = log.health()

    assert (health.size, health.queued, health.stopped) == (2, 0, None)


async def test_closed_loop_is_forgotten(home: LogHome) -> None:
    """A caller whose event loop ended does not disturb the writer."""
    log = home.open()

    async def ask_and_leave() -> None:
        asyncio.ensure_future(log.append(ask()))  # noqa: RUF006 - nobody waits for it: the point
        await asyncio.sleep(0)

    def run() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(ask_and_leave())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()

    await asyncio.to_thread(run)
    logged = await log.append(refuse())
    log.close()

    assert logged.index <= 1


def waiting_in(loop: asyncio.AbstractEventLoop) -> Waiting:
    """Somebody who waits in a loop."""
    draft = refuse()
    return Waiting(draft, prepare_entry(draft, "gw-1"), loop.create_future(), 0.0)


async def test_outcome_for_an_ended_loop_is_dropped() -> None:
    """The writer does not stumble over a caller whose event loop is closed."""
    ended = asyncio.new_event_loop()
    gone = waiting_in(ended)
    ended.close()
    here = waiting_in(asyncio.get_running_loop())

    settle([(each, LogUnavailable("told")) for each in (gone, here)])

    with pytest.raises(LogUnavailable, match="told"):
        await here.future


async def test_outcome_for_a_caller_who_gave_up_is_dropped() -> None:
    """Telling somebody who cancelled meanwhile does nothing."""
    here, other = (waiting_in(asyncio.get_running_loop()) for _ in range(2))
    here.future.cancel()

    settle([(each, LogUnavailable("told")) for each in (here, other)])

    with pytest.raises(LogUnavailable, match="told"):
        await other.future


def test_nobody_is_told_of_what_does_not_add_up() -> None:
    """Proofs and refusals that are not one for each who waits are given to nobody."""
    state = TreeState(edge=TreeEdge(size=2), checkpoint=b"", timestamp_ms=0)
    loop = asyncio.new_event_loop()
    batch = [waiting_in(loop)]
    loop.close()

    with pytest.raises(AssertionError):
        outcomes(batch, Committed(state, ((), ()), {}))
