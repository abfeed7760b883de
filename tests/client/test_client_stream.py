"""A stream gives every question exactly one outcome, whatever ends it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from hutong.client import (
    Answered,
    Client,
    ClientReason,
    Fault,
    Question,
    QuestionRefused,
    StreamOutcome,
    Unproven,
)
from hutong.client.stream import AT_ONCE
from hutong.exchange.v1 import exchange_pb2
from tests.client.gateway_double import GatewayDouble

R = ClientReason


async def source(questions: list[Question]) -> AsyncIterator[Question]:
    """Give questions one after the other."""
    for question in questions:
        yield question


async def outcomes_of(client: Client, questions: list[Question]) -> list[StreamOutcome]:
    """Ask all of them over one stream."""
    return [each async for each in client.exchange_stream(source(questions))]


async def test_more_questions_than_fit_at_once_are_answered(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Reading pauses the source and loses nothing."""
    questions = [question] * (2 * AT_ONCE + 3)

    outcomes = await outcomes_of(client, questions)

    assert len({each.request_id for each in outcomes}) == len(questions) == len(double.seen)
    assert all(isinstance(each.outcome, Answered) for each in outcomes)


async def test_an_empty_stream_ends(client: Client) -> None:
    """No question, no outcome."""
    assert await outcomes_of(client, []) == []


