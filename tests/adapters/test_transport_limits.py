"""Places, queue, pace and patience of one department."""

import asyncio
import time

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import DepartmentFailed
from adapters.limits import build_limits
from adapters.pace import Pace, Places
from adapters.port import Indeterminate
from adapters.settings import LimitsConfig
from adapters.transport import TransportLimits
from tests.adapters.calling import AGAIN, CALL, Clock, Start, reason_of, within


async def test_a_full_queue_turns_away_at_once(start: Start) -> None:
    """So many wait for a place; the next one does not, and the others get theirs in turn."""
    release = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await release.wait()
        return web.json_response({})

    transport = await start(answer, TransportLimits(concurrency=1, queue=2))
    waiting = [asyncio.create_task(transport.fetch(CALL, within(8))) for _ in range(3)]
    await asyncio.sleep(0.05)

    began = time.monotonic()
    reason = await reason_of(transport.fetch(CALL, within(8)))
    took = time.monotonic() - began
    release.set()
    statuses = [(await each).status for each in waiting]

    assert reason is Indeterminate.PROVIDER_UNAVAILABLE
    assert took < 2
    assert statuses == [200] * 3
    assert not transport.breaker.is_open


@given(
    steps=st.lists(st.sampled_from(["come", "go", "leave"]), max_size=40),
    limits=st.tuples(st.integers(1, 3), st.integers(0, 3)),
)
def test_no_place_is_lost_whoever_leaves_when(steps: list[str], limits: tuple[int, int]) -> None:
    """Coming, going and giving up in any order: never too many, and all places free at the end."""
    asyncio.run(_come_and_go(steps, TransportLimits(concurrency=limits[0], queue=limits[1])))


async def _come_and_go(steps: list[str], limits: TransportLimits) -> None:
    hall = _Hall(limits)
    for step in steps:
        hall.take(step)
        # Enough turns for a place that is given up to reach whoever waits for it.
        for _ in range(6):
            await asyncio.sleep(0)
        hall.forget_ended()
        assert hall.inside <= limits.concurrency
        assert len(hall.tasks) <= limits.concurrency + limits.queue
    hall.close()
    await asyncio.gather(*(task for task, _ in hall.tasks), return_exceptions=True)
    async with asyncio.timeout(5):
        for _ in range(limits.concurrency):
            await hall.places._free.acquire()
    assert hall.places._waiting == 0


class _Hall:
    """Askers that hold a place or wait for one."""

    def __init__(self, limits: TransportLimits) -> None:
        self.places = Places(limits, time.monotonic)
        self.inside = 0
        self.tasks: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    def take(self, step: str) -> None:
        """Let one come, the first go, or the last give up."""
        if step == "come":
            done = asyncio.Event()
            self.tasks.append((asyncio.create_task(self._hold(done)), done))
        elif self.tasks and step == "go":
            self.tasks[0][1].set()
        elif self.tasks:
            self.tasks.pop()[0].cancel()

    def forget_ended(self) -> None:
        """Forget who went, gave up or was turned away."""
        for task, _ in self.tasks:
            if task.done() and not task.cancelled():
                assert isinstance(task.exception(), DepartmentFailed | None)
        self.tasks = [each for each in self.tasks if not each[0].done()]

    def close(self) -> None:
        """Send everybody away."""
        for task, _ in self.tasks:
            task.cancel()

    async def _hold(self, done: asyncio.Event) -> None:
        async with self.places.waited_for(time.monotonic() + 60):
            self.inside += 1
            try:
                await done.wait()
            finally:
                self.inside -= 1


async def test_calls_keep_the_pace(start: Start) -> None:
    """However many come at once, any second holds no more than the department allows."""
    at: list[float] = []

    async def answer(_: web.Request) -> web.Response:
        at.append(time.monotonic())
        return web.json_response({})

    transport = await start(answer, TransportLimits(per_second=50))
    began = time.monotonic()
    await asyncio.gather(*(transport.fetch(CALL, within(9)) for _ in range(11)))

    assert len(at) == 11
    assert max(at) - began >= 10 / 50


