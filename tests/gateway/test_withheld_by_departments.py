"""An effect that a department cannot apply: withheld like anything else, and nothing learned."""

import dataclasses

import pytest

from adapters.port import (
    Outcome,
    Query,
)
from gateway.model import EntryKind
from gateway.policy.effects import WITHHOLD, format_effect
from gateway.statement.answer import WITHHELD_TEXT
from hutong.client import Identity
from hutong.client.requests import build_exchange
from hutong.exchange.v1 import exchange_pb2
from signing.record import WITHHELD
from tests.gateway.asking import core_question, moment
from tests.gateway.core import RAW, Core, SpyAdapter, body_of, released_by
from tests.gateway.signed_records import VALUES, disclosed_of, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNGRANTED = "ethnicity"


async def test_an_effect_that_cannot_be_applied_is_withheld_and_nothing_more(
    core: Core, retirement: Identity
) -> None:
    """An address without a county is told like a field no agreement gives: no cause, no trace."""
    question = core_question(retirement)
    asked = dataclasses.replace(question, fields=(*question.fields, UNGRANTED))
    core.spies["ps."].raw = RAW | {"registered_address": "文化东路1号"}
    request = build_exchange(retirement, asked, moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    body = body_of(outcome)
    told = {each.field: (each.effect, each.effect_text, each.outcome) for each in body.fields}
    withheld = (exchange_pb2.EFFECT_WITHHOLD, WITHHELD_TEXT, exchange_pb2.FIELD_OUTCOME_WITHHELD)
    assert told["registered_address"] == told[UNGRANTED] == withheld
    assert format_effect(WITHHOLD) == WITHHELD_TEXT
    assert released_by(body) == set(VALUES) - {"registered_address"}
    assert core.observed.distrusted_causes == []
    assert core.log.entries(EntryKind.ANSWER)[0].members["withheld"] == 2


async def test_withheld_by_the_department_without_a_grant_is_dropped(
    core: Core, retirement: Identity
) -> None:
    """A department that speaks of a field nobody asked for is noticed, whatever it says of it."""

    def more(spy: SpyAdapter, query: Query) -> Outcome:
        return signed(spy, query, disclosed_of(query) | {UNGRANTED: WITHHELD})

    core.spies["ps."].twist = more
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    body = body_of(await core.ask(retirement, request))

    assert released_by(body) == set(VALUES)
    assert core.observed.distrusted_causes == ["not_granted"]
