"""Each ask has exactly one answer in the log, whenever its caller stops waiting."""

from typing import TYPE_CHECKING

import pytest

from gateway.access_log.errors import LogUnavailable
from gateway.entries import Entries
from gateway.errors import Fault, Reason
from gateway.interrupted import Interrupted, LeftAsk
from gateway.model import EntryDraft, EntryKind, Logged, SearchColumns
from hutong.client import Identity
from hutong.client.requests import build_exchange
from tests.gateway.asking import core_question, moment
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

if TYPE_CHECKING:
    import asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOW_S = 0.3
PATIENCE_S = 0.15
"""Shorter than the log takes to tell, long enough for everything before it."""


async def test_a_deadline_while_the_answer_is_written_leaves_one_answer(
    core: Core, retirement: Identity
) -> None:
    """An answer that became durable meanwhile is not closed as interrupted as well."""
    core.log.slow_to_tell = {EntryKind.ANSWER: SLOW_S}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request, patience_s=PATIENCE_S)

    await core.exchange.drain()
    states = [draft.members["state"] for draft in core.log.entries(EntryKind.ANSWER)]
    require_refused(outcome, Reason.DEADLINE_EXCEEDED)
    assert states == ["ANSWERED"]


async def test_a_deadline_while_the_ask_is_written_closes_it(
    core: Core, retirement: Identity
) -> None:
    """An ask that became durable behind its caller's back is closed, and nobody is asked."""
    core.log.slow_to_tell = {EntryKind.ASK: SLOW_S}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request, patience_s=PATIENCE_S)

    await core.exchange.drain()
    states = [draft.members["state"] for draft in core.log.entries(EntryKind.ANSWER)]
    require_refused(outcome, Reason.DEADLINE_EXCEEDED)
    assert states == ["INTERRUPTED"]
    assert not any(spy.queries for spy in core.spies.values())


@pytest.mark.parametrize("kind", [EntryKind.ASK, EntryKind.ANSWER])
async def test_the_same_bytes_are_not_executed_again(
    core: Core, retirement: Identity, kind: EntryKind
) -> None:
    """Whatever became durable, the request is spent: its twin learns REPLAYED."""
    core.log.slow_to_tell = {kind: SLOW_S}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    await core.ask(retirement, request, patience_s=PATIENCE_S)
    await core.exchange.drain()
    core.log.slow_to_tell = {}

    again = await core.ask(retirement, request)

    require_refused(again, Reason.REPLAYED)
    assert len(core.log.entries(EntryKind.ASK)) == 1


class _ClosedLog:
    """A log that takes nothing, not even into its queue."""

    def __init__(self) -> None:
        self.tried = 0

    async def append(self, draft: EntryDraft) -> Logged:
        """Refuse."""
        return await self.begin(draft)

    def begin(self, _draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Refuse at once."""
        self.tried += 1
        raise LogUnavailable("closed")


async def test_what_is_not_even_queued_is_a_fault_like_any_other() -> None:
    """A log that refuses at once is as unavailable as one that fails later; the ask is tried."""
    log = _ClosedLog()
    entries = Entries(log, Interrupted())
    asked = LeftAsk(index=0, entry=b'{"tx":"00","item":0,"request":"00"}', search=SearchColumns())

    with pytest.raises(Fault) as fault:
        await entries.answer(asked, EntryDraft(kind=EntryKind.TICK, members={}))
    await entries.drain()

    assert fault.value.reason is Reason.LOG_UNAVAILABLE
    assert log.tried == 2
