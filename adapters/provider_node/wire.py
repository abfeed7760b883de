"""A query as the node reads it, and what the node answers, in the one spelling of signed bytes.

INVARIANT: nothing the gateway alone says selects whose question it is: subject, claims, purpose and
officer travel in the requester's own envelope and nowhere else.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.errors import AnswerMalformed
from adapters.port import EffectKind, Indeterminate, NotFound, Outcome, Query, Record, Untold
from adapters.provider_node.reasons import NodeReason, parse_reason
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.envelope import Envelope, parse_envelope
from signing.errors import Malformed
from signing.record import MAX_RECORD
from signing.wire import parse_signed

METHOD: Final = "/hutong.provider.v1.ProviderService/Fetch"
QUERY_TYPE: Final = "application/vnd.hutong.provider.v1.Query+protobuf"
OUTCOME_TYPE: Final = "application/vnd.hutong.provider.v1.QueryOutcome+protobuf"
REFUSAL_TYPE: Final = "application/vnd.hutong.provider.v1.QueryRefusal+protobuf"
DOMAIN: Final = "hutong-node"
"""`google.rpc.ErrorInfo.domain` of a refusal that is not signed."""
LIFE_MS: Final = 60_000
"""How long a query lives: longer than anybody waits for it (`gateway.rpc.edge`)."""
SALT_BYTES: Final = 32
MAX_MESSAGE: Final = 98_304
"""Bytes of one gRPC message: an envelope of 65,536 bytes of payload, and its wrapping."""

_EFFECTS: Final = {kind: exchange_pb2.Effect.Value(f"EFFECT_{kind}") for kind in EffectKind}
_REASONS: Final = {
    exchange_pb2.IndeterminateReason.Value(f"INDETERMINATE_REASON_{reason}"): reason
    for reason in Indeterminate
}
_STATEMENTS: Final[dict[str, type[Message]]] = {
    f"application/vnd.hutong.exchange.v1.{each.DESCRIPTOR.name}+protobuf": each
    for each in (
        exchange_pb2.ExchangeStatement,
        exchange_pb2.MatterStatement,
        exchange_pb2.ResultStatement,
    )
}

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The two systems of a call."""

    gateway: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a node has signed: which query it answers, and what with."""

    request_id: bytes
    request_digest: bytes
    item: int
    sender: str
    receiver: str
    issued_at_ms: int
    content: Outcome | NodeReason = field(repr=False)


def encode_query(query: Query, ends: Ends, now_ms: int) -> bytes:
    """Return the payload of a query.

    Raises:
        Malformed: the request was not carried as a requester's envelope.
    """
    envelope = _request_envelope(query.request_envelope)
    return provider_pb2.Query(
        header=envelope_pb2.RequestHeader(
            request_id=query.request_id,
            sender=ends.gateway,
            receiver=ends.node,
            method=METHOD,
            issue_time=_timestamp(now_ms),
            expire_time=_timestamp(now_ms + LIFE_MS),
            # Makes two queries of one question differ, so that no earlier answer fits this one.
            commitment_salt=secrets.token_bytes(SALT_BYTES),
        ),
        request_envelope=envelope,
        officer_assertion=_officer_assertion(envelope),
        dataset=query.dataset.name,
        item=query.item,
        grants=[
            provider_pb2.Grant(
                field=grant.field,
                effect=_EFFECTS[grant.effect.kind],
                parameters=grant.effect.parameters,
            )
            for grant in query.grants
        ],
        policy_digest=query.policy_digest,
    ).SerializeToString(deterministic=True)


def encode_request(envelope: Envelope) -> bytes:
    """Return the message around a signed query."""
    signature = envelope_pb2.Signature(value=envelope.signature, keyid=envelope.keyid)
    return provider_pb2.FetchRequest(
        envelope=envelope_pb2.SignedEnvelope(
            payload=envelope.payload, payload_type=envelope.payload_type, signatures=[signature]
        )
    ).SerializeToString(deterministic=True)


def parse_response(body: bytes) -> Envelope:
    """Return the envelope in a node's response, unverified; its type says what it holds.

    Raises:
        Malformed: it holds none, or two.
    """
    message = parse_signed(body, provider_pb2.FetchResponse, max_bytes=MAX_MESSAGE)
    outcome, refusal = message.HasField("envelope"), message.HasField("refusal")
    if outcome == refusal:
        raise Malformed("response: an outcome or a refusal")
    raw = message.envelope if outcome else message.refusal
    envelope = parse_envelope(
        raw.payload, raw.payload_type, [(each.value, each.keyid) for each in raw.signatures]
    )
    if envelope.payload_type != (OUTCOME_TYPE if outcome else REFUSAL_TYPE):
        raise Malformed("response: payload type")
    return envelope


def parse_told(payload: bytes, payload_type: str) -> Told:
    """Return what a node has signed.

    Raises:
        Malformed: not in its one spelling.
        AnswerMalformed: it contradicts itself, or names a reason there is not.
    """
    if payload_type == REFUSAL_TYPE:
        refusal = parse_signed(payload, provider_pb2.QueryRefusal)
        reason = parse_reason(refusal.reason)
        if reason is None:
            raise AnswerMalformed("node: unknown reason")
        return _told(refusal.header, reason)
    outcome = parse_signed(payload, provider_pb2.QueryOutcome)
    return _told(outcome.header, _outcome(outcome))


def _told(header: envelope_pb2.AnswerHeader, content: Outcome | NodeReason) -> Told:
    issued = header.issue_time
    return Told(
        request_id=header.request_id,
        request_digest=header.request_digest,
        item=header.item,
        sender=header.sender,
        receiver=header.receiver,
        issued_at_ms=issued.seconds * 1000 + issued.nanos // 1_000_000,
        content=content,
    )


def _outcome(raw: provider_pb2.QueryOutcome) -> Outcome:
    told = raw.state in {exchange_pb2.ANSWER_STATE_ANSWERED, exchange_pb2.ANSWER_STATE_NOT_FOUND}
    # A record beside a reason, or neither: which of the two was meant would be our guess.
    if told != bool(raw.record) or told == bool(raw.indeterminate_reason):
        raise AnswerMalformed("node: record and state disagree")
    if len(raw.record) > MAX_RECORD:
        raise AnswerMalformed("node: record too large")
    if told:
        found = raw.state == exchange_pb2.ANSWER_STATE_ANSWERED
        return Record(sd_jwt=raw.record) if found else NotFound(sd_jwt=raw.record)
    if raw.state != exchange_pb2.ANSWER_STATE_INDETERMINATE:
        raise AnswerMalformed("node: state")
    reason = _REASONS[raw.indeterminate_reason]
    retry_after_s = None
    if raw.HasField("retry_after"):
        retry_after_s = _seconds(raw.retry_after)
    if (reason is Indeterminate.PENDING) != (retry_after_s is not None):
        raise AnswerMalformed("node: retry_after without pending, or pending without")
    return Untold(reason=reason, retry_after_s=retry_after_s)


def _seconds(duration: Duration) -> float:
    seconds = duration.seconds + duration.nanos / 1e9
    if not 0 <= seconds <= MAX_RETRY_S:
        raise AnswerMalformed("node: retry_after")
    return seconds


MAX_RETRY_S: Final = 30 * 86_400
"""Seconds; nobody keeps a question open for longer than a month."""


def _request_envelope(body: bytes) -> envelope_pb2.SignedEnvelope:
    """Return the envelope of a requester's message; every request message wraps it in field 1."""
    message = parse_signed(body, exchange_pb2.ExchangeRequest, max_bytes=MAX_MESSAGE)
    if not message.HasField("envelope"):
        raise Malformed("request: no envelope")
    return message.envelope


def _officer_assertion(envelope: envelope_pb2.SignedEnvelope) -> str:
    """Return the officer assertion in what a requester has signed; empty for a system job."""
    statement = _STATEMENTS.get(envelope.payload_type)
    if statement is None:
        raise Malformed("request: no question")
    parsed = parse_signed(envelope.payload, statement)
    match parsed:
        case (
            exchange_pb2.ExchangeStatement()
            | exchange_pb2.MatterStatement()
            | exchange_pb2.ResultStatement()
        ):
            return parsed.purpose.officer_assertion
        case _:
            raise AssertionError  # the table holds these three


def _timestamp(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)
