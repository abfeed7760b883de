"""Answers that come later: who comes back is told, once, and nothing is asked twice in silence."""

import asyncio
import gc
import weakref
from dataclasses import replace
from datetime import datetime

import pytest

from adapters.kinds.tax.desk import MAX_QUESTIONS
from adapters.kinds.tax.looking import RESEND_S
from adapters.port import Indeterminate, Outcome, Query, Untold
from certs.identity import SystemId
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed
from tests.adapters.tax.asking import CONTRIBUTION, INCOME_TAX, LAST, Asking, person

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAID = {"paid_in_period": IS_TRUE}
YES = {"paid_in_period": "YES"}
TWO_HOURS_S = 7200.0


def _query(asking: Asking, seconds: float = 0.6) -> Query:
    return asking.query(CONTRIBUTION, person("ordinary_employee"), PAID, LAST, seconds)


def _require_pending(outcome: Outcome) -> float:
    assert isinstance(outcome, Untold)
    assert outcome.reason is Indeterminate.PENDING
    assert outcome.retry_after_s is not None
    return outcome.retry_after_s


async def test_a_result_two_hours_late_is_picked_up(asking: Asking) -> None:
    """The later question goes on with the package of the first: nothing is asked anew."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking)
    first = await asking.adapter.fetch(query)
    too_soon = await asking.adapter.fetch(asking.again(query, b"a" * 16, seconds=0.6))
    asking.pass_time(TWO_HOURS_S)
    again = asking.again(query)

    outcome = await asking.adapter.fetch(again)

    assert _require_pending(first) >= 1.0
    _require_pending(too_soon)
    assert disclosed(again, outcome) == YES
    assert len(asking.submissions()) == 1


async def test_an_outcome_is_given_once(asking: Asking) -> None:
    """What has been told is forgotten; who asks again asks the department again."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking)
    await asking.adapter.fetch(query)
    asking.pass_time(TWO_HOURS_S)
    await asking.adapter.fetch(asking.again(query))
    again = asking.again(query, b"b" * 16)

    outcome = await asking.adapter.fetch(again)

    assert disclosed(again, outcome) == YES
    assert len(asking.submissions()) == 2


async def test_who_lost_the_last_answer_comes_back_with_the_first_id(asking: Asking) -> None:
    """A question is kept under every id it was told to come back under."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking)
    await asking.adapter.fetch(query)
    second = asking.again(query, b"c" * 16, seconds=0.3)
    await asking.adapter.fetch(second)
    asking.pass_time(TWO_HOURS_S)
    last = asking.again(second, b"d" * 16)

    outcome = await asking.adapter.fetch(last)

    assert disclosed(last, outcome) == YES
    assert len(asking.submissions()) == 1


async def test_another_asker_or_question_is_not_told_the_answer(asking: Asking) -> None:
    """The id of a pending request opens nobody else's answer: each begins anew."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking)
    await asking.adapter.fetch(query)
    changed = [
        {"audience": SystemId("11370000MB2DEM0105/title")},
        {"matter": "M3"},
        {"case_number": "BJ-2026-000002"},
        {"claims": {"period": "202609"}},
        {"subject": replace(query.subject, full_name="王小二")},
    ]
    others = [replace(asking.again(query), **change) for change in changed]  # type: ignore[arg-type]  # one member each, of the type of that member

    await asyncio.gather(*map(asking.adapter.fetch, others))

    assert len(asking.questions()) == 1 + len(others)


async def test_after_a_restart_the_question_is_asked_anew(asking: Asking) -> None:
    """The number under way is lost; another one is used, and its result is the answer."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking)
    await asking.adapter.fetch(query)
    restarted = asking.build()
    again = asking.again(query)

    outcome = await restarted.fetch(again)
    first, second = asking.submissions()

    assert disclosed(again, outcome) == YES
    assert first.split("_")[1] != second.split("_")[1]
    await restarted.close()


async def test_a_package_survives_a_lost_connection(asking: Asking) -> None:
    """It lies with the department, whoever is connected: still PENDING, then answered."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking)
    await asking.adapter.fetch(query)
    await asking.transport.close()
    asking.simulator.set_fault("login_refused")
    meanwhile = await asking.adapter.fetch(asking.again(query, b"e" * 16, seconds=0.6))
    asking.simulator.reset()
    asking.pass_time(TWO_HOURS_S)
    again = asking.again(query)

    outcome = await asking.adapter.fetch(again)

    _require_pending(meanwhile)
    assert disclosed(again, outcome) == YES
    assert len(asking.submissions()) == 1


async def test_a_result_that_never_comes_stays_pending(asking: Asking) -> None:
    """An acknowledged package is not put again, however long it takes."""
    asking.simulator.set_fault("no_result", 1)
    query = _query(asking)
    first = await asking.adapter.fetch(query)
    asking.pass_time(3 * RESEND_S)

    outcome = await asking.adapter.fetch(asking.again(query, seconds=0.6))

    assert _require_pending(outcome) > _require_pending(first)
    assert len(asking.submissions()) == 1