async def test_who_cannot_be_asked_in_time_learns_of_the_quota(start: Start) -> None:
    """It costs the others no turn, and says nothing of the department."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({})

    transport = await start(answer, TransportLimits(per_second=2, breaker_failures=1))
    await transport.fetch(CALL, within(5))

    reasons = [await reason_of(transport.fetch(CALL, within(0.2))) for _ in range(5)]
    await transport.fetch(CALL, within(2))

    assert set(reasons) == {Indeterminate.PROVIDER_QUOTA}
    assert asked == 2
    assert not transport.breaker.is_open


async def test_what_was_never_sent_forgives_no_failure(start: Start) -> None:
    """Our own pace is no word of the department's: the row of its failures goes on."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({}, status=503)

    transport = await start(answer, TransportLimits(per_second=4, breaker_failures=2))
    reasons = [await reason_of(transport.fetch(CALL, within(each))) for each in (5, 0.1, 5)]

    unavailable, quota = Indeterminate.PROVIDER_UNAVAILABLE, Indeterminate.PROVIDER_QUOTA
    assert reasons == [unavailable, quota, unavailable]
    assert transport.breaker.is_open


@given(
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=60),
    per_second=st.floats(0.5, 50),
    burst=st.integers(1, 5),
)
def test_no_second_holds_more_than_the_pace(
    gaps: list[float], per_second: float, burst: int
) -> None:
    """In any window of n seconds at most n times the rate begin, and the burst."""
    clock = Clock()
    pace = Pace(TransportLimits(per_second=per_second, burst=burst), clock)
    begun = []
    for gap in gaps:
        clock.now += gap
        begun.append(clock.now + pace.take())

    for number, first in enumerate(begun):
        for later in range(number, len(begun)):
            allowed = (begun[later] - first) * per_second + burst
            assert later - number + 1 <= allowed + 1e-6


async def test_patience_ends_a_question_before_its_deadline(start: Start) -> None:
    """A department that hangs holds a place for as long as its section allows, and breaks."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.json_response({})

    limits = TransportLimits(patience_s=0.2, breaker_failures=2)
    transport = await start(answer, limits)
    began = time.monotonic()

    reasons = [await reason_of(transport.fetch(AGAIN, within(20))) for _ in range(2)]

    assert set(reasons) == {Indeterminate.PROVIDER_TIMEOUT}
    assert time.monotonic() - began < 5
    assert transport.breaker.is_open


async def test_attempts_are_the_sections(start: Start) -> None:
    """One attempt means none is repeated."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=503)

    transport = await start(answer, TransportLimits(attempts=1))
    await reason_of(transport.fetch(AGAIN, within(5)))

    assert asked == 1
    assert transport.attempts == 1


def test_a_section_reaches_the_transport() -> None:
    """Each setting becomes the limit of its name, and each default is the transport's."""
    changed = LimitsConfig(
        concurrency=1,
        queue=2,
        per_second=3,
        burst=4,
        attempts=5,
        connect_s=6,
        patience_s=7,
        breaker_failures=8_0,
        breaker_open_s=9,
        hedging=True,
    )

    for section in (LimitsConfig(), changed):
        limits = build_limits(section)
        told = {name: getattr(limits, name) for name in LimitsConfig.model_fields}
        assert told == section.model_dump()
    assert build_limits(LimitsConfig()) == TransportLimits()
    assert all(
        getattr(changed, name) != getattr(LimitsConfig(), name)
        for name in LimitsConfig.model_fields
    )


async def test_who_waits_for_a_place_in_vain_was_never_sent() -> None:
    """The time is up, or no place is free: the department heard nothing of it."""
    places = Places(TransportLimits(concurrency=1), time.monotonic)

    async with places.at_once():
        assert not places.has_free
        with pytest.raises(DepartmentFailed):
            async with places.at_once():
                pass
        with pytest.raises(DepartmentFailed):
            async with places.waited_for(time.monotonic() + 0.01):
                pass

    assert places.has_free
