"""Queries to a node as a gateway would send them, and what may be wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from adapters.port import PROVIDER_SLUG
from adapters.provider_node.reasons import NodeReason
from adapters.provider_node.wire import (
    DOMAIN,
    METHOD,
    OUTCOME_TYPE,
    QUERY_TYPE,
    REFUSAL_TYPE,
    parse_response,
)
from certs.pem import encode_pem
from gateway.app import Gateway
from gateway.cli.sandbox.authority import MadeKey
from gateway.cli.sandbox.running import Sandbox
from gateway.cli.sandbox.world import CLIENT_TLS
from hutong.client import Client, Identity, Question
from hutong.client.requests import SignedRequest, build_exchange
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.signer import Signer, sign_envelope
from tests.gateway.asking import core_question, moment

KIND = "public_security"
"""The department whose node is attacked."""
Grants = dict[str, tuple[exchange_pb2.Effect.ValueType, tuple[str, ...]]]
AGREED: Grants = {
    "full_name": (exchange_pb2.EFFECT_MASK, ("1", "0")),
    "sex": (exchange_pb2.EFFECT_CLEAR, ()),
    "birth_date": (exchange_pb2.EFFECT_CLEAR, ()),
    "registered_address": (exchange_pb2.EFFECT_GENERALISE, ("county",)),
    "person_state": (exchange_pb2.EFFECT_CLEAR, ()),
}
"""What M2 is granted of the register's main facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A gateway that connects its departments in one of the two ways, and who asks it."""

    sandbox: Sandbox
    gateway: Gateway
    retirement: Identity
    client: Client
    job_client: Client

    @property
    def is_remote(self) -> bool:
        """Whether departments run nodes of their own."""
        return bool(self.sandbox.nodes)


Change = Callable[[provider_pb2.Query], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call to a node ended: one of the three."""

    outcome: provider_pb2.QueryOutcome | None = None
    refusal: provider_pb2.QueryRefusal | None = None
    status: grpc.StatusCode | None = None
    reason: str = ""
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls a node: a certificate towards it and a key that signs queries."""

    way: Way
    port: int
    tls: MadeKey
    signer: Signer

    @classmethod
    def gateway(cls, way: Way, port: int) -> "Caller":
        """Return the gateway itself."""
        keys = way.sandbox.world.gateway_keys
        return cls(way=way, port=port, tls=keys[CLIENT_TLS], signer=keys["envelope"].signer)

    @property
    def query_receiver(self) -> str:
        """The node that is called."""
        return f"{self.way.sandbox.world.provider_of(KIND)}/{PROVIDER_SLUG}"

    async def call(self, message: bytes, timeout_s: float = 10.0) -> Ended:
        """Send bytes over mutual TLS and read how that ended."""
        authority = self.way.sandbox.world.authority.authority.certificate.der
        credentials = grpc.ssl_channel_credentials(
            root_certificates=encode_pem(authority, "CERTIFICATE"),
            private_key=self.tls.key.encode_pkcs8(None),
            certificate_chain=self.tls.certificate_path.read_bytes(),
        )
        options = (("grpc.ssl_target_name_override", "localhost"),)
        address = f"127.0.0.1:{self.port}"
        async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
            unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
            try:
                raw = await unary(message, timeout=timeout_s)
            except grpc.aio.AioRpcError as error:
                return Ended(status=error.code(), reason=_reason_of(error))
        return read(raw)

    async def ask(self, request: SignedRequest, change: Change | None = None) -> Ended:
        """Ask what the gateway would ask for a request, with the query changed."""
        return await self.call(self.signed(self.query(request, change)))

    def query(self, request: SignedRequest, change: Change | None = None) -> bytes:
        """Return the payload of a query for the main facts."""
        message = query_of(self.way, request)
        if change is not None:
            change(message)
        return message.SerializeToString(deterministic=True)

    def signed(self, payload: bytes, payload_type: str = QUERY_TYPE) -> bytes:
        """Return the message around a payload that this caller signs."""
        envelope = sign_envelope(self.signer, payload_type, payload)
        signature = envelope_pb2.Signature(value=envelope.signature, keyid=envelope.keyid)
        return provider_pb2.FetchRequest(
            envelope=envelope_pb2.SignedEnvelope(
                payload=payload, payload_type=payload_type, signatures=[signature]
            )
        ).SerializeToString(deterministic=True)


def query_of(way: Way, request: SignedRequest, grants: Grants | None = None) -> provider_pb2.Query:
    """Return the query that a gateway would make of a request for the main facts."""
    envelope = exchange_pb2.ExchangeRequest.FromString(request.message).envelope
    statement = exchange_pb2.ExchangeStatement.FromString(request.payload)
    now_ms = way.gateway.clock.now_ms()
    query = provider_pb2.Query(
        header=envelope_pb2.RequestHeader(
            request_id=statement.header.request_id,
            sender=way.gateway.config.system_id,
            receiver=f"{way.sandbox.world.provider_of(KIND)}/{PROVIDER_SLUG}",
            method=METHOD,
            commitment_salt=bytes(range(32)),
        ),
        request_envelope=envelope,
        officer_assertion=statement.purpose.officer_assertion,
        dataset=statement.query.dataset,
        policy_digest=way.sandbox.world.bundle.digest,
    )
    stamp(query, now_ms, now_ms + 60_000)
    set_grants(query, AGREED if grants is None else grants)
    return query


def stamp(query: provider_pb2.Query, issued_ms: int, expires_ms: int) -> None:
    """Set when a query was signed and when it ends."""
    query.header.issue_time.FromMilliseconds(issued_ms)
    query.header.expire_time.FromMilliseconds(expires_ms)


def set_grants(query: provider_pb2.Query, grants: Grants) -> None:
    """Replace what is granted."""
    del query.grants[:]
    for name, (effect, parameters) in grants.items():
        query.grants.add(field=name, effect=effect, parameters=parameters)


def request_of(
    way: Way, question: Question | None = None, identity: Identity | None = None
) -> SignedRequest:
    """Return a fresh request of the retirement system."""
    asker = identity or way.retirement
    asked = question or core_question(asker)
    return build_exchange(asker, asked, moment(way.gateway.clock.now_ms()))


def read(raw: bytes) -> Ended:
    """Return what a response holds; its form is judged as the gateway does."""
    envelope = parse_response(raw)
    if envelope.payload_type == OUTCOME_TYPE:
        return Ended(outcome=provider_pb2.QueryOutcome.FromString(envelope.payload), raw=raw)
    assert envelope.payload_type == REFUSAL_TYPE
    refusal = provider_pb2.QueryRefusal.FromString(envelope.payload)
    return Ended(refusal=refusal, reason=refusal.reason, raw=raw)


def _reason_of(error: grpc.aio.AioRpcError) -> str:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    assert isinstance(details, bytes)
    info = ErrorInfo()
    for each in Status.FromString(details).details:
        if each.Unpack(info):
            assert info.domain == DOMAIN
    return str(info.reason)


PROVOKED: set[NodeReason] = set()
"""Every reason a test has seen a node give."""


def require_refused(ended: Ended, reason: NodeReason, *, signed: bool) -> None:
    """Hold the end of a call against a reason; a refusal of a known query is signed."""
    assert ended.outcome is None, ended
    assert ended.reason == reason
    assert (ended.refusal is not None) == signed
    PROVOKED.add(reason)
