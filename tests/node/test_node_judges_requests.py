"""What a node refuses of a requester: its envelope, its officer, its agreement; over real TLS."""

import asyncio
import dataclasses
from collections.abc import Callable

import pytest

from adapters.provider_node.reasons import NodeReason
from gateway.node.building import RunningNode
from gateway.node.judging import Judge
from hutong.client.officer import AssertionContext
from hutong.client.requests import (
    SignedRequest,
    build_explain,
    build_matter,
)
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.encoding import subject_digest
from tests.gateway.asking import (
    core_question,
    insured_question,
    matter_question,
    moment,
    officer_of,
    payload_type_of,
    person,
    retold,
    wrapped,
)
from tests.node.asking import (
    AGREED,
    Caller,
    Change,
    Grants,
    Way,
    request_of,
    require_refused,
    set_grants,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]
CLEAR = (exchange_pb2.EFFECT_CLEAR, ())


def _resigned(
    way: Way, request: SignedRequest, change: Callable[[exchange_pb2.ExchangeStatement], None]
) -> SignedRequest:
    """Return a request with its statement changed, signed again by the requester itself."""
    return retold(way.retirement, request, exchange_pb2.ExchangeStatement, change)


async def test_an_honest_query_is_answered(caller: Caller, remote: Way) -> None:
    """What the attacks below change is right as it stands."""
    ended = await caller.ask(request_of(remote))

    assert ended.outcome is not None
    assert ended.outcome.state == exchange_pb2.ANSWER_STATE_ANSWERED
    assert len(ended.outcome.record.split("~")) == len(AGREED) + 2


async def test_less_than_agreed_is_answered(caller: Caller, remote: Way) -> None:
    """At most, not exactly: a gateway may know more reasons to give less."""
    fewer: Grants = {"full_name": (exchange_pb2.EFFECT_MASK, ("0", "0")), "sex": CLEAR}

    ended = await caller.ask(request_of(remote), lambda query: set_grants(query, fewer))

    assert ended.outcome is not None
    assert len(ended.outcome.record.split("~")) == len(fewer) + 2


WIDE: dict[str, Grants] = {
    "clearer effect": {"full_name": CLEAR},
    "one character more": {"full_name": (exchange_pb2.EFFECT_MASK, ("1", "1"))},
    "finer place": {"registered_address": CLEAR},
    "another step": {"registered_address": (exchange_pb2.EFFECT_GENERALISE, ("year",))},
    "a field nobody asked for": {"full_name": AGREED["full_name"], "ethnicity": CLEAR},
    "a field there is not": {"no_such_field": CLEAR},
    "a mask of one number": {"full_name": (exchange_pb2.EFFECT_MASK, ("1",))},
    "a mask of three numbers": {"full_name": (exchange_pb2.EFFECT_MASK, ("1", "0", "0"))},
    "a number in another spelling": {"full_name": (exchange_pb2.EFFECT_MASK, ("01", "0"))},
    "any predicate": {"sex": (exchange_pb2.EFFECT_PREDICATE, ())},
    "an unknown predicate": {"sex": (exchange_pb2.EFFECT_PREDICATE, ("no_such",))},
    "clear with a parameter": {"sex": (exchange_pb2.EFFECT_CLEAR, ("1",))},
}


@pytest.mark.parametrize("wide", WIDE)
async def test_more_than_agreed_is_refused(caller: Caller, remote: Way, wide: str) -> None:
    """The node holds its own copy: no gateway can widen what was agreed, or what was asked."""
    ended = await caller.ask(request_of(remote), lambda query: set_grants(query, WIDE[wide]))

    require_refused(ended, NodeReason.GRANT_TOO_WIDE, signed=True)


async def test_what_is_agreed_and_not_asked_is_refused(caller: Caller, remote: Way) -> None:
    """The requester asked for one field; the others are its agreement's, not this question's."""
    question = dataclasses.replace(core_question(remote.retirement), fields=("sex",))
    both: Grants = {"sex": CLEAR, "birth_date": CLEAR}

    ended = await caller.ask(
        request_of(remote, question), lambda query: set_grants(query, {"sex": CLEAR})
    )
    more = await caller.ask(request_of(remote, question), lambda query: set_grants(query, both))

    assert ended.outcome is not None
    require_refused(more, NodeReason.GRANT_TOO_WIDE, signed=True)


def _flip(envelope: "provider_pb2.Query") -> None:
    payload = bytearray(envelope.request_envelope.payload)
    payload[-1] ^= 1
    envelope.request_envelope.payload = bytes(payload)


def _unsigned(query: provider_pb2.Query) -> None:
    query.request_envelope.signatures[0].value = bytes(64)


def _other_key(query: provider_pb2.Query) -> None:
    query.request_envelope.signatures[0].keyid = "0" * 32


def _no_signature(query: provider_pb2.Query) -> None:
    del query.request_envelope.signatures[:]


