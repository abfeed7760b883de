"""The queue as a process of its own is served from: taken without waiting, told by batch."""

import asyncio
import time

import pytest

from gateway.access_log.entry import prepare_entry
from gateway.access_log.errors import LogUnavailable
from gateway.access_log.intake import HALVED_ABOVE, Intake, QueueLimits, Waiting
from tests.access_log.drafts import SMALL_RESERVE, LogHome, refuse


@pytest.fixture
def roused() -> list[None]:
    """How often the one who sends was roused."""
    return []


@pytest.fixture
def intake(home: LogHome, roused: list[None]) -> Intake:
    """A queue that accepts drafts."""
    made = Intake(SMALL_RESERVE, home.folder, lambda: roused.append(None))
    made.resume()
    return made


def queued(intake: Intake, count: int) -> list[Waiting]:
    """Queue drafts of this loop."""
    draft, loop = refuse(), asyncio.get_running_loop()
    prepared = prepare_entry(draft, "gw-1")
    made = [Waiting(draft, prepared, loop.create_future(), time.monotonic()) for _ in range(count)]
    for each in made:
        intake.put(each)
    return made


async def test_half_of_much_is_left_for_a_second_batch(intake: Intake) -> None:
    """While one is committed the other is prepared; what is little goes at once."""
    waiting = queued(intake, 300)

    batch = intake.take_now(more=True)

    assert batch == waiting[:150]
    assert len(intake) == 150


async def test_little_is_taken_whole(intake: Intake) -> None:
    """Up to the size where a second commit is worth it, in order."""
    waiting = queued(intake, HALVED_ABOVE)

    assert intake.take_now(more=True) == waiting
    assert intake.take_now(more=False) == []


async def test_a_batch_has_a_bound(home: LogHome) -> None:
    """No commit takes much longer than the others."""
    intake = Intake(QueueLimits(reserve_bytes=0, batch=10), home.folder, lambda: None)
    intake.resume()
    waiting = queued(intake, 25)

    assert intake.take_now(more=True) == waiting[:10]


async def test_those_who_gave_up_are_passed_over(intake: Intake) -> None:
    """A batch of nobody is none, and those behind it are taken."""
    waiting = queued(intake, HALVED_ABOVE + 6)
    for each in waiting[:HALVED_ABOVE]:
        each.future.cancel()

    assert intake.take_now(more=True) == waiting[HALVED_ABOVE:]
    assert intake.take_now(more=True) == []
    assert len(intake) == 0


async def test_the_oldest_batch_says_how_long_it_has_been_under_way(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From when it was taken until it is told of, whichever of two that is; none: no time."""
    queued(intake, 1)
    first = intake.take_now(more=True)
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 1.0)
    queued(intake, 1)
    second = intake.take_now(more=False)

    both = intake.taken_for_s()
    intake.told(first)
    one = intake.taken_for_s()
    intake.told(second)

    assert both == pytest.approx(1.0, abs=0.5)
    assert one == 0.0
    assert intake.taken_for_s() == 0.0


async def test_stopping_tells_every_batch_under_way_and_the_queue(intake: Intake) -> None:
    """But for those that were told of before."""
    waiting = queued(intake, 200)
    first = intake.take_now(more=True)
    second = intake.take_now(more=False)
    intake.told(first)

    intake.stop("lost")
    await asyncio.sleep(0)

    told = waiting[len(first) :]
    assert second
    assert len(intake) == 0
    assert not any(each.future.done() for each in first)
    for each in told:
        with pytest.raises(LogUnavailable, match="lost"):
            each.future.result()


async def test_the_sender_is_roused_once_there_is_room(intake: Intake, roused: list[None]) -> None:
    """Not before it expects something, once for all that is queued, and for what comes later."""
    queued(intake, 3)
    await asyncio.sleep(0.01)
    before = len(roused)

    intake.expect(asyncio.get_running_loop())
    await asyncio.sleep(0.05)
    first = len(roused)
    intake.take_now(more=True)
    queued(intake, 3)
    await asyncio.sleep(0.05)

    assert (before, first, len(roused)) == (0, 1, 2)


async def test_a_full_sender_is_not_roused(intake: Intake, roused: list[None]) -> None:
    """With both batches under way, what comes waits until one was told of."""
    queued(intake, 1)
    intake.take_now(more=False)

    queued(intake, 1)
    await asyncio.sleep(0.05)

    assert roused == []