async def test_a_package_nobody_acknowledged_is_put_again(asking: Asking) -> None:
    """Under its number, as a repetition: the department would know it if it had come."""
    asking.simulator.set_fault("no_ack", 1)
    query = _query(asking)
    first = await asking.adapter.fetch(query)
    too_soon = await asking.adapter.fetch(asking.again(query, b"f" * 16, seconds=0.6))
    before = len(asking.submissions())
    asking.pass_time(RESEND_S)
    again = asking.again(query)

    outcome = await asking.adapter.fetch(again)
    submissions = asking.submissions()

    _require_pending(first)
    _require_pending(too_soon)
    assert before == 1
    assert disclosed(again, outcome) == YES
    assert [path[-7:] for path in submissions] == ["_01.xml", "_02.xml"]
    assert len({path.split("_")[1] for path in submissions}) == 1
    assert [f"<repeatFlag>{flag}<" in asking.envelopes()[n] for n, flag in enumerate("NY")] == [
        True,
        True,
    ]


async def test_at_a_months_end_nothing_is_put_again(asking: Asking) -> None:
    """The files lie where they were put; who comes back after the window is told."""
    _set_clock(asking, "2026-11-30T20:00:00+08:00")
    asking.simulator.admin("POST", "/month-end", {"on": True})
    query = _query(asking)
    first = await asking.adapter.fetch(query)
    asking.pass_time(2 * RESEND_S)
    second = await asking.adapter.fetch(asking.again(query, b"g" * 16, seconds=0.6))
    asking.pass_time(10 * 3600.0)
    again = asking.again(query)

    outcome = await asking.adapter.fetch(again)

    # Told at eight in the evening: ten hours, until six in the morning.
    assert _require_pending(first) == pytest.approx(36_000, abs=30)
    assert _require_pending(second) == pytest.approx(36_000 - 2 * RESEND_S, abs=30)
    assert disclosed(again, outcome) == YES
    assert len(asking.submissions()) == 1


async def test_questions_that_wait_together_travel_together(asking: Asking) -> None:
    """One package for each service, and no more than its bound in one."""
    who = person("ordinary_employee")
    paid = [asking.query(CONTRIBUTION, who, PAID, LAST) for _ in range(MAX_QUESTIONS + 3)]
    taxed = [
        asking.query(INCOME_TAX, who, {"tax_year": CLEAR}, {"tax_year": "2025"}) for _ in range(3)
    ]

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, [*paid, *taxed]))

    told = [disclosed(each, out) for each, out in zip([*paid, *taxed], outcomes, strict=True)]
    assert told == [YES] * len(paid) + [{"tax_year": "2025"}] * 3
    assert len(asking.submissions()) == 3


async def test_who_left_before_it_was_dropped_is_not_asked_about(asking: Asking) -> None:
    """A cancelled question names nobody to the department."""
    task = asyncio.create_task(asking.adapter.fetch(_query(asking)))
    await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.2)

    assert asking.submissions() == []


async def test_closing_ends_what_waits(asking: Asking) -> None:
    """Nobody is left waiting for a department that is no longer asked."""
    asking.simulator.set_fault("late_result", 1)
    adapter = asking.build()
    task = asyncio.create_task(adapter.fetch(_query(asking, seconds=30.0)))
    await asyncio.sleep(0.3)

    await adapter.close()

    async with asyncio.timeout(2):
        assert await task == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)


async def test_after_closing_nothing_is_taken_on(asking: Asking) -> None:
    """Nor does a question join a package that was still open: nobody would drop it."""
    adapter = asking.build()
    waiting = asyncio.create_task(adapter.fetch(_query(asking, seconds=30.0)))
    await asyncio.sleep(0.005)
    await adapter.close()
    async with asyncio.timeout(2):
        outcomes = [await waiting, await adapter.fetch(_query(asking, seconds=30.0))]

    assert outcomes == [Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)] * 2
    assert asking.submissions() == []
    assert not adapter._desk._open


@pytest.mark.parametrize("end", ["told", "closed"])
async def test_an_outcome_that_was_given_is_held_by_nothing(asking: Asking, end: str) -> None:
    """No timer keeps a raw record for an hour, neither after it was told nor after closing."""
    asking.simulator.set_fault("late_result", 1)
    query = _query(asking, seconds=1.5)
    _require_pending(await asking.adapter.fetch(query))
    (package,) = asking.adapter._desk._packages.values()
    (waiting,) = package.waiting
    held = weakref.ref(waiting.answer)
    asking.pass_time(TWO_HOURS_S)
    if end == "told":
        await asking.adapter.fetch(asking.again(query))
    await asking.adapter.close()
    await asyncio.sleep(0)
    del package, waiting
    gc.collect()

    assert held() is None


def _set_clock(asking: Asking, instant: str) -> None:
    wanted = round(datetime.fromisoformat(instant).timestamp() * 1000)
    asking.simulator.admin("POST", "/clock", {"now_ms": wanted})