@pytest.mark.parametrize("forge", [_flip, _unsigned, _other_key, _no_signature])
async def test_a_forged_request_is_refused(caller: Caller, remote: Way, forge: Change) -> None:
    """The requester's own signature over the carried bytes, or nothing."""
    ended = await caller.ask(request_of(remote), forge)

    require_refused(ended, NodeReason.REQUESTER_REFUSED, signed=True)


async def test_a_request_the_gateway_signed_itself_is_refused(caller: Caller, remote: Way) -> None:
    """A gateway that asks about somebody on its own account speaks for no requester."""
    request = request_of(remote)
    kind = payload_type_of(exchange_pb2.ExchangeStatement)
    own = dataclasses.replace(request, message=wrapped(request.payload, kind, caller.signer))

    require_refused(await caller.ask(own), NodeReason.REQUESTER_REFUSED, signed=True)


async def test_another_subject_than_signed_is_refused(caller: Caller, remote: Way) -> None:
    """The subject stands in the requester's bytes alone: another one breaks the signature."""
    other = person("ordinary_graduate").id_number

    def exchange_subject(query: provider_pb2.Query) -> None:
        payload = exchange_pb2.ExchangeStatement.FromString(query.request_envelope.payload)
        payload.subject.identifier = other
        query.request_envelope.payload = payload.SerializeToString(deterministic=True)

    ended = await caller.ask(request_of(remote), exchange_subject)

    require_refused(ended, NodeReason.REQUESTER_REFUSED, signed=True)


