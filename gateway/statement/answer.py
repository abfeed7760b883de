"""Bodies of answers and refusals: values in, the exact bytes that are committed to and signed out.

Whatever this module writes is deterministic and in ascending field order, so it is the one spelling
that `signing.wire` accepts at the other side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.port import DatasetName, Effect, EffectKind, FieldName, Indeterminate
from certs.identity import SystemId
from certs.quick import quickly_made
from gateway.model import Logged, Opening
from hutong.accesslog.v1 import accesslog_pb2
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2

PADDING_STEP: Final = 512
"""Answers are rounded up to a multiple of this many bytes (decisions.md)."""

ANSWER_TYPE: Final = "application/vnd.hutong.exchange.v1.Answer+protobuf"
REFUSAL_TYPE: Final = "application/vnd.hutong.exchange.v1.Refusal+protobuf"


WITHHELD_TEXT: Final = "不予提供"
"""The effect of a withheld field in an agreement's words, whatever the cause."""


class State(Enum):
    """What is known of the subject in the dataset."""

    ANSWERED = exchange_pb2.ANSWER_STATE_ANSWERED
    NOT_FOUND = exchange_pb2.ANSWER_STATE_NOT_FOUND
    INDETERMINATE = exchange_pb2.ANSWER_STATE_INDETERMINATE


class FieldOutcome(Enum):
    """What became of one field that was asked."""

    VALUE = exchange_pb2.FIELD_OUTCOME_VALUE
    FINDING = exchange_pb2.FIELD_OUTCOME_FINDING
    WITHHELD = exchange_pb2.FIELD_OUTCOME_WITHHELD
    ABSENT = exchange_pb2.FIELD_OUTCOME_ABSENT
    INDETERMINATE = exchange_pb2.FIELD_OUTCOME_INDETERMINATE


_EFFECTS: Final = {kind: exchange_pb2.Effect.Value(f"EFFECT_{kind}") for kind in EffectKind}
_REASONS: Final = {
    reason: exchange_pb2.IndeterminateReason.Value(f"INDETERMINATE_REASON_{reason}")
    for reason in Indeterminate
}


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHeader:
    """What is answered, by whom, for whom."""

    request_id: bytes
    request_digest: bytes
    item: int
    sender: SystemId
    receiver: SystemId
    issued_at_ms: int


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAnswer:
    """One field asked: the effect decided and what became of it."""

    name: FieldName
    effect: Effect
    effect_text: str
    outcome: FieldOutcome


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerContent:
    """The answer to one question; `record` holds the disclosures granted, as SD-JWT."""

    header: AnswerHeader
    agreement: str
    dataset: DatasetName
    policy_digest: bytes
    provider: str
    state: State
    reason: Indeterminate | None
    retry_after_s: float | None
    fields: tuple[FieldAnswer, ...]
    record: str = field(repr=False)
    delete_by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalContent:
    """Why one question was refused; texts name neither field, dataset nor subject."""

    header: AnswerHeader
    reason: str
    side: str
    message_zh: str
    message_en: str
    retry_after_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExplanation:
    """Why one field would be released as it would."""

    name: FieldName
    effect: Effect
    effect_text: str
    depends_on_subject: bool
    text_zh: str
    text_en: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The exact bytes of an answer's body and the full name of the message they hold."""

    data: bytes = field(repr=False)
    type: str


def encode_answer_body(content: AnswerContent) -> Body:
    """Return the body that answers one question."""
    body = exchange_pb2.AnswerBody(
        header=encode_header(content.header),
        agreement=content.agreement,
        dataset=content.dataset,
        policy_digest=content.policy_digest,
        state=content.state.value,
        indeterminate_reason=_REASONS[content.reason]
        if content.reason
        else exchange_pb2.INDETERMINATE_REASON_UNSPECIFIED,
        retry_after=_duration(content.retry_after_s),
        fields=[
            exchange_pb2.FieldAnswer(
                field=answer.name,
                effect=_EFFECTS[answer.effect.kind],
                effect_text=answer.effect_text,
                outcome=answer.outcome.value,
            )
            for answer in map(_told, content.fields)
        ],
        record=content.record,
        delete_by=_timestamp(content.delete_by_ms),
        provider=content.provider,
    )
    return Body(data=body.SerializeToString(deterministic=True), type=body.DESCRIPTOR.full_name)


def _told(answer: FieldAnswer) -> FieldAnswer:
    """Return what the requester is told: a withheld field has no other effect than that."""
    # Under the effect decided it would show that the source could not apply it, and not a rule.
    if answer.outcome is not FieldOutcome.WITHHELD:
        return answer
    return replace(answer, effect=Effect(kind=EffectKind.WITHHOLD), effect_text=WITHHELD_TEXT)


