"""The breaker: opens, lets one probe through, and counts each question once."""

import asyncio

import pytest
from aiohttp import web

from adapters.breaker import Breaker, Passage, Verdict
from adapters.errors import DepartmentFailed
from adapters.port import BreakerState, Indeterminate
from adapters.transport import TransportLimits
from tests.adapters.calling import AGAIN, CALL, Clock, Start, reason_of, within

CLOSED, HALF, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN
ANSWERS, FAILS, NOTHING = Verdict.ANSWERS, Verdict.FAILS, Verdict.NOTHING


def _opened(clock: Clock) -> Breaker:
    """Return a breaker that two failures have opened."""
    breaker = Breaker(TransportLimits(breaker_failures=2, breaker_open_s=5), clock)
    for _ in range(2):
        breaker.settle(breaker.require_passage(), FAILS)
    return breaker


def test_the_breaker_opens_lets_one_probe_through_and_closes_again() -> None:
    """Closed, open, half-open, closed."""
    clock = Clock()
    breaker = Breaker(TransportLimits(breaker_failures=2, breaker_open_s=5), clock)

    breaker.settle(breaker.require_passage(), FAILS)
    states = [breaker.state]
    breaker.settle(breaker.require_passage(), FAILS)
    states.append(breaker.state)
    with pytest.raises(DepartmentFailed):
        breaker.require_passage()
    clock.now = 5.0
    states.append(breaker.state)
    probe = breaker.require_passage()
    # A second question waits for the probe.
    states.append(breaker.state)
    breaker.settle(probe, ANSWERS)
    states.append(breaker.state)

    assert probe is Passage.PROBE
    assert states == [CLOSED, OPEN, HALF, OPEN, CLOSED]


def test_a_failed_probe_opens_the_breaker_again() -> None:
    """One failure is enough while half-open."""
    clock = Clock()
    breaker = _opened(clock)
    clock.now = 6.0

    breaker.settle(breaker.require_passage(), FAILS)

    assert breaker.is_open
    clock.now = 10.9
    assert breaker.is_open


def test_a_probe_that_tells_nothing_lets_another_one_pass() -> None:
    """Its asker left: whether the department answers is as unknown as before."""
    clock = Clock()
    breaker = _opened(clock)
    clock.now = 6.0

    breaker.settle(breaker.require_passage(), NOTHING)

    assert breaker.state is HALF
    assert breaker.require_passage() is Passage.PROBE


@pytest.mark.parametrize("verdict", [ANSWERS, FAILS, NOTHING])
@pytest.mark.parametrize("probing", [False, True])
def test_what_began_before_it_opened_decides_nothing(verdict: Verdict, *, probing: bool) -> None:
    """A late end neither closes it, nor is taken for the probe's, nor keeps it open longer."""
    clock = Clock()
    breaker = Breaker(TransportLimits(breaker_failures=1, breaker_open_s=5), clock)
    late = breaker.require_passage()
    breaker.settle(breaker.require_passage(), FAILS)
    clock.now = 5.0
    if probing:
        breaker.require_passage()

    breaker.settle(late, verdict)

    assert breaker.state is (OPEN if probing else HALF)


def test_an_answer_forgets_the_failures_before_it() -> None:
    """Failures count in a row: half of the questions failing opens nothing."""
    breaker = Breaker(TransportLimits(breaker_failures=2), Clock())

    for verdict in (FAILS, ANSWERS) * 5:
        breaker.settle(breaker.require_passage(), verdict)

    assert breaker.state is CLOSED


async def test_a_question_counts_once_however_often_it_was_put(start: Start) -> None:
    """Three attempts of one question are one failure."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=503)

    limits = TransportLimits(breaker_failures=2, attempts=3, backoff_s=0.001)
    transport = await start(answer, limits)

    states = []
    for _ in range(2):
        await reason_of(transport.fetch(AGAIN, within(5)))
        states.append(transport.breaker.state)

    assert states == [CLOSED, OPEN]
    assert asked == 6


async def test_a_probe_is_one_call(start: Start) -> None:
    """A department that has just been left alone is not asked three times by its first asker."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=503)

    limits = TransportLimits(
        breaker_failures=1, breaker_open_s=0.05, attempts=3, backoff_s=0.001, queue=0
    )
    transport = await start(answer, limits)
    await reason_of(transport.fetch(AGAIN, within(5)))
    before = asked
    await asyncio.sleep(0.06)

    await reason_of(transport.fetch(AGAIN, within(5)))

    assert (before, asked) == (3, 4)


async def test_nobody_repeats_a_question_once_the_breaker_has_opened(start: Start) -> None:
    """What others have found out meanwhile counts for the attempts still to come."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02 if asked == 1 else 0)
        return web.json_response({}, status=503)

    limits = TransportLimits(breaker_failures=1, attempts=3, backoff_s=0.001)
    transport = await start(answer, limits)
    first = asyncio.create_task(reason_of(transport.fetch(AGAIN, within(5))))
    await asyncio.sleep(0.01)
    await reason_of(transport.fetch(CALL, within(5)))

    await first

    assert asked == 2


async def test_a_mistake_of_ours_leaves_no_probe_behind(start: Start) -> None:
    """However a question ends, its passage is settled; else nobody would ever probe again."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({})

    transport = await start(answer, TransportLimits(breaker_failures=1, breaker_open_s=0.001))
    transport.breaker.settle(transport.breaker.require_passage(), FAILS)
    await asyncio.sleep(0.01)
    wrong = type(CALL)(
        method="POST",
        path="/",
        body=b"{}",
        headers={"X-Wrong": "a\r\nb"},
        expect="application/json",
        idempotent=False,
    )

    with pytest.raises(ValueError, match="header"):
        await transport.fetch(wrong, within(5))

    assert (await transport.fetch(CALL, within(5))).status == 200
    assert transport.breaker.state is CLOSED


async def test_nobody_queues_for_a_department_left_alone(start: Start) -> None:
    """With its places taken and its breaker open, a question ends at once."""
    release = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await release.wait()
        return web.json_response({})

    transport = await start(answer, TransportLimits(concurrency=1, breaker_failures=1))
    first = asyncio.create_task(transport.fetch(CALL, within(5)))
    await asyncio.sleep(0.05)
    transport.breaker.settle(Passage.FREE, FAILS)

    async with asyncio.timeout(1):
        reason = await reason_of(transport.fetch(CALL, within(4)))
    release.set()
    await first

    assert reason is Indeterminate.PROVIDER_UNAVAILABLE
