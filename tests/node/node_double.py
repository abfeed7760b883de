"""A node made of bytes: the real one's TLS and keys, and whatever answer a test asks it to give."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from adapters.kind import NodeLink
from adapters.port import DatasetName, Outcome, Query, SubjectType
from adapters.port import Subject as Asked
from adapters.provider_node import RemoteAdapter, Served
from adapters.provider_node.channel import NodeChannel
from adapters.provider_node.wire import METHOD, OUTCOME_TYPE
from adapters.settings import KeyConfig, NodeAddress
from adapters.transport import TransportLimits
from certs.identity import SystemId
from certs.pem import encode_pem
from certs.trust_store import TrustStore
from gateway.cli.sandbox.authority import MadeKey
from gateway.cli.sandbox.world import CLIENT_TLS
from gateway.rpc.edge import read_message
from gateway.wiring import load_tls
from hutong.client.requests import SignedRequest
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.signer import Signer, sign_envelope
from tests.node.asking import KIND, Way, request_of

Message = provider_pb2.QueryOutcome
Answering = Callable[["NodeDouble", provider_pb2.Query], bytes | Awaitable[bytes]]
LIMITS = TransportLimits(breaker_failures=2, breaker_open_s=30.0, fair_s=0.0)


@dataclass(slots=True, kw_only=True)
class NodeDouble:
    """Answers each query as `answering` says."""

    way: Way
    signer: Signer
    answering: Answering
    port: int = 0
    payloads: list[bytes] = field(default_factory=list)

    async def serve(self, message: bytes) -> bytes:
        """Read a query and answer."""
        envelope = provider_pb2.FetchRequest.FromString(message).envelope
        self.payloads.append(envelope.payload)
        answer = self.answering(self, provider_pb2.Query.FromString(envelope.payload))
        return answer if isinstance(answer, bytes) else await answer

    def header(self, query: provider_pb2.Query) -> envelope_pb2.AnswerHeader:
        """Return the header of a good answer to the newest query."""
        header = envelope_pb2.AnswerHeader(
            request_id=query.header.request_id,
            request_digest=hashlib.sha256(self.payloads[-1]).digest(),
            item=query.item,
            sender=query.header.receiver,
            receiver=query.header.sender,
        )
        header.issue_time.FromMilliseconds(self.way.gateway.clock.now_ms())
        return header

    def outcome(self, query: provider_pb2.Query, record: str = "r") -> provider_pb2.QueryOutcome:
        """Return a good outcome; whether its record proves anything is not the channel's affair."""
        return provider_pb2.QueryOutcome(
            header=self.header(query), state=exchange_pb2.ANSWER_STATE_ANSWERED, record=record
        )

    def sign(self, outcome: provider_pb2.QueryOutcome, signer: Signer | None = None) -> bytes:
        """Return the response around an outcome."""
        payload = outcome.SerializeToString(deterministic=True)
        signed = signed_envelope(signer or self.signer, OUTCOME_TYPE, payload)
        return provider_pb2.FetchResponse(envelope=signed).SerializeToString(deterministic=True)


def signed_envelope(signer: Signer, kind: str, payload: bytes) -> envelope_pb2.SignedEnvelope:
    """Return a payload as one key signs it."""
    envelope = sign_envelope(signer, kind, payload)
    signature = envelope_pb2.Signature(value=envelope.signature, keyid=envelope.keyid)
    return envelope_pb2.SignedEnvelope(payload=payload, payload_type=kind, signatures=[signature])


