"""A second call where the first takes longer than most: rare, broken off, counted once."""

import asyncio
import contextlib
import time

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import DepartmentFailed
from adapters.hedge import FIRST_PER_SECOND, Hedging, race
from adapters.port import BreakerState, Indeterminate
from adapters.transport import DepartmentTransport, HttpCall, TransportLimits
from tests.adapters.calling import AGAIN, CALL, Start, reason_of, within

KNOWN = 100
"""Calls before: enough to know their times, and to pay for second calls."""
HEDGED = TransportLimits(hedging=True, breaker_failures=1)


class Department:
    """Answers at once, but for what is told to be slow."""

    def __init__(self) -> None:
        self.slow: dict[int, float] = {}
        self.status: dict[int, int] = {}
        self.asked = 0

    async def answer(self, _: web.Request) -> web.Response:
        """Answer one call by its number."""
        self.asked += 1
        number = self.asked
        await asyncio.sleep(self.slow.get(number, 0))
        return web.json_response({"number": number}, status=self.status.get(number, 200))


async def _practised(
    start: Start, department: Department, limits: TransportLimits = HEDGED
) -> DepartmentTransport:
    """Return a transport that knows the times of many calls."""
    transport = await start(department.answer, limits)
    for _ in range(KNOWN):
        transport._hedging.earn()
        transport._hedging.note(0.05)
    return transport


async def test_times_are_learnt_from_calls(start: Start) -> None:
    """After enough answers it is known what most calls take; failures teach nothing."""
    department = Department()
    department.status = dict.fromkeys(range(1, 21), 404) | dict.fromkeys(range(21, 41), 503)
    limits = TransportLimits(hedging=True, attempts=1, breaker_failures=100)
    transport = await start(department.answer, limits)

    noted = []
    for _ in range(60):
        with contextlib.suppress(DepartmentFailed):
            await transport.fetch(AGAIN, within(5))
        noted.append(len(transport._hedging._times))

    assert (noted[19], noted[39], noted[59]) == (20, 20, 40)
    assert transport._hedging.delay_s is not None
    assert 0 < transport._hedging.delay_s < 5


async def test_a_slow_call_is_put_again_and_the_first_answer_counts(start: Start) -> None:
    """The asker waits for the quicker one; the slower one is broken off."""
    department = Department()
    transport = await _practised(start, department)
    department.slow[1] = 20

    began = time.monotonic()
    answer = await transport.fetch(AGAIN, within(30))

    assert time.monotonic() - began < 10
    assert b'"number": 2}' in answer.body
    assert department.asked == 2
    assert _in_flight(transport) == 0
    assert transport.breaker.state is BreakerState.CLOSED


def _in_flight(transport: DepartmentTransport) -> int:
    assert transport._session is not None
    assert transport._session.connector is not None
    return len(transport._session.connector._acquired)


@pytest.mark.parametrize(
    ("call", "limits"),
    [
        (CALL, HEDGED),
        (AGAIN, TransportLimits()),
        (AGAIN, TransportLimits(hedging=True, concurrency=1)),
        (AGAIN, TransportLimits(hedging=True, per_second=2_000, burst=1)),
    ],
    ids=["not idempotent", "not allowed", "no place free", "pace"],
)
async def test_what_may_not_be_put_twice_is_not(
    start: Start, call: HttpCall, limits: TransportLimits
) -> None:
    """Only where call and section allow it, a place is free and the pace is kept."""
    department = Department()
    transport = await _practised(start, department, limits)
    department.slow[1] = 0.3
    if limits.per_second:
        # From now on one call in ten seconds: the first one takes the turn of the second.
        transport._pace._interval = 10.0

    answer = await transport.fetch(call, within(30))

    assert b'"number": 1}' in answer.body
    assert department.asked == 1


async def test_a_first_call_that_fails_leaves_the_second(start: Start) -> None:
    """One answer is enough, and then the department has answered."""
    department = Department()
    transport = await _practised(start, department)
    department.slow = {1: 0.2, 2: 0.4}
    department.status[1] = 503

    answer = await transport.fetch(AGAIN, within(30))

    assert b'"number": 2}' in answer.body
    assert department.asked == 2
    assert transport.breaker.state is BreakerState.CLOSED


async def test_two_calls_that_fail_are_one_failure(start: Start) -> None:
    """The breaker counts the question."""
    department = Department()
    limits = TransportLimits(hedging=True, breaker_failures=2, attempts=1)
    transport = await _practised(start, department, limits)
    department.slow = {1: 0.2, 2: 0.2}
    department.status = {1: 503, 2: 500}

    reason = await reason_of(transport.fetch(AGAIN, within(30)))

    assert reason is Indeterminate.PROVIDER_UNAVAILABLE
    assert department.asked == 2
    assert transport.breaker.state is BreakerState.CLOSED


async def test_a_cancelled_question_breaks_both_calls_off(start: Start) -> None:
    """Nobody waits for either, and their places are free."""
    department = Department()
    transport = await _practised(start, department)
    department.slow = {1: 20, 2: 20}
    asking = asyncio.create_task(transport.fetch(AGAIN, within(30)))
    await asyncio.sleep(0.5)
    asked = department.asked

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert asked == 2
    assert _in_flight(transport) == 0
    async with asyncio.timeout(5):
        for _ in range(HEDGED.concurrency):
            await transport._guard.places._free.acquire()


@given(st.lists(st.booleans(), max_size=2_000))
def test_second_calls_never_exceed_their_share(tried: list[bool]) -> None:
    """Whenever one is wanted: at most one for every twenty first calls before it."""
    hedging, second = Hedging(), 0
    for first, wanted in enumerate(tried, start=1):
        hedging.earn()
        second += wanted and hedging.spend()
        assert second * FIRST_PER_SECOND <= first


def test_the_delay_is_what_95_of_100_calls_take() -> None:
    """Unknown until enough are known; then the quantile of the newest ones."""
    hedging = Hedging()
    for number in range(39):
        hedging.note(number)
    early = hedging.delay_s
    for number in range(400):
        hedging.note(number + 1)

    assert early is None
    assert hedging.delay_s == pytest.approx(380, abs=20)


async def _after(seconds: float, told: str) -> str:
    await asyncio.sleep(seconds)
    if told.startswith("no"):
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
    return told


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ((0.0, "first"), (0.0, "second"), "first"),
        ((0.2, "first"), (0.0, "second"), "second"),
        ((0.1, "first"), (0.0, "no second"), "first"),
        ((0.1, "no first"), (0.2, "second"), "second"),
        ((0.1, "no first"), (0.0, "no second"), None),
        ((0.0, "no first"), (0.0, "second"), None),
    ],
)
async def test_one_of_two_is_told(
    first: tuple[float, str], second: tuple[float, str], told: str | None
) -> None:
    """The first good one; a failure only where both failed, or the first failed before its time."""
    racing = race(lambda: _after(*first), lambda: _after(*second), 0.03)

    if told is None:
        with pytest.raises(DepartmentFailed):
            await racing
    else:
        assert await racing == told
    assert len(asyncio.all_tasks()) == 1
