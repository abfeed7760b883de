"""What a provider node reads of a gateway, and the bytes it signs in answer.

INVARIANT: nothing here says about whom or why: that stands in the requester's own envelope, which a
query carries as it was received.
"""

from dataclasses import dataclass, field
from typing import Final

from google.protobuf.duration_pb2 import Duration

from adapters.port import (
    DatasetName,
    Effect,
    EffectKind,
    FieldName,
    Grant,
    Indeterminate,
    NotFound,
    Outcome,
    Untold,
)
from gateway.errors import Reason, Refusal
from gateway.statement.answer import AnswerHeader, encode_header
from gateway.statement.kinds import QuestionKind
from gateway.statement.request import MAX_FIELDS, MAX_QUERIES, parse_header, parse_payload
from gateway.statement.values import Header
from gateway.statement.wrapper import encode_response
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2

DIGEST_BYTES: Final = 32
MAX_PARAMETERS: Final = 4
MAX_PARAMETER: Final = 64
_EXCHANGE: Final = "/hutong.exchange.v1.ExchangeService/"
METHODS: Final = {
    QuestionKind.EXCHANGE: frozenset({f"{_EXCHANGE}Exchange", f"{_EXCHANGE}ExchangeStream"}),
    QuestionKind.MATTER: frozenset({f"{_EXCHANGE}ExchangeMatter"}),
    QuestionKind.RESULT: frozenset({f"{_EXCHANGE}GetResult"}),
}
"""The methods that ask for data; Explain takes the same statement and asks for none."""
_KINDS: Final = {
    f"application/vnd.hutong.exchange.v1.{name}+protobuf": kind
    for name, kind in (
        ("ExchangeStatement", QuestionKind.EXCHANGE),
        ("MatterStatement", QuestionKind.MATTER),
        ("ResultStatement", QuestionKind.RESULT),
    )
}
_EFFECTS: Final = {exchange_pb2.Effect.Value(f"EFFECT_{kind}"): kind for kind in EffectKind}
_REASONS: Final = {
    reason: exchange_pb2.IndeterminateReason.Value(f"INDETERMINATE_REASON_{reason}")
    for reason in Indeterminate
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedRequest:
    """A requester's envelope as a gateway received it; nobody has verified it yet."""

    kind: QuestionKind
    payload: bytes = field(repr=False)
    payload_type: str
    body: bytes = field(repr=False)
    """The message around the envelope, as gateways get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeQuery:
    """What a gateway asks of a node."""

    header: Header
    request: CarriedRequest
    officer_assertion: str | None = field(repr=False)
    dataset: DatasetName
    item: int
    grants: tuple[Grant, ...]
    policy_digest: bytes


def parse_query(payload: bytes) -> NodeQuery:
    """Return a query with every member bounded.

    Raises:
        Refusal: `STATEMENT_MALFORMED`.
    """
    raw = parse_payload(payload, provider_pb2.Query)
    header = parse_header(raw)
    _require("request_envelope", holds=raw.HasField("request_envelope"))
    _require("item", holds=raw.item < MAX_QUERIES)
    _require("grants", holds=1 <= len(raw.grants) <= MAX_FIELDS)
    _require("policy_digest", holds=len(raw.policy_digest) == DIGEST_BYTES)
    grants = tuple(_grant(each) for each in raw.grants)
    _require("grants: a field twice", holds=len({each.field for each in grants}) == len(grants))
    return NodeQuery(
        header=header,
        request=_carried(raw.request_envelope),
        officer_assertion=raw.officer_assertion or None,
        dataset=DatasetName(raw.dataset),
        item=raw.item,
        grants=grants,
        policy_digest=raw.policy_digest,
    )


def encode_outcome(header: AnswerHeader, outcome: Outcome) -> bytes:
    """Return the payload by which a node says what its department told."""
    message = provider_pb2.QueryOutcome(header=encode_header(header))
    if isinstance(outcome, Untold):
        message.state = exchange_pb2.ANSWER_STATE_INDETERMINATE
        message.indeterminate_reason = _REASONS[outcome.reason]
        if outcome.reason is Indeterminate.PENDING:
            # A pending answer without a time to ask again would be one nobody comes back for.
            message.retry_after.CopyFrom(_duration(outcome.retry_after_s or 1.0))
    else:
        absent = isinstance(outcome, NotFound)
        message.state = (
            exchange_pb2.ANSWER_STATE_NOT_FOUND if absent else exchange_pb2.ANSWER_STATE_ANSWERED
        )
        message.record = outcome.sd_jwt
    return message.SerializeToString(deterministic=True)


def encode_query_refusal(header: AnswerHeader, reason: str, side: str, zh: str, en: str) -> bytes:
    """Return the payload by which a node says why it did not ask its department."""
    return provider_pb2.QueryRefusal(
        header=encode_header(header), reason=reason, side=side, message_zh=zh, message_en=en
    ).SerializeToString(deterministic=True)


def encode_fetch_response(signed_envelope: bytes, *, refused: bool) -> bytes:
    """Return the response message around an encoded `SignedEnvelope`."""
    message = provider_pb2.FetchResponse()
    (message.refusal if refused else message.envelope).ParseFromString(signed_envelope)
    return message.SerializeToString(deterministic=True)


def _carried(raw: envelope_pb2.SignedEnvelope) -> CarriedRequest:
    kind = _KINDS.get(raw.payload_type)
    if kind is None:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics="request_envelope: no question")
    return CarriedRequest(
        kind=kind,
        payload=raw.payload,
        payload_type=raw.payload_type,
        # The query is in its one spelling, and so is each message in it: the same bytes again.
        body=encode_response(raw.SerializeToString(deterministic=True)),
    )


def _grant(raw: provider_pb2.Grant) -> Grant:
    kind = _EFFECTS.get(raw.effect)
    fits = len(raw.parameters) <= MAX_PARAMETERS and all(
        0 < len(each) <= MAX_PARAMETER and each.isascii() for each in raw.parameters
    )
    if kind is None or kind is EffectKind.WITHHOLD or not fits or not raw.field:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics="grants")
    effect = Effect(kind=kind, parameters=tuple(raw.parameters))
    return Grant(field=FieldName(raw.field), effect=effect)


def _duration(seconds: float) -> Duration:
    whole_ms = round(seconds * 1000)
    return Duration(seconds=whole_ms // 1000, nanos=whole_ms % 1000 * 1_000_000)


def _require(member: str, *, holds: bool) -> None:
    if not holds:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics=member)
