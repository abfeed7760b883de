"""Many questions over one call: bounded work under way, each outcome tied to its question.

A gateway ends a call that rests, because silence and half a message look the same to it; the next
question then opens another call.
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
REST_S: Final = 4.0
"""After so long without a message either way a call is left; gateways end it after 8 s."""
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
    """One stream: a writer task, the call it writes to, and the questions under way as sent."""

    __slots__ = (
        *("_call", "_connection", "_following", "_heard", "_patience_s", "_proving", "_questions"),
        *("_room", "_under_way", "ended"),
    )

    def __init__(
        self,
        connection: Connection,
        proving: Proving,
        questions: AsyncIterable[Question],
        patience_s: float,
    ) -> None:
        self._connection = connection
        self._proving = proving
        self._questions = questions
        self._patience_s = patience_s
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[bytes, _Sent] = {}
        self._call: StreamCall | None = None
        self._following: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when another call takes the place of this one."""
        self._heard = 0.0
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
            if self._call is not None and not self._call.done():
                await self._call.done_writing()

    async def read(self, writing: "asyncio.Future[None]") -> StreamOutcome | None:
        """Return the next outcome; None when all is answered or the call has ended."""
        while self._under_way or not writing.done():
            call, following = self._call, self._following
            try:
                message = await self._message(call, following, writing)
            except TimeoutError:
                self.ended = Fault(ClientReason.DEADLINE_EXCEEDED)
                return None
            except grpc.RpcError as error:
                self.ended = fault_of(error)
                message = None
            if isinstance(message, bytes):
                return self._outcome(message)
            if following.done():
                continue
            if self._under_way:
                return None
            # It ended at rest: nobody is owed anything, and the next question opens another.
            self._call = None
        return None

    def cancel(self) -> None:
        """End the call, whatever is still under way."""
        if self._call is not None:
            self._call.cancel()

    async def _message(
        self,
        call: "StreamCall | None",
        following: "asyncio.Future[None]",
        writing: "asyncio.Future[None]",
    ) -> object:
        """Return what a call says next; None when there is nothing to wait for any more.

        Raises:
            TimeoutError: the oldest question has waited for as long as it may.
            grpc.RpcError: the call broke.
        """
        reading: asyncio.Future[object] | None = None
        if call is not None:
            reading = asyncio.ensure_future(call.read())
        waited: set[asyncio.Future[object] | asyncio.Future[None]] = {following}
        waited |= set() if reading is None else {reading}
        try:
            while not any(each.done() for each in waited):
                if writing.done() and not self._under_way:
                    return None
                patience_s = self._patience()
                if patience_s <= 0:
                    raise TimeoutError
                unwritten = set() if writing.done() else {writing}
                await asyncio.wait(
                    waited | unwritten, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
                )
            return None if reading is None or not reading.done() else reading.result()
        finally:
            if reading is not None:
                reading.cancel()

    def leave(self) -> list[StreamOutcome]:
        """Return an outcome for every question that got none."""
        left = [self._close(sent, self.ended) for sent in self._under_way.values()]
        self._under_way.clear()
        return left

    async def _send(self, question: Question) -> None:
        moment = Moment(now_ms=self._proving.now_ms(), known_size=self._proving.log.size)
        request = build_stream_exchange(self._proving.identity, question, moment)
        now = time.monotonic()
        call = self._call
        if call is None or (not self._under_way and now - self._heard > REST_S):
            call = self._open()
        self._heard = now
        sent = _Sent(question=question, request=request, until=now + self._patience_s)
        self._under_way[request.request_id] = sent
        await call.write(request.message)

    def _open(self) -> StreamCall:
        """Let another call take the place of the one that rested, if there was one."""
        call = self._call = self._connection.open_stream(METHOD)
        left, self._following = self._following, asyncio.get_running_loop().create_future()
        # Whoever reads the call that is left stops reading, which ends it.
        left.set_result(None)
        return call

    def _patience(self) -> float:
        # A dict keeps the order of sending, so the first is the one that waited longest.
        oldest = next(iter(self._under_way.values()), None)
        return self._patience_s if oldest is None else oldest.until - time.monotonic()

    def _outcome(self, message: bytes) -> StreamOutcome:
        response = parse_wrapped(message, exchange_pb2.ExchangeStreamResponse, MAX_MESSAGE)
        sent = self._under_way.pop(response.request_id, None)
        if sent is None:
            raise Unproven(ClientReason.ANSWER_UNASKED)
        self._heard = time.monotonic()
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
    stream = _Stream(connection, proving, questions, patience_s)
    writing = asyncio.ensure_future(stream.write())
    try:
        while (outcome := await stream.read(writing)) is not None:
            yield outcome
    finally:
        stream.cancel()
        writing.cancel()
        await asyncio.wait([writing])
        failed = None if writing.cancelled() else writing.exception()
    for outcome in stream.leave():
        yield outcome
    # A broken call was told to each question; whatever the source raised is the caller's.
    if failed is not None and not isinstance(failed, grpc.RpcError | asyncio.InvalidStateError):
        raise failed
