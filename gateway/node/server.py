"""The gRPC face of a provider node, and its health port.

The one method is served as a stream, like the gateway's (docs/adr/0009): grpcio's own unary handler
waits for ever when a caller stops inside its message.
"""

import time
from collections.abc import AsyncIterator
from typing import Final, NoReturn

import grpc
from aiohttp import web
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, LocalizedMessage
from google.rpc.status_pb2 import Status

from adapters.provider_node.reasons import TEXTS, NodeReason
from adapters.provider_node.wire import DOMAIN, METHOD
from gateway.node.metrics import NodeMetrics
from gateway.node.serving import Incoming, Node
from gateway.rpc.edge import (
    DEFAULT_DEADLINE_S,
    FIRST_MESSAGE_S,
    LONGEST_DEADLINE_S,
    Context,
    peer_of,
    read_message,
)
from gateway.rpc.health import Health
from gateway.rpc.server import Handlers
from gateway.rpc.status import DETAILS_KEY

_C = grpc.StatusCode
_CODES: Final = {
    NodeReason.MESSAGE_INVALID: _C.INVALID_ARGUMENT,
    NodeReason.NODE_BUSY: _C.UNAVAILABLE,
    NodeReason.CHANNEL_REFUSED: _C.UNAUTHENTICATED,
    NodeReason.ENVELOPE_REFUSED: _C.UNAUTHENTICATED,
    NodeReason.QUERY_MALFORMED: _C.INVALID_ARGUMENT,
    NodeReason.BINDING_WRONG: _C.PERMISSION_DENIED,
    NodeReason.NOT_FRESH: _C.FAILED_PRECONDITION,
    NodeReason.TRUST_UNAVAILABLE: _C.UNAVAILABLE,
    NodeReason.INTERNAL: _C.INTERNAL,
}
"""Of the reasons that come before it is known which query is refused; the others are signed."""


def build_node_handlers(node: Node) -> Handlers:
    """Return the node's one method by full name."""

    async def serve(_messages: AsyncIterator[bytes], context: Context) -> bytes:
        body = await read_message(context, FIRST_MESSAGE_S)
        remaining: float | None = context.time_remaining()
        patience = DEFAULT_DEADLINE_S if remaining is None else min(remaining, LONGEST_DEADLINE_S)
        incoming = Incoming(
            body=body or b"",
            thumbprint=peer_of(context).leaf_thumbprint,
            deadline=time.monotonic() + patience,
        )
        ended = await node.answer(incoming)
        if isinstance(ended, NodeReason):
            await _refuse(context, ended)
        return ended

    return {METHOD: grpc.stream_unary_rpc_method_handler(serve)}


async def _refuse(context: Context, reason: NodeReason) -> NoReturn:
    text, code = TEXTS[reason], _CODES.get(reason, _C.INTERNAL)
    number: int = code.value[0]
    status = Status(code=number, message=f"{reason}: {text.en}")
    _pack(status, ErrorInfo(reason=reason, domain=DOMAIN, metadata={"side": text.side}))
    _pack(status, LocalizedMessage(locale="zh-CN", message=text.zh))
    _pack(status, LocalizedMessage(locale="en", message=text.en))
    details: bytes = status.SerializeToString()
    await context.abort(code, status.message, ((DETAILS_KEY, details),))
    raise AssertionError  # abort always raises; the type stubs do not say so


def _pack(status: Status, detail: Message) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)


def build_node_health(health: Health, metrics: NodeMetrics) -> web.Application:
    """Return the HTTP application of the health port: `/healthz`, `/readyz`, `/metrics`."""

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_request: web.Request) -> web.Response:
        is_ready, parts = await health.report()
        status = 200 if is_ready else 503
        return web.json_response({"ready": is_ready, "parts": parts}, status=status)

    async def exposition(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", exposition)
    return app
