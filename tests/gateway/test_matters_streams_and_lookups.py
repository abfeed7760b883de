"""Over the wire: matters, streams, pending results, explanations, lists, receipts and proofs."""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import grpc
import pytest

from adapters.port import DatasetName, ProviderAdapter
from adapters.simulators.population import Population, education_record
from gateway.app import Gateway
from gateway.errors import Reason
from gateway.rpc.services import CATALOG, LOG
from hutong.accesslog.v1 import accesslog_pb2
from hutong.client import (
    Answered,
    AnswerState,
    Client,
    Effect,
    FieldOutcome,
    Finding,
    Identity,
    IndeterminateReason,
    Question,
    Refused,
)
from hutong.client.clock import system_clock
from hutong.client.requests import (
    build_matter,
    build_result,
    build_stream_exchange,
)
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import (
    core_question,
    deceased_question,
    diploma_question,
    insured_question,
    matter_question,
    moment,
    retold,
)
from tests.gateway.conftest import POPULATION
from tests.gateway.core import Core
from tests.gateway.provoked import note, require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _each(questions: list[Question]) -> AsyncIterator[Question]:
    for question in questions:
        yield question


@contextmanager
def _without(gateway: Gateway, dataset: str) -> Iterator[None]:
    """Disconnect one department for a while."""
    adapters = gateway.exchange._parts.adapters
    assert isinstance(adapters, dict)
    held: ProviderAdapter = adapters.pop(DatasetName(dataset))
    try:
        yield
    finally:
        adapters[DatasetName(dataset)] = held


async def test_three_departments_answer_one_matter(client: Client) -> None:
    """Items come in the order asked, each with its own proven answer and receipt."""
    question = matter_question(client.identity, "ordinary_graduate")

    outcomes = await client.exchange_matter(question)

    assert all(isinstance(each, Answered) for each in outcomes)
    answers = [each for each in outcomes if isinstance(each, Answered)]
    assert [each.dataset for each in answers] == [each.dataset for each in question.queries]
    assert len({each.receipt.index for each in answers}) == len(answers)


async def test_one_silent_department_costs_its_own_item(client: Client, gateway: Gateway) -> None:
    """A matter is told in part: what is not connected is said to be, the rest is answered."""
    with _without(gateway, "edu.diploma@1"):
        outcomes = await client.exchange_matter(matter_question(client.identity))

    states = [each.state for each in outcomes if isinstance(each, Answered)]
    assert states.count(AnswerState.INDETERMINATE) == 1
    third = outcomes[2]
    assert isinstance(third, Answered)
    assert third.indeterminate_reason is IndeterminateReason.PROVIDER_NOT_CONNECTED


async def test_one_refused_item_ends_nothing(client: Client) -> None:
    """A query under another system's agreement is refused with a receipt; the rest is answered."""
    question = matter_question(client.identity, "ordinary_employee")
    foreign = dataclasses.replace(question.queries[1], agreement="XY-2026-503")
    queries = (question.queries[0], foreign, *question.queries[2:])

    outcomes = await client.exchange_matter(dataclasses.replace(question, queries=queries))

    assert [type(each) for each in outcomes] == [Answered, Refused, Answered, Answered]
    refused = outcomes[1]
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.AGREEMENT_NOT_APPLICABLE
    assert refused.receipt is not None


async def test_a_matter_as_a_whole_is_refused_at_its_statement(
    core: Core, retirement: Identity
) -> None:
    """One dataset twice under one agreement is refused before anything is decided."""
    request = build_matter(retirement, matter_question(retirement), moment(core.now_ms))

    def twice(statement: exchange_pb2.MatterStatement) -> None:
        statement.queries.append(statement.queries[0])

    outcome = await core.ask_matter(
        retirement, retold(retirement, request, exchange_pb2.MatterStatement, twice)
    )

    require_refused(outcome, Reason.QUERY_INVALID)
    assert core.events == ["refuse"]


async def test_a_stream_ties_each_outcome_to_its_question(client: Client) -> None:
    """Many questions, several of them refused: as many outcomes, each with its own question."""
    identity = client.identity
    good = [insured_question(identity, who) for who in ("ordinary_graduate", "sole_trader")]
    bad = dataclasses.replace(good[0], agreement="XY-2099-001")
    questions = [good[0], bad, good[1], dataclasses.replace(bad, agreement="XY-2099-002")]

    outcomes = [each async for each in client.exchange_stream(_each(questions))]

    assert len(outcomes) == len(questions)
    for each in outcomes:
        if each.question in good:
            assert isinstance(each.outcome, Answered)
            assert each.outcome.agreement == each.question.agreement
        else:
            assert isinstance(each.outcome, Refused)
            assert each.outcome.reason == Reason.AGREEMENT_NOT_APPLICABLE
            assert each.outcome.receipt is not None