async def test_one_lie_costs_its_own_question_only(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The second answer is forged: its question is told so, the others are answered."""

    def forge(response: exchange_pb2.ExchangeStreamResponse, number: int) -> None:
        if number == 2:
            response.answer.signatures[0].value = bytes(64)

    double.twists = {"stream": forge}

    outcomes = await outcomes_of(client, [question] * 3)

    assert [type(each.outcome) for each in outcomes] == [Answered, Unproven, Answered]
    assert isinstance(outcomes[1].outcome, Unproven)
    assert outcomes[1].outcome.reason is R.SIGNATURE_INVALID


async def test_answers_swapped_between_questions_are_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """An answer under another question's id is not taken for it."""
    answers: list[bytes] = []

    def swap(response: exchange_pb2.ExchangeStreamResponse, number: int) -> None:
        answers.append(response.answer.SerializeToString())
        if number == 2:
            response.answer.ParseFromString(answers[0])

    double.twists = {"stream": swap}

    outcomes = await outcomes_of(client, [question] * 2)

    assert isinstance(outcomes[1].outcome, Unproven)
    assert outcomes[1].outcome.reason is R.REQUEST_ID_MISMATCH


def _other_id(response: exchange_pb2.ExchangeStreamResponse, _number: int) -> None:
    response.request_id = bytes(16)


def _nothing(response: exchange_pb2.ExchangeStreamResponse, _number: int) -> None:
    response.ClearField("answer")


async def test_an_answer_nobody_asked_for_ends_the_stream(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A request id that is not under way means that the other side is lost."""
    double.twists = {"stream": _other_id}

    with pytest.raises(Unproven) as told:
        await outcomes_of(client, [question])

    assert told.value.reason is R.ANSWER_UNASKED


async def test_an_outcome_without_content_is_unproven(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Neither answer nor refusal is no answer."""
    double.twists = {"stream": _nothing}

    (outcome,) = await outcomes_of(client, [question])

    assert isinstance(outcome.outcome, Unproven)
    assert outcome.outcome.reason is R.ENVELOPE_MALFORMED


ENDS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "all": lambda _held: [],
    "but the first": lambda held: held[:1],
}


@pytest.mark.parametrize("what", ENDS)
async def test_questions_left_without_answer_are_told(
    what: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """A stream that ends early leaves no question without outcome."""
    double.stream_order = ENDS[what]

    outcomes = await outcomes_of(client, [question] * 3)

    faults = [each.outcome for each in outcomes if isinstance(each.outcome, Fault)]
    assert len(outcomes) == 3
    assert len(faults) == 3 - len(ENDS[what]([b"", b"", b""]))
    assert {each.reason for each in faults} == {R.ANSWER_MISSING}


async def test_a_stream_that_hangs_is_left(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Each question waits for its own patience and no longer."""
    double.hangs = True
    client._settings = dataclasses.replace(client._settings, stream_patience_s=0.2)

    outcomes = await asyncio.wait_for(outcomes_of(client, [question] * 2), 5)

    assert [type(each.outcome) for each in outcomes] == [Fault, Fault]
    assert isinstance(outcomes[0].outcome, Fault)
    assert outcomes[0].outcome.reason is R.DEADLINE_EXCEEDED


async def test_a_stream_that_breaks_is_told_to_each_question(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Whatever was under way gets a fault, and nothing else."""
    double.stream_ends = True

    outcomes = await outcomes_of(client, [question] * 3)

    # The library writes INTERNAL over the status when a write loses the race against the end.
    faults = [each.outcome for each in outcomes if isinstance(each.outcome, Fault)]
    assert faults
    assert len(faults) == len(outcomes)
    assert {each.reason for each in faults} <= {R.UNAVAILABLE, R.CALL_FAILED}


async def test_a_slow_source_is_waited_for(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Patience is for answers: a source may take its time between questions."""
    client._settings = dataclasses.replace(client._settings, stream_patience_s=0.2)

    async def slow() -> AsyncIterator[Question]:
        yield question
        await asyncio.sleep(0.5)
        yield question

    outcomes = [each async for each in client.exchange_stream(slow())]

    assert [type(each.outcome) for each in outcomes] == [Answered, Answered]
    assert len(double.seen) == 2


async def slowly(question: Question, pause_s: float) -> AsyncIterator[Question]:
    """Give a question twice, with a rest before each."""
    for _ in range(2):
        await asyncio.sleep(pause_s)
        yield question


async def test_a_call_that_rested_is_left_for_another(
    client: Client, question: Question, double: GatewayDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway would end it soon: a question is not sent into a call that may be ending."""
    monkeypatch.setattr("hutong.client.stream.REST_S", 0.1)

    outcomes = [each async for each in client.exchange_stream(slowly(question, 0.3))]

    assert [type(each.outcome) for each in outcomes] == [Answered, Answered]
    assert double.streams == 2


@pytest.mark.parametrize("status", [grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE])
async def test_a_call_that_ended_at_rest_loses_no_question(
    status: grpc.StatusCode, client: Client, question: Question, double: GatewayDouble
) -> None:
    """Whatever ended it, nobody was owed anything: the next question opens another call."""
    double.stream_rests = status

    outcomes = [each async for each in client.exchange_stream(slowly(question, 0.2))]

    assert [type(each.outcome) for each in outcomes] == [Answered, Answered]
    assert double.streams == 2


async def test_no_call_is_opened_before_there_is_a_question(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A gateway ends a call that says nothing; a source may think as long as it likes."""
    stream = client.exchange_stream(slowly(question, 0.3))
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.2)

    opened = double.streams
    outcome = await first
    await stream.aclose()

    assert opened == 0
    assert isinstance(outcome.outcome, Answered)


async def test_an_error_of_the_source_reaches_the_caller(
    client: Client, question: Question
) -> None:
    """What was asked before it is answered first."""

    async def broken() -> AsyncIterator[Question]:
        yield question
        raise QuestionRefused(R.FIELDS_INVALID)

    stream = client.exchange_stream(broken())

    answered = await anext(stream)
    with pytest.raises(QuestionRefused):
        await anext(stream)

    assert isinstance(answered.outcome, Answered)


async def test_a_stream_can_be_left_early(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Closing the iterator ends the call and leaves no task behind."""
    stream = client.exchange_stream(source([question] * 5))

    await anext(stream)
    await stream.aclose()

    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if "_Stream" in repr(task.get_coro())]
    assert double.seen