async def test_another_subject_than_the_officer_asks_about_is_refused(
    caller: Caller, remote: Way
) -> None:
    """The requester's system cannot lend one officer's question to another person's data."""
    other = person("ordinary_graduate")

    def exchange_subject(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.subject.identifier = other.id_number
        statement.subject.full_name = other.full_name

    request = _resigned(remote, request_of(remote), exchange_subject)

    require_refused(await caller.ask(request), NodeReason.OFFICER_REFUSED, signed=True)


def _asserted_at(way: Way, request: SignedRequest, ago_ms: int, thumbprint: bytes) -> str:
    """Return the officer's assertion for a request, as it was issued some time ago."""
    question, now_ms = core_question(way.retirement), way.gateway.clock.now_ms()
    subject = question.subject
    return officer_of(way.retirement).issue(
        AssertionContext(
            request_id=request.request_id,
            system_id=way.retirement.system_id,
            gateway_id=way.retirement.gateway_id,
            tls_thumbprint=thumbprint,
            subject_digest=subject_digest(request.request_id, subject.type, subject.identifier),
            purpose=question.purpose,
            queries=(question.query,),
            now_ms=now_ms - ago_ms,
        )
    )


@pytest.mark.parametrize("what", ["expired", "of another channel"])
async def test_an_officer_who_is_not_proven_is_refused(
    caller: Caller, remote: Way, what: str
) -> None:
    """Expired, or bound to a certificate the requester has not registered."""
    request = request_of(remote)
    thumbprint = remote.retirement.tls.thumbprint if what == "expired" else bytes(32)
    assertion = _asserted_at(remote, request, 400_000 if what == "expired" else 0, thumbprint)

    def exchange_assertion(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.purpose.officer_assertion = assertion

    ended = await caller.ask(_resigned(remote, request, exchange_assertion))

    require_refused(ended, NodeReason.OFFICER_REFUSED, signed=True)


async def test_an_officer_of_the_same_assertion_is_believed(caller: Caller, remote: Way) -> None:
    """The helper above makes good assertions too, so it is the age that is refused."""
    request = request_of(remote)
    assertion = _asserted_at(remote, request, 0, remote.retirement.tls.thumbprint)

    def exchange_assertion(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.purpose.officer_assertion = assertion

    ended = await caller.ask(_resigned(remote, request, exchange_assertion))

    assert ended.outcome is not None


async def test_an_explanation_is_no_question(caller: Caller, remote: Way) -> None:
    """Explain takes the same statement, and its requester asked for no data."""
    asked = core_question(remote.retirement)
    request = build_explain(remote.retirement, asked, moment(remote.gateway.clock.now_ms()))

    require_refused(await caller.ask(request), NodeReason.REQUESTER_REFUSED, signed=True)


def _to_another_gateway(statement: exchange_pb2.ExchangeStatement) -> None:
    statement.header.receiver = "11370000MB2DEM0105/other"


def _long_ago(statement: exchange_pb2.ExchangeStatement) -> None:
    statement.header.issue_time.seconds -= 400
    statement.header.expire_time.seconds -= 400


def _for_years(statement: exchange_pb2.ExchangeStatement) -> None:
    statement.header.expire_time.seconds += 100_000


def _of_nobody(statement: exchange_pb2.ExchangeStatement) -> None:
    statement.header.sender = "11370000MB2DEM0105/nobody"


def _of_the_gateway(statement: exchange_pb2.ExchangeStatement) -> None:
    statement.header.sender = "11370000MB2DEM0105/gateway"


@pytest.mark.parametrize(
    "change", [_to_another_gateway, _long_ago, _for_years, _of_nobody, _of_the_gateway]
)
async def test_a_request_that_is_not_for_now_and_here_is_refused(
    caller: Caller,
    remote: Way,
    change: Callable[[exchange_pb2.ExchangeStatement], None],
) -> None:
    """Signed by its requester, and yet no question to this gateway today."""
    request = _resigned(remote, request_of(remote), change)

    require_refused(await caller.ask(request), NodeReason.REQUESTER_REFUSED, signed=True)


def _other_id(query: provider_pb2.Query) -> None:
    query.header.request_id = bytes(16)


def _other_dataset(query: provider_pb2.Query) -> None:
    query.dataset = "ps.person_verify@1"


def _other_item(query: provider_pb2.Query) -> None:
    query.item = 1


def _no_officer(query: provider_pb2.Query) -> None:
    query.officer_assertion = ""


@pytest.mark.parametrize("change", [_other_id, _other_dataset, _other_item, _no_officer])
async def test_what_the_requester_did_not_sign_is_refused(
    caller: Caller, remote: Way, change: Change
) -> None:
    """Id, dataset, item and officer are the requester's own, or the gateway has to explain."""
    ended = await caller.ask(request_of(remote), change)

    require_refused(ended, NodeReason.REQUEST_DIFFERS, signed=True)


async def test_a_question_is_executed_once(caller: Caller, remote: Way) -> None:
    """Neither the same bytes nor a new query make the requester's question a second one."""
    request = request_of(remote)
    message = caller.signed(caller.query(request))
    first = await caller.call(message)

    again = await caller.call(message)
    anew = await caller.ask(request, stamp_later)

    assert first.outcome is not None
    require_refused(again, NodeReason.REPLAYED, signed=True)
    require_refused(anew, NodeReason.REPLAYED, signed=True)


async def test_a_restart_makes_no_question_a_new_one(
    caller: Caller, remote: Way, node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was executed is forgotten; a new query around the old question is refused all the same.

    One that its requester signs after the start is answered.
    """
    clock = remote.gateway.clock
    request = request_of(remote)
    first = await caller.ask(request)
    await asyncio.sleep(0.01)
    monkeypatch.setattr(node.node, "judge", Judge(node.node.judge.holding, clock))

    again = await caller.ask(request, stamp_later)
    anew = await caller.ask(request_of(remote))

    assert first.outcome is not None
    require_refused(again, NodeReason.NOT_FRESH, signed=True)
    assert anew.outcome is not None


def stamp_later(query: provider_pb2.Query) -> None:
    """Make a query of the same request other bytes."""
    query.header.commitment_salt = bytes(32)


async def test_two_questions_at_once_are_executed_once(caller: Caller, remote: Way) -> None:
    """Whichever comes first: the department is asked once."""
    request = request_of(remote)
    queries = [caller.query(request), caller.query(request, stamp_later)]

    ended = await asyncio.gather(*(caller.call(caller.signed(each)) for each in queries))

    assert sorted(each.reason for each in ended) == ["", NodeReason.REPLAYED]


async def test_items_of_a_matter_are_told_apart(caller: Caller, remote: Way) -> None:
    """One request, several questions: each is executed once, and only its own."""
    identity = remote.retirement
    asked = matter_question(identity)
    request = build_matter(identity, asked, moment(remote.gateway.clock.now_ms()))
    statement = exchange_pb2.MatterStatement.FromString(request.payload)
    single = exchange_pb2.ExchangeStatement(
        header=statement.header, purpose=statement.purpose, query=statement.queries[0]
    )
    shown = dataclasses.replace(request, payload=single.SerializeToString(deterministic=True))

    first = await caller.ask(shown)
    other = await caller.ask(shown, _other_item)

    assert first.outcome is not None
    assert first.outcome.header.item == 0
    require_refused(other, NodeReason.REQUEST_DIFFERS, signed=True)


async def test_a_dataset_of_another_department_is_refused(caller: Caller, remote: Way) -> None:
    """A node answers for its own department."""
    request = request_of(remote, insured_question(remote.retirement))
    grants: Grants = {"first_date": CLEAR}

    ended = await caller.ask(request, lambda query: set_grants(query, grants))

    require_refused(ended, NodeReason.DATASET_NOT_SERVED, signed=True)


async def test_a_question_without_agreement_is_refused(caller: Caller, remote: Way) -> None:
    """A legal basis the agreement does not name, by the node's own copy."""
    question = core_question(remote.retirement)
    purpose = dataclasses.replace(question.purpose, legal_basis="没有这一条")
    request = request_of(remote, dataclasses.replace(question, purpose=purpose))

    require_refused(await caller.ask(request), NodeReason.AGREEMENT_NOT_APPLICABLE, signed=True)
