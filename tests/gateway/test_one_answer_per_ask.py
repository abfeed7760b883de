"""Each ask has exactly one answer in the log, whenever its caller stops waiting."""

import pytest

from gateway.errors import Reason
from gateway.model import EntryKind
from hutong.client import Identity
from hutong.client.requests import build_exchange
from tests.gateway.asking import core_question, moment
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

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
