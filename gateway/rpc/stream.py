"""ExchangeStream: many questions over one call, each judged by itself, answered in any order."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

import grpc

from gateway.errors import Reason
from gateway.outcome import Outcome, Refused
from gateway.rpc.edge import FIRST_MESSAGE_S, Context, Edge, Method, build_call, read_message
from gateway.rpc.status import code_number
from gateway.statement.wrapper import Notice, encode_stream_response

AT_ONCE: Final = 64
"""Questions of one stream under way at once; reading pauses beyond that, so the sender feels it."""
IDLE_S: Final = 8.0
"""A stream that is owed nothing and on which nothing is asked for this long is ended.

Half a message and lawful silence look the same here, and a broken call ends within 10 s
(decisions.md). Whoever has another question opens another stream.
"""


def stream_handler(edge: Edge, method: Method) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """Return the handler of ExchangeStream."""

    async def serve(_messages: AsyncIterator[bytes], context: Context) -> None:
        first = await read_message(context, FIRST_MESSAGE_S)
        if first is None:
            refused = Refused(reason=Reason.MESSAGE_MISSING, envelope=None)
            await edge.refuse(method.name, time.monotonic(), refused, context)
        await _Stream(edge, method, context).run(first)

    return grpc.stream_stream_rpc_method_handler(serve)


class _Stream:
    """One open stream: bounded work under way, one writer at a time."""

    __slots__ = ("_context", "_edge", "_method", "_owed", "_patience", "_room", "_writing")

    def __init__(self, edge: Edge, method: Method, context: Context) -> None:
        self._edge = edge
        self._method = method
        self._context = context
        self._room = asyncio.Semaphore(AT_ONCE)
        self._writing = asyncio.Lock()
        self._owed = 0
        self._patience: asyncio.Timeout | None = None

    async def run(self, first: bytes) -> None:
        """Answer until the sender ends its side or falls silent."""
        async with asyncio.TaskGroup() as group:
            body: bytes | None = first
            number = 0
            while body is not None:
                # Before reading on: HTTP/2 flow control then holds back the sender instead of our
                # memory.
                await self._room.acquire()
                self._owed += 1
                group.create_task(self._answer(number, body))
                number += 1
                body = await self._next()

    async def _next(self) -> bytes | None:
        """Return the next message, or None when the sender ends its side or falls silent."""
        try:
            async with asyncio.timeout(None) as self._patience:
                self._rest()
                message: object = await self._context.read()
        except TimeoutError:
            return None
        finally:
            self._patience = None
        return message if isinstance(message, bytes) else None

    def _rest(self) -> None:
        """Count silence from now on, unless an answer is owed: who waits for one may be silent."""
        if self._patience is None or self._patience.expired():
            return
        now = asyncio.get_running_loop().time()
        self._patience.reschedule(None if self._owed else now + IDLE_S)

    async def _answer(self, number: int, body: bytes) -> None:
        try:
            outcome = await self._judge(body)
            request_id = outcome.request_id or number.to_bytes(8, "big")
            message = encode_stream_response(request_id, _spelled(outcome))
            # grpcio wants one write at a time on a stream.
            async with self._writing:
                await self._context.write(message)
        finally:
            self._room.release()

    async def _judge(self, body: bytes) -> Outcome:
        started = time.monotonic()
        try:
            call = build_call(self._context, self._method.name, self._method.payload_type, body)
            outcome = await self._edge.judge(self._method.core, call)
        finally:
            # Before it is written: who does not read his answers is owed nothing more.
            self._owed -= 1
            self._rest()
        self._count(started, outcome)
        return outcome

    def _count(self, started: float, outcome: Outcome) -> None:
        if isinstance(outcome, Refused):
            self._edge.count(self._method.name, started, "refused", outcome.reason)
        else:
            self._edge.count(self._method.name, started, "answered", "")


def _spelled(outcome: Outcome) -> bytes | Notice:
    if isinstance(outcome, Refused):
        return Notice(
            reason=outcome.reason,
            code=code_number(outcome.reason),
            signed_refusal=outcome.envelope,
        )
    return outcome.envelope