@asynccontextmanager
async def double_of(
    way: Way, answering: Answering, *, tls: MadeKey | None = None
) -> AsyncIterator[NodeDouble]:
    """Serve a double on loopback, with the node's own TLS key or another."""
    keys = way.sandbox.world.node_keys[KIND]
    double = NodeDouble(way=way, signer=keys["envelope"].signer, answering=answering)
    shown = tls or keys["tls"]

    async def serve(_messages: object, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        body = await read_message(context, 5)
        assert body is not None
        return await double.serve(body)

    server = grpc.aio.server()
    method = METHOD.rpartition("/")[2]
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        method: grpc.stream_unary_rpc_method_handler(serve)
    }
    service = METHOD.rpartition("/")[0][1:]
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    authority = encode_pem(way.sandbox.world.authority.authority.certificate.der, "CERTIFICATE")
    credentials = grpc.ssl_server_credentials(
        [(shown.key.encode_pkcs8(None), shown.certificate_path.read_bytes())],
        root_certificates=authority,
        require_client_auth=True,
    )
    double.port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield double
    finally:
        await server.stop(0)


def adapter_for(way: Way, port: int, trust: TrustStore | None = None) -> RemoteAdapter:
    """Return the gateway's adapter towards a port, with small limits."""
    key = way.sandbox.world.gateway_keys[CLIENT_TLS]
    address = NodeAddress(
        address=f"127.0.0.1:{port}",
        tls_server_name="localhost",
        tls=KeyConfig(
            key=key.key_path,
            passphrase_file=key.passphrase_path,
            certificate=key.certificate_path,
        ),
    )
    store = trust or way.gateway.trust

    def client_tls(_files: object) -> tuple[bytes, bytes]:
        material = load_tls(address.tls, b"")
        return material.private_key, material.certificate_chain

    link = NodeLink(
        gateway=SystemId(way.gateway.config.system_id),
        signer=way.sandbox.world.gateway_keys["envelope"].signer,
        snapshot=lambda: store.snapshot,
        load_tls=client_tls,
    )
    catalog = way.sandbox.world.bundle.catalog
    return RemoteAdapter(
        served=Served(
            organisation=way.sandbox.world.provider_of(KIND),
            datasets=frozenset(name for name in catalog.datasets if name.startswith("ps.")),
            find_lacking=lambda _: None,
        ),
        link=link,
        channel=NodeChannel(address, link),
        now_ms=way.gateway.clock.now_ms,
        limits=LIMITS,
    )


def query_for(
    way: Way, request: SignedRequest | None = None, *, seconds: float = 5.0, item: int = 0
) -> Query:
    """Return the query the exchange makes of a request for the main facts."""
    asked = request or request_of(way)
    statement = exchange_pb2.ExchangeStatement.FromString(asked.payload)
    return Query(
        request_id=asked.request_id,
        item=item,
        audience=SystemId(way.retirement.system_id),
        dataset=way.sandbox.world.bundle.shapes[DatasetName(statement.query.dataset)],
        subject=Asked(type=SubjectType.RESIDENT_ID, identifier=statement.subject.identifier),
        grants=(),
        claims={},
        matter=statement.purpose.matter,
        case_number=statement.purpose.case_number,
        end_user=None,
        tell_not_found=True,
        issued_at_ms=way.gateway.clock.now_ms(),
        deadline=time.monotonic() + seconds,
        request_envelope=asked.message,
        policy_digest=way.sandbox.world.bundle.digest,
    )


async def hang(_double: NodeDouble, _query: provider_pb2.Query) -> bytes:
    """Answer long after anybody waits."""
    await asyncio.sleep(30)
    return b""


async def fetched_from(
    way: Way, answering: Answering, *, seconds: float = 5.0
) -> tuple[Outcome, NodeDouble]:
    """Return what the gateway's adapter makes of a node that answers so."""
    async with double_of(way, answering) as double:
        adapter = adapter_for(way, double.port)
        outcome = await adapter.fetch(query_for(way, seconds=seconds))
        await adapter.close()
    return outcome, double


def changed(change: Callable[[Message], None]) -> Answering:
    """Return a node that signs a good outcome after a change."""

    def answer(double: NodeDouble, query: provider_pb2.Query) -> bytes:
        outcome = double.outcome(query)
        change(outcome)
        return double.sign(outcome)

    return answer


def nothing(_outcome: Message) -> None:
    """Leave the outcome as it is."""
