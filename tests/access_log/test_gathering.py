"""When the writer takes what is queued: at once from a loop at rest, later from a busy one."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import pytest

from gateway.access_log import intake as gathering
from gateway.access_log.intake import Intake, QueueLimits
from gateway.access_log.log import AccessLog
from tests.access_log.drafts import LogHome, ask

BUSY_S = 0.005


@dataclass
class TimersOnly:
    """An event loop as far as gathering goes to it: notes which timers were asked for."""

    timers: list[float] = field(default_factory=list)

    def call_later(self, delay: float, *_callback: object) -> None:
        """Note how long."""
        self.timers.append(delay)


@pytest.mark.parametrize(
    ("turn_s", "waits"), [(0.0, []), (0.00001, []), (0.001, [0.008]), (10.0, [0.016])]
)
def test_a_commit_waits_for_as_many_turns_as_are_worth_it(
    home: LogHome, turn_s: float, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight turns, nothing for short ones, and never longer than the bound."""
    loop = TimersOnly()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)

    Intake(QueueLimits(), home.file.parent)._announce(loop, 100.0 - turn_s)  # type: ignore[arg-type]  # a double

    assert loop.timers == pytest.approx(waits)


async def test_a_busy_loop_lets_entries_share_a_commit(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is appended some turns later stands under the same checkpoint."""
    monkeypatch.setattr(gathering, "GATHER_TURNS", 400)
    monkeypatch.setattr(gathering, "GATHER_S", 0.5)

    first = log.begin(ask())
    time.sleep(BUSY_S)  # noqa: ASYNC251 - a turn of the loop that takes long is what this is about
    await asyncio.sleep(BUSY_S)
    second = log.begin(ask())

    assert (await first).checkpoint == (await second).checkpoint


async def test_enough_entries_wait_for_no_more(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that is worth a commit of its own is written although the loop is busy."""
    monkeypatch.setattr(gathering, "GATHER_S", 3_600.0)
    monkeypatch.setattr(gathering, "GATHER_TURNS", 3_600_000)
    appending = [log.begin(ask()) for _ in range(gathering.GATHER_ENOUGH)]
    time.sleep(BUSY_S)  # noqa: ASYNC251 - a turn of the loop that takes long is what this is about

    logged = await asyncio.gather(*appending)

    assert len({each.checkpoint for each in logged}) == 1


async def test_what_is_gathering_is_written_when_the_log_closes(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing waits for nobody and loses nothing."""
    monkeypatch.setattr(gathering, "GATHER_S", 3_600.0)
    monkeypatch.setattr(gathering, "GATHER_TURNS", 3_600_000)
    log = home.open()
    appending = log.begin(ask())
    time.sleep(BUSY_S)  # noqa: ASYNC251 - a turn of the loop that takes long is what this is about
    await asyncio.sleep(BUSY_S)

    await asyncio.to_thread(log.close)

    assert (await appending).index == 0


def queue_and_go(log: AccessLog) -> None:
    """Queue an entry from a loop that is closed before it has brought it to the writer."""

    async def queue() -> None:
        log.begin(ask())
        time.sleep(BUSY_S)  # noqa: ASYNC251 - only what a busy loop queued waits for its timer

    thread = threading.Thread(target=lambda: asyncio.run(queue()))
    thread.start()
    thread.join()


async def test_a_loop_that_is_gone_holds_up_nobody(log: AccessLog) -> None:
    """Entries queued by another loop that was closed since do not keep ours from being written."""
    await asyncio.to_thread(queue_and_go, log)

    logged = await log.append(ask())

    assert logged.index in {0, 1}


async def test_a_loop_that_is_long_gone_closes_the_log_to_nobody(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a closed loop left in the queue is written before it is too old to be waited behind."""
    monkeypatch.setattr(gathering, "GATHER_S", 3_600.0)
    monkeypatch.setattr(gathering, "GATHER_TURNS", 3_600_000)
    age_s = 0.4
    home.limits = QueueLimits(reserve_bytes=0, age_s=age_s)
    log = home.open()
    await asyncio.to_thread(queue_and_go, log)
    await asyncio.sleep(2 * age_s)

    logged = await log.append(ask())
    await asyncio.to_thread(log.close)

    assert logged.index == 1