async def test_nonsense_in_a_stream_is_numbered_and_ends_nothing(
    client: Client, retirement: Identity
) -> None:
    """A message whose request id cannot be read is answered under its number in the stream."""
    good = build_stream_exchange(retirement, insured_question(retirement), moment(system_clock()))
    call = client._connection.open_stream("/hutong.exchange.v1.ExchangeService/ExchangeStream")
    for message in (b"\xff", good.message, b""):
        await call.write(message)
    await call.done_writing()

    received = {}
    while isinstance(answer := await call.read(), bytes):
        response = exchange_pb2.ExchangeStreamResponse.FromString(answer)
        received[response.request_id] = response

    assert set(received) == {(0).to_bytes(8, "big"), (2).to_bytes(8, "big"), good.request_id}
    assert received[(0).to_bytes(8, "big")].refusal.reason == Reason.ENVELOPE_MALFORMED
    assert received[good.request_id].HasField("answer")


async def test_an_old_diploma_is_pending_and_told_later(client: Client) -> None:
    """A certificate before 2002 takes the department longer: PENDING, then GetResult tells it."""
    question = diploma_question(client.identity, "diploma_before_2002")
    first = await client.exchange(question, timeout_s=1.5)

    later = await client.get_result(first.request_id, question)

    assert first.indeterminate_reason is IndeterminateReason.PENDING
    assert first.retry_after_s
    assert later.state is AnswerState.ANSWERED
    assert later.receipt.index > first.receipt.index


async def test_a_verification_code_opens_its_diploma(client: Client) -> None:
    """Claimed instead of a number, twice in one case: each answer has a receipt of its own."""
    question = diploma_question(client.identity, "ordinary_graduate")
    holder = Population(seed=1, size=POPULATION).find(question.subject.identifier)[0]
    diploma = education_record(holder).diploma
    assert diploma is not None
    asked = dataclasses.replace(question, claims={"verification_code": diploma.code})

    first, second = [await client.exchange(asked) for _ in range(2)]

    for answer in (first, second):
        assert answer.field_named("verified").finding is Finding.YES
        assert answer.field_named("certificate_no").value == diploma.certificate_no
    assert second.receipt.index > first.receipt.index


async def test_a_pending_result_is_judged_anew(core: Core, retirement: Identity) -> None:
    """GetResult is a whole question: without a case it is refused, and nobody is asked."""
    question = core_question(retirement)
    purpose = dataclasses.replace(question.purpose, case_number="NO-SUCH-CASE")
    request = build_result(
        retirement,
        dataclasses.replace(question, purpose=purpose),
        moment(core.now_ms),
        bytes(16),
    )

    require_refused(await core.ask_result(retirement, request), Reason.NOTHING_GRANTED)

    assert core.events == ["refuse"]


async def test_the_real_register_answers_with_the_agreed_effects(client: Client) -> None:
    """The name comes masked, the address as a county, and both are signed by their source."""
    answer = await client.exchange(core_question(client.identity, "ordinary_employee"))

    assert answer.field_named("full_name").value == "赵**"
    assert answer.field_named("full_name").effect is Effect.MASK
    assert answer.field_named("sex").outcome is FieldOutcome.VALUE


async def test_the_system_job_gets_a_finding_only(job_client: Client) -> None:
    """M1 learns yes or no and nothing else."""
    answer = await job_client.exchange(deceased_question("dead_in_ps_alive_in_ca"))

    assert answer.field_named("deceased").finding is Finding.YES
    assert answer.field_named("deceased").value is None


async def test_proofs_and_checkpoints_fit_together(client: Client) -> None:
    """A later checkpoint extends an earlier one, and every entry can be proven in it."""
    first = await client.get_checkpoint()
    answer = await client.exchange(insured_question(client.identity, "student_enrolled"))
    second = await client.get_checkpoint()

    proof = await client.get_inclusion_proof(answer.receipt.index)
    hashes = await client.get_consistency_proof(first.head)

    assert second.head.size > first.head.size
    assert proof.tree == second.head
    assert hashes


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("GetInclusionProof", accesslog_pb2.GetInclusionProofRequest(index=5, tree_size=5)),
        ("GetInclusionProof", accesslog_pb2.GetInclusionProofRequest(index=0, tree_size=1 << 40)),
        ("GetInclusionProof", accesslog_pb2.GetInclusionProofRequest()),
        (
            "GetConsistencyProof",
            accesslog_pb2.GetConsistencyProofRequest(first_size=3, second_size=2),
        ),
        ("GetConsistencyProof", accesslog_pb2.GetConsistencyProofRequest(second_size=2)),
        (
            "GetConsistencyProof",
            accesslog_pb2.GetConsistencyProofRequest(first_size=1, second_size=1 << 40),
        ),
    ],
)
async def test_a_proof_out_of_range_is_refused(
    client: Client, method: str, message: "accesslog_pb2.GetInclusionProofRequest"
) -> None:
    """Sizes and indices outside of the log have a reason of their own."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client._connection.call(LOG + method, message.SerializeToString(), 5.0)

    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert Reason.RANGE_INVALID in (caught.value.details() or "")
    note(Reason.RANGE_INVALID)


async def test_a_proof_request_out_of_form_is_refused(client: Client) -> None:
    """Unsigned requests have one spelling as well."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client._connection.call(LOG + "GetInclusionProof", b"\x08\x80\x00", 5.0)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_receipt_in_the_catalogs_name_is_no_method(client: Client) -> None:
    """What the contract does not name is not there."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client._connection.call(CATALOG + "GetReceipt", b"", 5.0)

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
