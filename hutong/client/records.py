"""The record of the source department, and its tie to the fields that were answered.

    1. a pinned record key of the named provider signed it, and is current
    2. it is for this system, this request and item, this dataset, this subject, now
    3. each disclosure is of a field answered with a value or finding, under the effect answered,
       and each field so answered has its disclosure

INVARIANT: a value reaches the caller from a verified disclosure only, except those the gateway says
it derived itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from certs.chain import require_current
from certs.errors import AlgorithmUnavailable, CertificateRefused
from certs.identity import RegisteredKey
from hutong.client.answers import (
    AnsweredField,
    AnswerState,
    Effect,
    FieldOutcome,
    FieldValue,
    Finding,
)
from hutong.client.errors import Unproven
from hutong.client.identity import Identity
from hutong.client.reasons import ClientReason
from hutong.client.requests import SignedRequest
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import subject_digest
from signing.errors import RecordReason, RecordRefused
from signing.record import (
    WITHHELD,
    Disclosure,
    RecordExpectation,
    RecordState,
    VerifiedRecord,
    parse_record_keyid,
    record_nonce,
    verify_record,
)

_DIGEST_BYTES: Final = 32
_UNTOLD: Final = frozenset({Finding.INDETERMINATE, Finding.ERROR})
# Where an agreement withholds whether a record exists, both cases are answered alike (NOT_TOLD);
# beside INDETERMINATE no record stands at all.
_SIGNED_AS: Final = {
    AnswerState.ANSWERED: frozenset({RecordState.FOUND, RecordState.NOT_TOLD}),
    AnswerState.NOT_FOUND: frozenset({RecordState.NOT_FOUND}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a disclosure says of one field."""

    effect: str
    value: FieldValue | None = field(default=None, repr=False)
    finding: Finding | None = None


def require_record(
    identity: Identity,
    request: SignedRequest,
    item: int,
    body: exchange_pb2.AnswerBody,
    now_ms: int,
) -> VerifiedRecord:
    """Return the proof that the provider answered this query (steps 1 and 2).

    Raises:
        Unproven: any reason of the record.
    """
    if request.subject is None:
        raise Unproven(ClientReason.RECORD_UNEXPECTED)
    subject = request.subject
    expected = RecordExpectation(
        issuer=body.provider,
        audience=identity.system_id,
        nonce=record_nonce(request.request_id, item),
        dataset=request.queries[item].dataset,
        subject_digest=subject_digest(request.request_id, subject.type, subject.identifier),
        now_s=now_ms // 1000,
    )
    try:
        key = _record_key(identity, body.provider, body.record)
        require_current(key, datetime.fromtimestamp(now_ms / 1000, UTC))
        return verify_record(body.record, key.public_key, expected)
    except (CertificateRefused, AlgorithmUnavailable) as cause:
        raise Unproven(ClientReason.RECORD_SIGNER_NOT_CURRENT) from cause
    except RecordRefused as cause:
        raise Unproven(_REASONS.get(cause.reason, _MALFORMED), cause.reason) from cause


def require_state(record: VerifiedRecord, state: AnswerState) -> None:
    """Refuse a state other than the one the source department signed.

    Raises:
        Unproven: STATE_INCONSISTENT.
    """
    if record.claims.state not in _SIGNED_AS.get(state, frozenset()):
        raise Unproven(ClientReason.STATE_INCONSISTENT, "record")


def match_fields(
    answers: tuple[exchange_pb2.FieldAnswer, ...], record: VerifiedRecord | None
) -> tuple[AnsweredField, ...]:
    """Join the fields answered with the disclosures of the record, leaving none over (step 3).

    Raises:
        Unproven: DISCLOSURE_UNASKED, DISCLOSURE_MISSING, DISCLOSURE_DIFFERS.
    """
    told = {} if record is None else {each.name: _told(each) for each in record.disclosures}
    fields = tuple(_field(answer, told) for answer in answers)
    told_of = {each.name for each in fields if each.outcome in _DISCLOSED and not each.derived}
    # A disclosure too many is data that left against the agreement: never pass it on silently.
    if not told.keys() <= told_of:
        raise Unproven(ClientReason.DISCLOSURE_UNASKED)
    return fields


_DISCLOSED: Final = frozenset(
    {FieldOutcome.VALUE, FieldOutcome.FINDING, FieldOutcome.INDETERMINATE}
)


def _field(answer: exchange_pb2.FieldAnswer, told: Mapping[str, Told]) -> AnsweredField:
    effect = Effect(_name(exchange_pb2.Effect.Name(answer.effect), "EFFECT_"))
    outcome = FieldOutcome(_name(exchange_pb2.FieldOutcome.Name(answer.outcome), "FIELD_OUTCOME_"))
    # Neither way round: a value would be withheld by name only, and a field withheld under another
    # effect would tell why (the causes share one code).
    if (effect is Effect.WITHHOLD) is not (outcome is FieldOutcome.WITHHELD):
        raise Unproven(ClientReason.DISCLOSURE_DIFFERS, "outcome")
    if answer.HasField("derived"):
        return _derived_field(answer, effect, outcome)
    found = told.get(answer.field)
    _require_disclosure(found, effect, outcome)
    return AnsweredField(
        name=answer.field,
        effect=effect,
        effect_text=answer.effect_text,
        outcome=outcome,
        value=None if found is None else found.value,
        finding=None if found is None else found.finding,
    )