def encode_refusal_body(content: RefusalContent) -> bytes:
    """Return the body that refuses one question."""
    return exchange_pb2.RefusalBody(
        header=encode_header(content.header),
        reason=content.reason,
        side=content.side,
        message_zh=content.message_zh,
        message_en=content.message_en,
        retry_after=_duration(content.retry_after_s),
    ).SerializeToString(deterministic=True)


def encode_explain_body(
    header: AnswerHeader,
    agreement: str,
    dataset: DatasetName,
    policy_digest: bytes,
    fields: Sequence[FieldExplanation],
) -> Body:
    """Return the body that explains what would be released."""
    body = exchange_pb2.ExplainBody(
        header=encode_header(header),
        agreement=agreement,
        dataset=dataset,
        policy_digest=policy_digest,
        fields=[
            exchange_pb2.FieldExplanation(
                field=each.name,
                effect=_EFFECTS[each.effect.kind],
                effect_text=each.effect_text,
                depends_on_subject=each.depends_on_subject,
                text_zh=each.text_zh,
                text_en=each.text_en,
            )
            for each in fields
        ],
    )
    return Body(data=body.SerializeToString(deterministic=True), type=body.DESCRIPTOR.full_name)


def encode_receipt_body(header: AnswerHeader, logged: Logged) -> Body:
    """Return the body that carries the receipt of an earlier exchange, without openings."""
    body = accesslog_pb2.ReceiptBody(header=encode_header(header), receipt=_receipt(logged, ()))
    return Body(data=body.SerializeToString(deterministic=True), type=body.DESCRIPTOR.full_name)


def encode_answer(body: Body, logged: Logged, openings: Sequence[Opening]) -> bytes:
    """Return the payload of an answer: body, receipt, and padding to a multiple of 512 bytes."""
    message = exchange_pb2.Answer(
        body=body.data, body_type=body.type, receipt=_receipt(logged, openings)
    )
    # TLS hides contents, not sizes: unpadded, a length would tell "found" from "not found".
    message.padding = bytes(_padding_needed(message.ByteSize()))
    return message.SerializeToString(deterministic=True)


def encode_refusal(body: bytes, logged: Logged | None) -> bytes:
    """Return the payload of a refusal; without receipt only for the reasons that allow it."""
    receipt = None if logged is None else _receipt(logged, ())
    return exchange_pb2.Refusal(body=body, receipt=receipt).SerializeToString(deterministic=True)


def _padding_needed(size: int) -> int:
    """Return how many zero bytes make the message a multiple of 512 bytes, tag and length counted.

    Field 4, wire type 2: one tag byte; the length takes one byte below 128 and two up to 16,383. No
    count reaches a remainder of 1, 2 or (by the jump from one to two length bytes) 130 above it, so
    those go one step further.
    """
    for target in range(
        size - size % PADDING_STEP + PADDING_STEP, size + 3 * PADDING_STEP, PADDING_STEP
    ):
        for length_bytes, most in ((1, 127), (2, 16_383)):
            count = target - size - 1 - length_bytes
            if (1 if length_bytes == 1 else 128) <= count <= most:
                return count
    raise AssertionError  # two steps always leave room for one of the two length forms


def _receipt(logged: Logged, openings: Sequence[Opening]) -> accesslog_pb2.Receipt:
    return accesslog_pb2.Receipt(
        entry=logged.entry,
        index=logged.index,
        inclusion_proof=logged.proof,
        checkpoint=logged.checkpoint,
        openings=[
            accesslog_pb2.Opening(member=each.member, salt=each.salt, value=each.value)
            for each in openings
        ],
    )


def encode_header(header: AnswerHeader) -> envelope_pb2.AnswerHeader:
    """Return the header as a message."""
    return envelope_pb2.AnswerHeader(
        request_id=header.request_id,
        request_digest=header.request_digest,
        item=header.item,
        sender=header.sender,
        receiver=header.receiver,
        issue_time=_timestamp(header.issued_at_ms),
    )


def effect_number(effect: Effect | None) -> exchange_pb2.Effect.ValueType:
    """Return an effect's kind as the wire has it; None is WITHHOLD."""
    return exchange_pb2.EFFECT_WITHHOLD if effect is None else _EFFECTS[effect.kind]


def _timestamp(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    whole_ms = round(seconds * 1000)
    return Duration(seconds=whole_ms // 1000, nanos=whole_ms % 1000 * 1_000_000)
