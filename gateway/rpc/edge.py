"""From gRPC callbacks to the core and back: one place for reading, deadlines, status and counting.

Every method, also the unary ones, is served as a stream on the wire: grpcio's own unary handler
waits for ever when a caller ends its stream without a message or stops inside one. Messages stay
raw bytes until the core parses them, so an unparsable body is answered by us and without internals.
"""

import asyncio
import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn, TypeAlias

import grpc
import structlog

from gateway.errors import Reason
from gateway.metrics import Metrics
from gateway.outcome import Answered, Outcome, Refused
from gateway.progress import Call, Peer
from gateway.rpc.status import CODES, DETAILS_KEY, status_details, status_message
from gateway.statement.wrapper import MAX_MESSAGE_BYTES, encode_response

FIRST_MESSAGE_S: Final = 8.0
"""How long a caller may take over its first message.

A broken call ends within 10 s (decisions.md).
"""
DEFAULT_DEADLINE_S: Final = 15.0
"""For callers that state none."""
LONGEST_DEADLINE_S: Final = 60.0
"""Nobody is waited for longer, whatever the caller states."""

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Core = Callable[[Call], Awaitable[Outcome]]
Respond = Callable[[Answered], bytes]

log: Final = structlog.get_logger("rpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One unary method: its full name, the payload type it takes, and who answers it."""

    name: str
    payload_type: str
    core: Core
    respond: Respond


def respond_with_envelope(answered: Answered) -> bytes:
    """Return the response message of every unary method but ExchangeMatter."""
    return encode_response(answered.envelope)


class Edge:
    """Serves methods over the core and counts what they end with."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def unary(self, method: Method) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Return the handler of one unary method."""

        async def serve(_messages: AsyncIterator[bytes], context: Context) -> bytes:
            return await self._serve_unary(method, context)

        return grpc.stream_unary_rpc_method_handler(serve)

    async def _serve_unary(self, method: Method, context: Context) -> bytes:
        started = time.monotonic()
        body = await read_message(context, FIRST_MESSAGE_S)
        if body is None:
            await self.refuse(
                method.name, started, Refused(reason=Reason.MESSAGE_MISSING, envelope=None), context
            )
        call = build_call(context, method.name, method.payload_type, body)
        outcome = await self.judge(method.core, call)
        if isinstance(outcome, Refused):
            await self.refuse(method.name, started, outcome, context)
        self.count(method.name, started, "answered", "")
        return method.respond(outcome)

    async def judge(self, core: Core, call: Call) -> Outcome:
        """Bound one message, then let the core judge it."""
        self._metrics.request_bytes.of(short_name(call.method)).observe(len(call.body))
        if len(call.body) > MAX_MESSAGE_BYTES:
            return Refused(reason=Reason.MESSAGE_TOO_LARGE, envelope=None)
        self._metrics.in_flight.inc()
        try:
            return await core(call)
        finally:
            self._metrics.in_flight.dec()

    def count(self, method: str, started: float, outcome: str, reason: str) -> None:
        """Count one outcome."""
        name = short_name(method)
        self._metrics.exchange_total.of(name, outcome, reason).inc()
        self._metrics.exchange_seconds.of(name).observe(time.monotonic() - started)

    async def refuse(
        self, method: str, started: float, refused: Refused, context: Context
    ) -> NoReturn:
        """Count and end a call with the status of its refusal."""
        self.count(method, started, "refused", refused.reason)
        details = ((DETAILS_KEY, status_details(refused)),)
        await context.abort(CODES[refused.reason], status_message(refused.reason), details)
        raise AssertionError  # abort always raises; the type stubs do not say so


async def read_message(context: Context, patience_s: float) -> bytes | None:
    """Return the next message, or None when the caller sends none in time or ends its stream."""
    try:
        async with asyncio.timeout(patience_s):
            message: object = await context.read()
    except TimeoutError:
        return None
    # The end of a stream is an object of grpcio's own and no bytes.
    return message if isinstance(message, bytes) else None


def build_call(context: Context, method: str, payload_type: str, body: bytes) -> Call:
    """Return one message with the identity of its channel and the time its caller waits until."""
    remaining: float | None = context.time_remaining()
    # The caller's own deadline may only shorten: a slow department must not hold a place for hours.
    patience = DEFAULT_DEADLINE_S if remaining is None else min(remaining, LONGEST_DEADLINE_S)
    return Call(
        method=method,
        payload_type=payload_type,
        body=body,
        peer=peer_of(context),
        deadline=time.monotonic() + patience,
    )


def peer_of(context: Context) -> Peer:
    """Return the channel's identity: the thumbprint of the leaf that TLS has proven."""
    chain = tuple(context.auth_context().get("x509_pem_cert", ()))
    address = context.peer().rpartition(":")[0]
    return Peer(leaf_thumbprint=_thumbprint(chain[0]) if chain else None, address=address)


# A connection shows the same PEM with every call: it is decoded once and not each time.
@lru_cache(maxsize=4096)
def _thumbprint(pem: bytes) -> bytes:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).digest()


def short_name(method: str) -> str:
    """Return `Exchange` of `/hutong.exchange.v1.ExchangeService/Exchange`."""
    return method.rpartition("/")[2]
