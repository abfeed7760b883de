"""Serves a gateway double on loopback with mutual TLS, raw bytes in and out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status
from typing_extensions import override

from hutong.accesslog.v1 import accesslog_pb2
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from tests.client.gateway_double import EXCHANGE, GatewayDouble, Incoming

if TYPE_CHECKING:
    from google.protobuf.message import Message

CODES = {
    "GATEWAY_BUSY": grpc.StatusCode.UNAVAILABLE,
    "LOG_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "REPLAYED": grpc.StatusCode.ALREADY_EXISTS,
}
UNSIGNED = {
    "ListDatasets",
    "ListDepartments",
    "GetCheckpoint",
    "GetInclusionProof",
    "GetConsistencyProof",
}


class Ended(Exception):
    """A scripted end of a call."""

    def __init__(self, code: grpc.StatusCode, details: bytes = b"") -> None:
        """Keep the code and the `grpc-status-details-bin`."""
        super().__init__(code)
        self.code = code
        self.details = details


def refused(
    reason: str,
    *,
    signed: bool = True,
    receipt: bool = True,
    retry_after_s: float | None = None,
    outer: str | None = None,
) -> Callable[[GatewayDouble, Incoming], object]:
    """Script a refusal, spelled as a gateway ends a unary call."""

    def end(double: GatewayDouble, incoming: Incoming) -> object:
        code = CODES.get(reason, grpc.StatusCode.PERMISSION_DENIED)
        status = Status(code=code.value[0], message="")
        info = ErrorInfo(reason=outer or reason, domain="hutong", metadata={"side": "requester"})
        details: list[Message] = [info, LocalizedMessage(locale="zh-CN", message="不予提供。")]
        details.append(LocalizedMessage(locale="en", message="Not provided."))
        if retry_after_s is not None:
            retry = RetryInfo()
            retry.retry_delay.FromMilliseconds(round(retry_after_s * 1000))
            details.append(retry)
        if signed:
            proof = double.refusal(incoming, reason, receipt=receipt)
            details.append(envelope_pb2.SignedEnvelope.FromString(proof))
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        raise Ended(code, status.SerializeToString())

    return end


def ended(code: grpc.StatusCode) -> Callable[[GatewayDouble, Incoming], object]:
    """Script a plain gRPC status, as a proxy or a broken connection gives."""

    def end(_double: GatewayDouble, _incoming: Incoming) -> object:
        raise Ended(code)

    return end


def trailing(details: bytes) -> Callable[[GatewayDouble, Incoming], object]:
    """Script a status with foreign details."""

    def end(_double: GatewayDouble, _incoming: Incoming) -> object:
        raise Ended(grpc.StatusCode.PERMISSION_DENIED, details)

    return end


class _Service(grpc.GenericRpcHandler):
    """Hands raw bytes to the double."""

    def __init__(self, double: GatewayDouble) -> None:
        self.double = double

    @override
    def service(
        self, details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Return the handler of a method."""
        method = str(details.method)
        if method.endswith("/ExchangeStream"):
            return grpc.stream_stream_rpc_method_handler(self._stream)

        async def unary(message: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
            if self.double.hangs:
                await asyncio.sleep(30)
            if method.rpartition("/")[2] in UNSIGNED:
                return self.double.look_up(method, message)
            try:
                return self.double.response(incoming_of(method, message))
            except Ended as end:
                trailers = (("grpc-status-details-bin", end.details),) if end.details else ()
                await context.abort(end.code, "", trailers)
                raise

        return grpc.unary_unary_rpc_method_handler(unary)

    async def _stream(
        self,
        messages: AsyncIterator[bytes],
        context: "grpc.aio.ServicerContext[bytes, bytes]",
    ) -> None:
        method = f"{EXCHANGE}/ExchangeStream"
        held: list[bytes] = []
        self.double.streams += 1
        async for message in messages:
            if self.double.hangs:
                continue
            incoming = incoming_of(method, message)
            if self.double.stream_ends:
                await context.abort(grpc.StatusCode.UNAVAILABLE)
            response = self._stream_response(incoming)
            if self.double.stream_order is None:
                await context.write(response)
            else:
                held.append(response)
            if await self._rested(context):
                return
        await self._end_stream(held, context)

    async def _rested(self, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bool:
        """End the stream as the double was told to; say whether it is over."""
        status = self.double.stream_rests
        if status is not None and status is not grpc.StatusCode.OK:
            await context.abort(status)
        return status is not None

    async def _end_stream(
        self, held: list[bytes], context: "grpc.aio.ServicerContext[bytes, bytes]"
    ) -> None:
        if self.double.hangs:
            await asyncio.sleep(30)
        if self.double.stream_order is not None:
            for response in self.double.stream_order(held):
                await context.write(response)

    def _stream_response(self, incoming: Incoming) -> bytes:
        double = self.double
        double.seen.append(incoming)
        response = exchange_pb2.ExchangeStreamResponse(request_id=incoming.header.request_id)
        query = incoming.query
        if query.agreement == "A-REFUSED":
            response.refusal.CopyFrom(double.notice(incoming, "NOTHING_GRANTED"))
        else:
            response.answer.ParseFromString(double.answer(incoming, query))
        double.twist("stream", response, len(double.seen))
        return response.SerializeToString(deterministic=True)


def incoming_of(method: str, message: bytes) -> Incoming:
    """Read a request; query and queries stand under one number in the contract."""
    payload = exchange_pb2.ExchangeRequest.FromString(message).envelope.payload
    if method.endswith("/GetReceipt"):
        lookup = accesslog_pb2.ReceiptStatement.FromString(payload)
        return Incoming(
            method=method,
            payload=payload,
            statement=exchange_pb2.MatterStatement(header=lookup.header),
            wanted=lookup.receipt_request_id,
        )
    statement = exchange_pb2.MatterStatement.FromString(payload)
    return Incoming(method=method, payload=payload, statement=statement)


async def serve(double: GatewayDouble) -> tuple[grpc.aio.Server, int]:
    """Start a double on loopback with mutual TLS; return the server and its port."""
    world = double.world
    server = grpc.aio.server(handlers=[_Service(double)])
    credentials = grpc.ssl_server_credentials(
        [(world.server_key, world.server_chain)],
        root_certificates=world.authority_pem,
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    return server, port
