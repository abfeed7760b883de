"""Many questions over one call: bounded work under way, each outcome tied to its question.

INVARIANT: every question taken from the source gets exactly one outcome, whatever ends the call.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from typing import Final

import grpc

from hutong.client.answers import Answered
from hutong.client.channel import Connection, StreamCall
from hutong.client.content import build_answered
from hutong.client.errors import Fault, Refused, Unproven
from hutong.client.proof import (
    ASK_KINDS,
    MAX_MESSAGE,
    Proving,
    Wanted,
    parse_wrapped,
    verify_answer,
)
from hutong.client.questions import Question
from hutong.client.reasons import ClientReason
from hutong.client.refusals import fault_of, refusal_of_notice
from hutong.client.requests import Moment, SignedRequest, build_stream_exchange
from hutong.exchange.v1 import exchange_pb2

AT_ONCE: Final = 64
"""Questions under way at once: as many as the gateway takes of one stream."""
METHOD: Final = "/hutong.exchange.v1.ExchangeService/ExchangeStream"

Outcome = Answered | Refused | Fault | Unproven


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOutcome:
    """What became of one question of a stream; errors stand here as values."""

    question: Question = field(repr=False)
    request_id: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A question under way."""

    question: Question
    request: SignedRequest
    until: float
    """`time.monotonic()` after which nobody waits for it."""


class _Stream:
    """One open stream: a writer task, and the questions under way in the order sent."""

    __slots__ = ("_call", "_patience_s", "_proving", "_questions", "_room", "_under_way", "ended")

    def __init__(
        self,
        call: StreamCall,
        proving: Proving,
        questions: AsyncIterable[Question],
        patience_s: float,
    ) -> None:
        self._call = call
        self._proving = proving
        self._questions = questions
        self._patience_s = patience_s
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[bytes, _Sent] = {}
        self.ended = Fault(ClientReason.ANSWER_MISSING)

    async def write(self) -> None:
        """Sign and send every question of the source, then end our side."""
        try:
            questions = aiter(self._questions)
            while True:
                # Room first: a question that is taken is under way.
                await self._room.acquire()
                question = await anext(questions, None)
                if question is None:
                    break
                await self._send(question)
        finally:
            # Also when the source raised: what was asked before it still gets its answer.
            if not self._call.done():
                await self._call.done_writing()

    async def read(self, writing: "asyncio.Future[None]") -> StreamOutcome | None:
        """Return the next outcome; None when all is answered or the call has ended."""
        reading: asyncio.Future[object] = asyncio.ensure_future(self._call.read())
        try:
            while not reading.done():
                patience_s = self._patience()
                if (writing.done() and not self._under_way) or patience_s <= 0:
                    self.ended = Fault(ClientReason.DEADLINE_EXCEEDED)
                    return None
                waited: set[asyncio.Future[object] | asyncio.Future[None]] = {reading}
                waited |= set() if writing.done() else {writing}
                await asyncio.wait(waited, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            message = reading.result()
        except grpc.RpcError as error:
            self.ended = fault_of(error)
            return None
        finally:
            reading.cancel()
        return self._outcome(message) if isinstance(message, bytes) else None

    def leave(self) -> list[StreamOutcome]:
        """Return an outcome for every question that got none."""
        left = [self._close(sent, self.ended) for sent in self._under_way.values()]
        self._under_way.clear()
        return left

    async def _send(self, question: Question) -> None:
        moment = Moment(now_ms=self._proving.now_ms(), known_size=self._proving.log.size)
        request = build_stream_exchange(self._proving.identity, question, moment)
        until = time.monotonic() + self._patience_s
        sent = _Sent(question=question, request=request, until=until)
        self._under_way[request.request_id] = sent
        await self._call.write(request.message)

    def _patience(self) -> float:
        # A dict keeps the order of sending, so the first is the one that waited longest.
        oldest = next(iter(self._under_way.values()), None)
        return self._patience_s if oldest is None else oldest.until - time.monotonic()

    def _outcome(self, message: bytes) -> StreamOutcome:
        response = parse_wrapped(message, exchange_pb2.ExchangeStreamResponse, MAX_MESSAGE)
        sent = self._under_way.pop(response.request_id, None)
        if sent is None:
            raise Unproven(ClientReason.ANSWER_UNASKED)
        # Room is given back by an answer only, so memory stays bounded by what is under way.
        self._room.release()
        try:
            return self._close(sent, self._proven(sent.request, response))
        except Unproven as unproven:
            return self._close(sent, unproven)

    def _proven(
        self, request: SignedRequest, response: exchange_pb2.ExchangeStreamResponse
    ) -> Answered | Refused:
        if response.HasField("refusal"):
            return refusal_of_notice(self._proving, request, response.refusal, 0)
        wanted = Wanted(body_class=exchange_pb2.AnswerBody, kinds=ASK_KINDS)
        proven = verify_answer(self._proving, request, response.answer, wanted)
        return build_answered(self._proving, request, 0, proven)

    def _close(self, sent: _Sent, outcome: Outcome) -> StreamOutcome:
        return StreamOutcome(
            question=sent.question, request_id=sent.request.request_id, outcome=outcome
        )


async def exchange_stream(
    connection: Connection,
    proving: Proving,
    questions: AsyncIterable[Question],
    patience_s: float,
) -> AsyncGenerator[StreamOutcome, None]:
    """Yield one outcome per question, in the order they come back.

    Raises:
        Unproven: ANSWER_UNASKED or RESPONSE_MALFORMED, when a message answers no question of ours.
        QuestionRefused: a question of the source cannot be sent.
    """
    call = connection.open_stream(METHOD)
    stream = _Stream(call, proving, questions, patience_s)
    writing = asyncio.ensure_future(stream.write())
    try:
        while (outcome := await stream.read(writing)) is not None:
            yield outcome
    finally:
        call.cancel()
        writing.cancel()
        await asyncio.wait([writing])
        failed = None if writing.cancelled() else writing.exception()
    for outcome in stream.leave():
        yield outcome
    # A broken call was told to each question; whatever the source raised is the caller's.
    if failed is not None and not isinstance(failed, grpc.RpcError | asyncio.InvalidStateError):
        raise failed
