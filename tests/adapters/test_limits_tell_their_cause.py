"""What ended with us says which limit it was, and codes of departments whose side they lie on."""

import asyncio
import re
from pathlib import Path

import pytest

from adapters.breaker import Breaker, Verdict
from adapters.causes import Cause
from adapters.errors import NotSent
from adapters.guard import Guard
from adapters.kinds.bank import codes as bank
from adapters.kinds.civil_affairs import codes as civil_affairs
from adapters.kinds.civil_affairs.platform import Refused
from adapters.kinds.commerce import codes as commerce
from adapters.limits import TransportLimits
from adapters.pace import Pace, Places
from adapters.port import Indeterminate
from tests.adapters.calling import Clock

PAGES = Path(__file__).parents[2] / "docs" / "adapters"


async def _never(_ends: float) -> None:
    raise AssertionError  # nothing may be asked


def _cause_of(raised: pytest.ExceptionInfo[NotSent]) -> tuple[Indeterminate, Cause | None]:
    return raised.value.reason, raised.value.cause


async def test_an_open_breaker_and_a_time_that_is_over_are_told_apart() -> None:
    """Both ended with us, and only one of them will pass by itself."""
    clock = Clock()
    guard = Guard(TransportLimits(breaker_failures=1), clock)

    with pytest.raises(NotSent) as late:
        await guard.run(_never, clock.now)
    guard.breaker.settle(guard.breaker.require_passage(), Verdict.FAILS)
    with pytest.raises(NotSent) as shut:
        await guard.run(_never, clock.now + 10)

    assert _cause_of(late) == (Indeterminate.PROVIDER_TIMEOUT, Cause.ANSWER_LATE)
    assert _cause_of(shut) == (Indeterminate.PROVIDER_UNAVAILABLE, Cause.BREAKER_OPEN)


def test_a_breaker_says_that_it_is_open() -> None:
    """Also where it opened while a place was waited for."""
    breaker = Breaker(TransportLimits(breaker_failures=1), Clock())
    breaker.settle(breaker.require_passage(), Verdict.FAILS)

    with pytest.raises(NotSent) as shut:
        breaker.require_passage()

    assert shut.value.cause is Cause.BREAKER_OPEN


@pytest.mark.parametrize("queue", [0, 1])
async def test_no_place_is_a_limit_and_no_silence(queue: int) -> None:
    """Whether the queue is full or nobody gave a place up in time."""
    clock = asyncio.get_running_loop().time
    places = Places(TransportLimits(concurrency=1, queue=queue), clock)

    async with places.waited_for(clock() + 1):
        with pytest.raises(NotSent) as full:
            async with places.waited_for(clock() + 0.01):
                raise AssertionError
        with pytest.raises(NotSent) as at_once:
            async with places.at_once():
                raise AssertionError

    expected = (Indeterminate.PROVIDER_UNAVAILABLE, Cause.RATE_LIMITED)
    assert _cause_of(full) == _cause_of(at_once) == expected


async def test_a_pace_that_leaves_no_time_is_a_limit() -> None:
    """The department was never asked."""
    clock = Clock()
    pace = Pace(TransportLimits(per_second=0.1), clock)
    pace.take()

    with pytest.raises(NotSent) as kept:
        await pace.keep(clock.now + 1)

    assert _cause_of(kept) == (Indeterminate.PROVIDER_QUOTA, Cause.RATE_LIMITED)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("E-101", Cause.IDENTITY_REFUSED),
        ("E-108", Cause.IDENTITY_REFUSED),
        ("E-109", Cause.CLOCK_APART),
        ("-1", Cause.CODE_BUSY),
        ("E-110", Cause.CODE_REFUSED),
    ],
)
def test_refusals_of_civil_affairs_say_whose_side_they_lie_on(code: str, cause: Cause) -> None:
    """The register's own are told by their reason."""
    assert Refused(code=code, inner=False).cause is cause
    assert Refused(code="1", inner=True).cause is None


def test_no_table_of_causes_knows_a_code_its_page_does_not() -> None:
    """A misspelt one would never be found."""
    assert set(civil_affairs.OUTER_CAUSES) <= set(civil_affairs.OUTER_FAILURES)
    assert set(bank.REJECTION_CAUSES) <= set(bank.REJECTIONS)
    page = (PAGES / "bank.md").read_text("utf-8")
    assert all(re.search(rf"`{code}`", page) for code in bank.REJECTION_CAUSES)


def test_refusals_of_commerce_are_told_apart_by_whom_they_concern() -> None:
    """Those that tell nothing for a reason of the person's have no cause."""
    causes = {code: reply.cause for code, reply in commerce.REPLIES.items() if reply.cause}

    assert {code for code, each in causes.items() if each is Cause.IDENTITY_REFUSED} == {
        "4010",
        "4030",
    }
    assert causes["4011"] is Cause.CLOCK_APART
    assert not {commerce.FOUND, commerce.NONE_HELD, commerce.OTHER_NAME} & set(causes)
