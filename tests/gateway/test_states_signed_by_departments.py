"""Step 9: whether a record exists is the department's signed word, and told as it signed it."""

import dataclasses

import pytest

from adapters.port import Indeterminate, NotFound, Outcome, Query, Record
from gateway.distrust import (
    Distrusted,
    build_expectation,
    require_record,
    require_record_key,
    state_due,
)
from hutong.client import Identity
from hutong.client.requests import build_exchange
from hutong.exchange.v1 import exchange_pb2
from signing.record import RecordState, parse_record_keyid
from tests.gateway.asking import core_question, moment
from tests.gateway.core import Core, body_of
from tests.gateway.core import SpyAdapter as Spy
from tests.gateway.signed_records import signed

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHHELD = [(found, state) for found in (True, False) for state in RecordState]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Record, RecordState.NOT_FOUND),
        (Record, RecordState.NOT_TOLD),
        (NotFound, RecordState.FOUND),
        (NotFound, RecordState.NOT_TOLD),
    ],
)
async def test_a_state_other_than_the_signed_one_is_not_told(
    core: Core, retirement: Identity, outcome: type[Record | NotFound], state: RecordState
) -> None:
    """An adapter that says otherwise than its department signed has proven nothing."""

    def odd(spy: Spy, query: Query) -> Outcome:
        return outcome(sd_jwt=signed(spy, query, {}, state=state).sd_jwt)

    core.spies["ps."].twist = odd
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    body = body_of(await core.ask(retirement, request))

    assert body.state == exchange_pb2.ANSWER_STATE_INDETERMINATE
    assert body.indeterminate_reason == exchange_pb2.INDETERMINATE_REASON_PROVIDER_UNPROVEN
    assert body.record == ""
    assert core.observed.distrusted_causes == ["wrong_state"]


@pytest.mark.parametrize(("found", "state"), WITHHELD)
async def test_only_not_told_is_taken_where_existence_is_withheld(
    core: Core, retirement: Identity, *, found: bool, state: RecordState
) -> None:
    """A record that speaks of existence would tell what the agreement withholds."""
    spy = core.spies["ps."]
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    await core.ask(retirement, request)
    query = dataclasses.replace(spy.queries[0], tell_not_found=False)
    compact = signed(spy, query, {}, state=state).sd_jwt
    keys = {
        key.keyid: key
        for key in core.parts.trust.snapshot.registry.all_keys()
        if key.keyid == parse_record_keyid(compact)
    }

    def prove() -> RecordState:
        key = require_record_key(compact, keys, core.now_ms).public_key
        expected = build_expectation(query, spy.organisation, core.now_ms)
        record = require_record(compact, key, expected, state_due(query, found=found))
        return record.claims.state

    if state is RecordState.NOT_TOLD:
        assert prove() is RecordState.NOT_TOLD
    else:
        with pytest.raises(Distrusted) as told:
            prove()
        assert (told.value.reason, told.value.cause) == (
            Indeterminate.PROVIDER_UNPROVEN,
            "wrong_state",
        )
