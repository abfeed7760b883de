"""What is signed for a system that signs nothing itself, and what it is answered, as values.

The statement is written in the one spelling `signing.wire` accepts, and read back by the same
strict steps as everybody's (`gateway.opening`): nothing here is judged.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.port import Indeterminate, Subject, SubjectType
from gateway.statement.answer import FieldOutcome, State
from gateway.statement.values import DatasetQuery, Header, Purpose
from gateway.statement.wrapper import encode_envelope, encode_response
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import parse_b64url
from signing.signer import Signer, sign_envelope

EXCHANGE_TYPE: Final = "application/vnd.hutong.exchange.v1.ExchangeStatement+protobuf"
_SUBJECT_TYPES: Final = {
    SubjectType.RESIDENT_ID: exchange_pb2.SUBJECT_TYPE_RESIDENT_ID,
    SubjectType.USCC: exchange_pb2.SUBJECT_TYPE_USCC,
}
_EFFECTS: Final = {number: name for name, number in exchange_pb2.Effect.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one field: a finding or a code of a predicate, where there is one."""

    outcome: FieldOutcome
    effect: str
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyAnswer:
    """An answer of ours, read back."""

    state: State
    reason: Indeterminate | None
    fields: Mapping[str, Told]


def sign_statement(
    signer: Signer, header: Header, purpose: Purpose, subject: Subject, query: DatasetQuery
) -> bytes:
    """Return the request message around a signed statement without an officer.

    Raises:
        Malformed: it is larger than an envelope holds.
    """
    statement = exchange_pb2.ExchangeStatement(
        header=envelope_pb2.RequestHeader(
            request_id=header.request_id,
            sender=header.sender,
            receiver=header.receiver,
            method=header.method,
            commitment_salt=header.commitment_salt,
        ),
        purpose=exchange_pb2.Purpose(
            matter=purpose.matter,
            legal_basis=purpose.legal_basis,
            case_number=purpose.case_number,
        ),
        subject=exchange_pb2.Subject(
            type=_SUBJECT_TYPES[subject.type],
            identifier=subject.identifier,
            full_name=subject.full_name or "",
        ),
        query=exchange_pb2.DatasetQuery(
            agreement=query.agreement, dataset=query.dataset, fields=query.fields
        ),
    )
    statement.header.issue_time.FromMilliseconds(header.issued_at_ms)
    statement.header.expire_time.FromMilliseconds(header.expires_at_ms)
    payload = statement.SerializeToString(deterministic=True)
    return encode_response(encode_envelope(sign_envelope(signer, EXCHANGE_TYPE, payload)))


def read_answer(signed_envelope: bytes) -> LegacyAnswer:
    """Return what an envelope of ours answers; nobody else's is ever given here."""
    envelope = envelope_pb2.SignedEnvelope.FromString(signed_envelope)
    answer = exchange_pb2.Answer.FromString(envelope.payload)
    body = exchange_pb2.AnswerBody.FromString(answer.body)
    disclosed = _disclosed(body.record)
    reason = exchange_pb2.IndeterminateReason.Name(body.indeterminate_reason)
    return LegacyAnswer(
        state=State(body.state),
        reason=Indeterminate(reason.removeprefix("INDETERMINATE_REASON_"))
        if body.indeterminate_reason
        else None,
        fields={
            each.field: Told(
                outcome=FieldOutcome(each.outcome),
                effect=_EFFECTS[each.effect].removeprefix("EFFECT_"),
                text=disclosed.get(each.field),
            )
            for each in body.fields
        },
    )


def _disclosed(record: str) -> Mapping[str, str]:
    """Return what a record discloses as texts; it was verified and minimised in steps 9 and 10."""
    told = {}
    for part in record.split("~")[1:-1]:
        _, name, content = json.loads(parse_b64url(part))
        told[name] = str(content.get("finding", content.get("value", "")))
    return told
