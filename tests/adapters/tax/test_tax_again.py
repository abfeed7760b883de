"""Packages that are put again: when, how many, and what becomes of them where that fails."""

import asyncio
import time
from dataclasses import replace

import pytest

from adapters.kinds.tax.envelope import Head
from adapters.kinds.tax.looking import RESEND_S
from adapters.port import Indeterminate, Outcome, Query, Untold
from tests.adapters.tax.office import PARTS, SUM, YES, Office, Open, about, answered
from tests.adapters.tax.plain_server import Plain

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ATTEMPTS = 3


def silent(plain: Plain, name: str, head: Head) -> None:
    """Say nothing at all."""


def _again(query: Query, seconds: float = 3.0) -> Query:
    return replace(about(seconds), request_id=bytes(16), pending_request_id=query.request_id)


def _reason(outcome: Outcome) -> Indeterminate:
    assert isinstance(outcome, Untold)
    return outcome.reason


async def _rest(opened: Office) -> None:
    """Wait until nobody looks: the last look goes on for a little after its asker left."""
    watch = opened.adapter._desk._watch
    assert watch is not None
    await watch


async def _look(opened: Office) -> None:
    await opened.adapter._desk._looker.look(opened.adapter._desk._packages)


async def test_a_repetition_that_fails_loses_no_package(office: Open) -> None:
    """The first submission lies with the department: its result is the answer."""
    kept: list[tuple[str, Head]] = []
    async with office(lambda _, name, head: kept.append((name, head))) as opened:
        query = about(0.5)
        await opened.ask(query)
        opened.ahead_s += RESEND_S
        opened.plain.unwritable = ATTEMPTS
        failed, _ = await opened.ask(_again(query, 0.8))
        opened.plain.answer(*kept[0], PARTS, SUM)
        _, told = await opened.ask(_again(query))

        assert opened.plain.unwritable == 0
        assert _reason(failed) is Indeterminate.PENDING
        assert told == YES
        assert len(opened.plain.submissions) == 1


async def test_a_repetition_that_failed_is_tried_when_it_is_next_due(office: Open) -> None:
    """Not in every look, and not later for having failed."""
    async with office(silent) as opened:
        query = about(0.5)
        await opened.ask(query)
        await _rest(opened)
        opened.ahead_s += RESEND_S
        opened.plain.unwritable = ATTEMPTS
        await _look(opened)
        opened.plain.say = answered
        await _look(opened)
        too_soon = len(opened.plain.submissions)
        opened.ahead_s += RESEND_S
        _, told = await opened.ask(_again(query))

        assert too_soon == 1
        assert told == YES
        assert len(opened.plain.submissions) == 2


async def test_a_package_ends_where_its_numbers_end(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put as often as the department allows and never acknowledged: nothing more can be done."""
    for module in ("dispatch", "looking"):
        monkeypatch.setattr(f"adapters.kinds.tax.{module}.MAX_SUBMISSIONS", 2)
    async with office(silent) as opened:
        query = about(0.5)
        await opened.ask(query)
        await _rest(opened)
        for doubled in (1, 2):
            opened.ahead_s += doubled * RESEND_S
            await _look(opened)
        outcome, _ = await opened.ask(_again(query))

        assert _reason(outcome) is Indeterminate.PROVIDER_FAULT


async def test_a_refused_package_that_cannot_be_put_again_is_told(office: Open) -> None:
    """It lies nowhere, so there is nothing to wait for."""

    def say(plain: Plain, name: str, head: Head) -> None:
        plain.unwritable = ATTEMPTS
        plain.refuse(name, head, "99999999")

    async with office(say) as opened:
        outcome, _ = await opened.ask()

        assert _reason(outcome) is Indeterminate.PROVIDER_UNAVAILABLE


async def test_a_result_is_read_before_anything_is_put_again(office: Open) -> None:
    """Refused and answered in one: what is answered need not be asked a second time."""

    def say(plain: Plain, name: str, head: Head) -> None:
        plain.answer(name, head, PARTS, SUM)
        plain.refuse(name, head, "99999999")

    async with office(say) as opened:
        _, told = await opened.ask()
        await asyncio.sleep(0.3)

        assert told == YES
        assert len(opened.plain.submissions) == 1


async def test_only_so_many_are_put_again_in_one_look(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the result of another is not kept waiting for all of them."""
    monkeypatch.setattr("adapters.kinds.tax.looking._PUT_AT_ONCE", 2)
    async with office(silent) as opened:
        for number in range(3):
            await opened.ask(replace(about(0.3), request_id=bytes([number]) * 16))
        await _rest(opened)
        opened.ahead_s += RESEND_S
        put = []
        for _ in range(2):
            await _look(opened)
            await asyncio.sleep(0.1)
            put.append(len(opened.plain.submissions))

        assert put == [5, 6]


async def test_a_look_ends_in_time_whatever_it_puts_again(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A department that takes its time to open a file: the others' results wait no longer."""
    monkeypatch.setattr("adapters.kinds.tax.looking.LOOK_S", 0.5)
    async with office(silent) as opened:
        await opened.ask(about(0.3))
        await _rest(opened)
        opened.ahead_s += RESEND_S
        opened.plain.slow_s = 3.0
        begun = time.monotonic()
        await _look(opened)

        assert time.monotonic() - begun < 1.5