def _derived_field(
    answer: exchange_pb2.FieldAnswer, effect: Effect, outcome: FieldOutcome
) -> AnsweredField:
    right = outcome is FieldOutcome.VALUE and len(answer.derived.source_digest) == _DIGEST_BYTES
    if not right:
        raise Unproven(ClientReason.DISCLOSURE_DIFFERS, "derived")
    return AnsweredField(
        name=answer.field,
        effect=effect,
        effect_text=answer.effect_text,
        outcome=outcome,
        value=answer.derived.text,
        derived=True,
    )


def _require_disclosure(told: Told | None, effect: Effect, outcome: FieldOutcome) -> None:
    """Hold one disclosure against the outcome and effect that the gateway states for its field."""
    if told is None:
        if outcome in {FieldOutcome.VALUE, FieldOutcome.FINDING}:
            raise Unproven(ClientReason.DISCLOSURE_MISSING)
        return
    if outcome not in _DISCLOSED:
        raise Unproven(ClientReason.DISCLOSURE_UNASKED)
    # `MASK(3,4)` is MASK with its parameters; the parameters' wording is the agreement's.
    if told.effect.partition("(")[0] != effect:
        raise Unproven(ClientReason.DISCLOSURE_DIFFERS, "effect")
    # "Could not be told" must not arrive as a finding, nor a finding as "could not be told".
    if told.finding is None:
        agrees = outcome is FieldOutcome.VALUE
    elif told.finding in _UNTOLD:
        agrees = outcome is FieldOutcome.INDETERMINATE
    else:
        agrees = outcome is FieldOutcome.FINDING
    if not agrees:
        raise Unproven(ClientReason.DISCLOSURE_DIFFERS, "outcome")


def _told(disclosure: Disclosure) -> Told:
    content = disclosure.value
    if not isinstance(content, dict):
        raise Unproven(ClientReason.RECORD_MALFORMED, "disclosure")
    if content == WITHHELD:
        # For the gateway's eyes: passed on it tells what nobody was granted to learn.
        raise Unproven(ClientReason.DISCLOSURE_UNASKED)
    effect, value, finding = content.get("effect"), content.get("value"), content.get("finding")
    if not isinstance(effect, str):
        raise Unproven(ClientReason.RECORD_MALFORMED, "disclosure")
    if isinstance(value, str):
        return Told(effect=effect, value=value)
    if isinstance(value, list):
        return Told(effect=effect, value=tuple(each for each in value if isinstance(each, str)))
    try:
        return Told(effect=effect, finding=Finding(str(finding)))
    except ValueError:
        # from None: the cause would carry the finding.
        raise Unproven(ClientReason.RECORD_MALFORMED, "finding") from None


def _record_key(identity: Identity, provider: str, compact: str) -> RegisteredKey:
    # `kid` is a hint among the keys pinned for this provider; a key of another never fits.
    keys = identity.record_keys.get(provider, {})
    key = keys.get(parse_record_keyid(compact))
    if key is None:
        raise Unproven(ClientReason.RECORD_SIGNER_UNKNOWN)
    return key


def _name(text: str, prefix: str) -> str:
    name = text.removeprefix(prefix)
    if name == "UNSPECIFIED":
        raise Unproven(ClientReason.FIELDS_MISMATCH, "effect or outcome is not stated")
    return name


_MALFORMED: Final = ClientReason.RECORD_MALFORMED
_REASONS: Final[dict[RecordReason, ClientReason]] = {
    RecordReason.ALGORITHM_UNAVAILABLE: ClientReason.RECORD_ALGORITHM_UNAVAILABLE,
    RecordReason.SIGNATURE_INVALID: ClientReason.RECORD_SIGNATURE_INVALID,
    RecordReason.WRONG_ISSUER: ClientReason.RECORD_ISSUER_WRONG,
    RecordReason.WRONG_AUDIENCE: ClientReason.RECORD_AUDIENCE_WRONG,
    RecordReason.WRONG_NONCE: ClientReason.RECORD_NONCE_WRONG,
    RecordReason.WRONG_DATASET: ClientReason.RECORD_DATASET_WRONG,
    RecordReason.WRONG_SUBJECT: ClientReason.RECORD_SUBJECT_WRONG,
    RecordReason.LIFE_TOO_LONG: ClientReason.RECORD_NOT_CURRENT,
    RecordReason.NOT_YET_VALID: ClientReason.RECORD_NOT_CURRENT,
    RecordReason.EXPIRED: ClientReason.RECORD_NOT_CURRENT,
}
