"""Steps 8 to 10: whatever a department sends, only what was granted leaves, and only if proven."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping

import pytest

from adapters.port import (
    Effect,
    EffectKind,
    Finding,
    Indeterminate,
    NotFound,
    Outcome,
    Query,
    Record,
    Untold,
)
from adapters.records import RecordSource
from certs.algorithms import Suite, generate_private_key
from hutong.client import Identity
from hutong.client.requests import build_exchange
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import subject_digest
from signing.record import Custody, DisclosedValue, RecordState
from signing.signer import FileSigner
from tests.gateway.asking import core_question, insured_question, moment
from tests.gateway.core import Core, SpyAdapter, body_of, released_by
from tests.gateway.signed_records import VALUES, disclosed_of, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")

Twist = Callable[[SpyAdapter, Query], Outcome]
UNGRANTED = "ethnicity"


async def _body(
    core: Core, identity: Identity, twist: Twist, *, patience_s: float = 10.0
) -> exchange_pb2.AnswerBody:
    core.spies["ps."].twist = twist
    request = build_exchange(identity, core_question(identity), moment(core.now_ms))
    return body_of(await core.ask(identity, request, patience_s=patience_s))


def _is_untold(body: exchange_pb2.AnswerBody, reason: Indeterminate) -> None:
    told = exchange_pb2.IndeterminateReason.Name(body.indeterminate_reason)
    assert body.state == exchange_pb2.ANSWER_STATE_INDETERMINATE
    assert told == f"INDETERMINATE_REASON_{reason}"
    assert body.record == ""
    assert {each.outcome for each in body.fields} == {exchange_pb2.FIELD_OUTCOME_INDETERMINATE}


async def test_an_honest_department_is_believed(core: Core, retirement: Identity) -> None:
    """Exactly the granted fields leave, with exactly the granted effects."""
    body = await _body(core, retirement, lambda spy, query: spy.honest(query))

    assert body.state == exchange_pb2.ANSWER_STATE_ANSWERED
    assert released_by(body) == set(VALUES)
    assert {each.outcome for each in body.fields} == {exchange_pb2.FIELD_OUTCOME_VALUE}
    assert core.observed.distrusted_causes == []


async def test_more_fields_than_granted_are_dropped(core: Core, retirement: Identity) -> None:
    """A field nobody asked for does not leave, although the department signed it."""

    def more(spy: SpyAdapter, query: Query) -> Outcome:
        extra = {UNGRANTED: {"effect": "CLEAR", "value": "汉族"}}
        return signed(spy, query, disclosed_of(query) | extra)

    body = await _body(core, retirement, more)

    assert released_by(body) == set(VALUES)
    assert body.state == exchange_pb2.ANSWER_STATE_ANSWERED
    assert "汉族" not in str(body)
    assert core.observed.distrusted_causes == ["not_granted"]


@pytest.mark.parametrize(
    "effect",
    [
        Effect(kind=EffectKind.CLEAR),
        Effect(kind=EffectKind.MASK, parameters=("2", "1")),
        Effect(kind=EffectKind.MASK, parameters=("1", "1")),
        Effect(kind=EffectKind.MASK),
        Effect(kind=EffectKind.WITHHOLD),
    ],
)
async def test_another_effect_than_granted_is_dropped(
    core: Core, retirement: Identity, effect: Effect
) -> None:
    """A name in clear, or masked in another way than agreed, does not leave.

    The field is told as indeterminate: the department never said that it has no value.
    """

    def clearer(spy: SpyAdapter, query: Query) -> Outcome:
        own = {"full_name": {"effect": effect.code, "value": "王守仁"}}
        return signed(spy, query, disclosed_of(query) | own)

    body = await _body(core, retirement, clearer)

    assert released_by(body) == set(VALUES) - {"full_name"}
    assert "王守仁" not in str(body)
    outcomes = {each.field: each.outcome for each in body.fields}
    assert outcomes["full_name"] == exchange_pb2.FIELD_OUTCOME_INDETERMINATE


@pytest.mark.parametrize(
    "content",
    [
        {"effect": "MASK(1,0)", "finding": "YES"},
        {"effect": "MASK(1,0)", "value": "王**", "finding": "YES"},
        {"effect": "MASK(1,0)"},
        {"value": "王**"},
    ],
)
async def test_a_finding_where_a_value_is_due_is_dropped(
    core: Core, retirement: Identity, content: DisclosedValue
) -> None:
    """A disclosure of another shape than its effect has does not leave."""

    def odd(spy: SpyAdapter, query: Query) -> Outcome:
        return signed(spy, query, disclosed_of(query) | {"full_name": content})

    body = await _body(core, retirement, odd)

    if body.record:
        assert released_by(body) == set(VALUES) - {"full_name"}
    else:
        _is_untold(body, Indeterminate.PROVIDER_UNPROVEN)


@pytest.mark.parametrize("finding", ["MAYBE", "yes", "1956-03-15"])
async def test_a_finding_out_of_the_closed_list_is_dropped(
    core: Core, retirement: Identity, finding: str
) -> None:
    """A predicate answers with a finding; anything else could carry a value."""

    def odd(spy: SpyAdapter, query: Query) -> Outcome:
        disclosed: dict[str, DisclosedValue] = {
            grant.field: {"effect": grant.effect.code, "finding": finding}
            for grant in query.grants
            if grant.effect.kind is EffectKind.PREDICATE
        }
        assert disclosed
        return signed(spy, query, disclosed)

    core.spies["hr."].twist = odd
    request = build_exchange(retirement, insured_question(retirement), moment(core.now_ms))

    body = body_of(await core.ask(retirement, request))

    assert finding not in str(body)
    assert body.record == "" or released_by(body) == set()


@pytest.mark.parametrize("finding", [Finding.INDETERMINATE, Finding.ERROR])
async def test_a_finding_that_tells_nothing_is_indeterminate(
    core: Core, retirement: Identity, finding: Finding
) -> None:
    """What the department could not tell is told as that, never as a no."""

    def untold(spy: SpyAdapter, query: Query) -> Outcome:
        granted = next(grant for grant in query.grants if grant.field == "state")
        content = {"effect": granted.effect.code, "finding": finding.value}
        return signed(spy, query, {"state": content})

    core.spies["hr."].twist = untold
    request = build_exchange(retirement, insured_question(retirement), moment(core.now_ms))

    body = body_of(await core.ask(retirement, request))

    outcomes = {each.field: each.outcome for each in body.fields}
    assert outcomes["state"] == exchange_pb2.FIELD_OUTCOME_INDETERMINATE
    assert outcomes["first_date"] == exchange_pb2.FIELD_OUTCOME_ABSENT


def _other_subject(spy: SpyAdapter, query: Query) -> Outcome:
    digest = subject_digest(query.request_id, "RESIDENT_ID", "370102198203159010")
    return signed(spy, query, disclosed_of(query), subject_digest=digest)


def _foreign_key(spy: SpyAdapter, query: Query) -> Outcome:
    stranger = FileSigner.of(generate_private_key(Suite.ES256))
    return signed(spy, query, disclosed_of(query), signer=stranger)


def _other(**changes: object) -> Twist:
    def twist(spy: SpyAdapter, query: Query) -> Outcome:
        return signed(spy, query, disclosed_of(query), **changes)  # type: ignore[arg-type] # names vary

    return twist


def _old(spy: SpyAdapter, query: Query) -> Outcome:
    issued_at_s = query.issued_at_ms // 1000 - 900
    return signed(
        spy,
        query,
        disclosed_of(query),
        issued_at_s=issued_at_s,
        expires_at_s=issued_at_s + 300,
    )


def _early(spy: SpyAdapter, query: Query) -> Outcome:
    issued_at_s = query.issued_at_ms // 1000 + 900
    return signed(
        spy,
        query,
        disclosed_of(query),
        issued_at_s=issued_at_s,
        expires_at_s=issued_at_s + 300,
    )


def _yesterdays(spy: SpyAdapter, query: Query) -> Outcome:
    again = dataclasses.replace(query, request_id=bytes(16))
    return signed(spy, again, disclosed_of(again))


def _garbage(text: str) -> Twist:
    return lambda _spy, _query: Record(sd_jwt=text)


def _flipped(spy: SpyAdapter, query: Query) -> Outcome:
    outcome = spy.honest(query)
    assert isinstance(outcome, Record)
    head, _, signature = outcome.sd_jwt.partition("~")[0].rpartition(".")
    other = "A" if signature[5] != "A" else "B"
    spoiled = signature[:5] + other + signature[6:]
    return Record(sd_jwt=f"{head}.{spoiled}~{outcome.sd_jwt.partition('~')[2]}")


def _invented(spy: SpyAdapter, query: Query) -> Outcome:
    outcome = spy.honest(query)
    assert isinstance(outcome, Record)
    return Record(sd_jwt=outcome.sd_jwt + "WyJzYWx0c2FsdHNhbHRzYWx0IiwieCIseyJlIjoiYSJ9XQ~")


def _raising(_spy: SpyAdapter, _query: Query) -> Outcome:
    raise ValueError("370102195603159016 王守仁")


@pytest.mark.parametrize(
    ("twist", "reason"),
    [
        (_other_subject, Indeterminate.SUBJECT_MISMATCH),
        (_foreign_key, Indeterminate.PROVIDER_UNPROVEN),
        (_other(nonce="00" * 16), Indeterminate.PROVIDER_UNPROVEN),
        (_yesterdays, Indeterminate.PROVIDER_UNPROVEN),
        (_other(audience="11370000MB2DEM0105/title"), Indeterminate.PROVIDER_UNPROVEN),
        (_other(dataset="ps.person_core@2"), Indeterminate.PROVIDER_UNPROVEN),
        (_other(issuer="11370000MB2DEM0105"), Indeterminate.PROVIDER_UNPROVEN),
        (_old, Indeterminate.PROVIDER_UNPROVEN),
        (_early, Indeterminate.PROVIDER_UNPROVEN),
        (_flipped, Indeterminate.PROVIDER_UNPROVEN),
        (_invented, Indeterminate.PROVIDER_UNPROVEN),
        (_garbage(""), Indeterminate.PROVIDER_UNPROVEN),
        (_garbage("~~~"), Indeterminate.PROVIDER_UNPROVEN),
        (_garbage("机关"), Indeterminate.PROVIDER_UNPROVEN),
        (_garbage("a" * 200_000), Indeterminate.PROVIDER_UNPROVEN),
        (_garbage("eyJhbGciOiJub25lIn0.e30.~"), Indeterminate.PROVIDER_UNPROVEN),
        (_raising, Indeterminate.PROVIDER_FAULT),
        (
            lambda _spy, _query: Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE),
            Indeterminate.PROVIDER_UNAVAILABLE,
        ),
    ],
)
async def test_what_is_not_proven_is_indeterminate(
    core: Core, retirement: Identity, twist: Twist, reason: Indeterminate
) -> None:
    """Another person, key, request, reader, dataset or time, garbage, a crash: nothing leaves."""
    body = await _body(core, retirement, twist)

    _is_untold(body, reason)
    assert core.events == ["ask", "fetch", "answer"]


async def test_a_key_of_another_department_signs_nothing_here(
    core: Core, retirement: Identity, sources: Mapping[str, RecordSource]
) -> None:
    """A registered record key counts for its own organisation only."""
    education = sources["edu."].signer

    body = await _body(
        core,
        retirement,
        lambda spy, query: signed(spy, query, disclosed_of(query), signer=education),
    )

    _is_untold(body, Indeterminate.PROVIDER_UNPROVEN)


@pytest.mark.parametrize("value", [None, 3, "text", b"bytes"])
async def test_an_adapter_that_returns_no_outcome_tells_nothing(
    core: Core, retirement: Identity, value: object
) -> None:
    """Whatever an adapter returns instead of an outcome, the call ends and nothing leaves."""
    core.spies["ps."].twist = lambda _spy, _query: value  # type: ignore[assignment,return-value] # the point
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    body = body_of(await core.ask(retirement, request))

    _is_untold(body, Indeterminate.PROVIDER_FAULT)
    assert core.events == ["ask", "fetch", "answer"]


async def test_a_hanging_department_is_a_time_out_within_the_deadline(
    core: Core, retirement: Identity
) -> None:
    """The caller gets a signed answer that says so, before its own deadline ends."""
    core.spies["ps."].gate = asyncio.Event()
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    started = time.monotonic()

    body = body_of(await core.ask(retirement, request, patience_s=0.4))

    assert time.monotonic() - started < 0.5
    _is_untold(body, Indeterminate.PROVIDER_TIMEOUT)
    assert core.events == ["ask", "fetch", "answer"]


async def test_a_department_that_is_not_connected_is_said_to_be(
    core: Core, retirement: Identity
) -> None:
    """No connection is neither a refusal nor a no."""
    adapters = core.parts.adapters
    assert isinstance(adapters, dict)
    adapters.pop("ps.person_core@1")

    body = await _body(core, retirement, lambda spy, query: spy.honest(query))

    _is_untold(body, Indeterminate.PROVIDER_NOT_CONNECTED)
    assert core.events == ["ask", "answer"]


async def test_no_record_is_told_where_the_agreement_lets_it(
    core: Core, retirement: Identity
) -> None:
    """NOT_FOUND is a state of its own; values are absent then."""
    core.spies["ps."].raw = None

    body = await _body(core, retirement, lambda spy, query: spy.honest(query))

    assert body.state == exchange_pb2.ANSWER_STATE_NOT_FOUND
    assert {each.outcome for each in body.fields} == {exchange_pb2.FIELD_OUTCOME_ABSENT}


async def test_a_found_record_called_not_found_still_discloses_grants_only(
    core: Core, retirement: Identity
) -> None:
    """Whatever the adapter calls its answer, the same minimisation applies."""

    def odd(spy: SpyAdapter, query: Query) -> Outcome:
        extra = {UNGRANTED: {"effect": "CLEAR", "value": "汉族"}}
        disclosed = disclosed_of(query) | extra
        record = signed(spy, query, disclosed, state=RecordState.NOT_FOUND)
        return NotFound(sd_jwt=record.sd_jwt)

    body = await _body(core, retirement, odd)

    assert body.state == exchange_pb2.ANSWER_STATE_NOT_FOUND
    assert "汉族" not in str(body)
    assert UNGRANTED not in released_by(body)


@pytest.mark.parametrize("at_node", [False, True])
async def test_a_key_kept_elsewhere_than_configured_is_not_believed(
    core: Core, retirement: Identity, *, at_node: bool
) -> None:
    """A department with a node of its own signs there, one that is embedded signs here."""
    wrong = Custody.EMBEDDED if at_node else Custody.PROVIDER_NODE
    spy = core.spies["ps."]
    served = spy.datasets if at_node else frozenset()
    core.exchange._parts = dataclasses.replace(core.parts, at_nodes=served)

    body = await _body(
        core,
        retirement,
        lambda spy, query: signed(spy, query, disclosed_of(query), custody=wrong),
    )

    _is_untold(body, Indeterminate.PROVIDER_UNPROVEN)
    assert core.observed.distrusted_causes == ["wrong_custody"]
