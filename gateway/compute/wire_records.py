"""Jobs of records and answers as plain tuples and back; see `wire_calls` for why.

A query goes without the requester's envelope: the department that is asked beside this process is
this process's own and judges nothing for itself. Of its record only what was granted comes back.
"""

import marshal
from functools import lru_cache
from typing import TypeAlias

from adapters.port import (
    DatasetName,
    DatasetShape,
    Effect,
    EffectKind,
    EndUser,
    FieldName,
    FieldShape,
    Finding,
    Grant,
    Indeterminate,
    Query,
    Untold,
)
from certs.identity import SystemId
from certs.public_key import PublicKey, parse_public_key
from gateway.compute.port import FetchJob, ProveJob, SealJob
from gateway.compute.wire_calls import SubjectRow, build_subject, subject_row
from gateway.distrust import Distrusted, Minimised, Proven
from gateway.model import Logged
from gateway.receipt import AnswerCommitment
from gateway.statement.answer import Body, FieldOutcome
from signing.record import Custody, RecordExpectation, RecordState

GrantRow: TypeAlias = tuple[str, str, tuple[str, ...], bytes | None]
ExpectationRow: TypeAlias = tuple[str, str, str, str, bytes, int, int, str | None]
ProveRow: TypeAlias = tuple[str, bytes, ExpectationRow, str, tuple[GrantRow, ...]]
MinimisedRow: TypeAlias = tuple[str, tuple[tuple[str, int], ...], int]
DistrustedRow: TypeAlias = tuple[str, str]
SealRow: TypeAlias = tuple[bytes, str, bytes, int, bytes, tuple[bytes, ...], bytes]
ShapeRow: TypeAlias = tuple[str, tuple[tuple[str, str, str], ...]]
EndUserRow: TypeAlias = tuple[str, str, str, str, str]
AskedRow: TypeAlias = tuple[str, str, EndUserRow | None, bool, bool, bytes | None]
FetchRow: TypeAlias = tuple[
    tuple[bytes, int, str],
    ShapeRow,
    SubjectRow,
    tuple[GrantRow, ...],
    tuple[tuple[str, str], ...],
    AskedRow,
    tuple[int, float],
    tuple[str, tuple[bytes, ...]],
]
UntoldRow: TypeAlias = tuple[str, float | None]
ProvenRow: TypeAlias = tuple[str, bool, MinimisedRow | DistrustedRow]


def encode_prove(job: ProveJob) -> bytes:
    """Return a record to prove."""
    expected = job.expected
    return marshal.dumps(
        (
            job.compact,
            job.key.spki,
            (
                expected.issuer,
                expected.audience,
                expected.nonce,
                expected.dataset,
                expected.subject_digest,
                expected.now_s,
                expected.leeway_s,
                # str: a member of an enumeration is more than marshal takes.
                None if expected.custody is None else expected.custody.value,
            ),
            job.due.value,
            tuple(map(_grant_row, job.grants)),
        )
    )


def parse_prove(data: bytes) -> ProveJob:
    """Return a record to prove."""
    row: ProveRow = marshal.loads(data)
    compact, spki, expectation, due, grants = row
    issuer, audience, nonce, dataset, digest, now_s, leeway_s, custody = expectation
    return ProveJob(
        compact=compact,
        key=_build_key(spki),
        expected=RecordExpectation(
            issuer=issuer,
            audience=audience,
            nonce=nonce,
            dataset=dataset,
            subject_digest=digest,
            now_s=now_s,
            leeway_s=leeway_s,
            custody=None if custody is None else Custody(custody),
        ),
        due=RecordState(due),
        grants=tuple(map(_build_grant, grants)),
    )


def encode_minimised(kept: Minimised) -> bytes:
    """Return what was granted of a record."""
    return marshal.dumps(_minimised_row(kept))


def parse_minimised(data: bytes) -> Minimised:
    """Return what was granted of a record."""
    row: MinimisedRow = marshal.loads(data)
    return _build_minimised(row)


def encode_distrusted(distrusted: Distrusted) -> bytes:
    """Return why a record proves nothing."""
    return marshal.dumps(_distrusted_row(distrusted))


def parse_distrusted(data: bytes) -> Distrusted:
    """Return why a record proves nothing."""
    row: DistrustedRow = marshal.loads(data)
    return _build_distrusted(row)


def encode_seal(job: SealJob) -> bytes:
    """Return an answer to sign."""
    body, logged = job.commitment.body, job.logged
    salt = job.commitment.salt
    return marshal.dumps(
        (
            *(body.data, body.type, salt),
            *(logged.index, logged.entry, logged.proof, logged.checkpoint),
        )
    )


def parse_seal(data: bytes) -> SealJob:
    """Return an answer to sign."""
    row: SealRow = marshal.loads(data)
    data, body_type, salt, index, entry, proof, checkpoint = row
    return SealJob(
        commitment=AnswerCommitment(body=Body(data=data, type=body_type), salt=salt),
        logged=Logged(index=index, entry=entry, proof=proof, checkpoint=checkpoint),
    )


def encode_fetch(job: FetchJob) -> bytes:
    """Return a question to a department."""
    query = job.query
    fields = tuple((each.name, each.type, each.when_absent.value) for each in query.dataset.fields)
    end_user = query.end_user
    return marshal.dumps(
        (
            (query.request_id, query.item, query.audience),
            (query.dataset.name, fields),
            subject_row(query.subject),
            tuple(map(_grant_row, query.grants)),
            tuple(query.claims.items()),
            (
                query.matter,
                query.case_number,
                None if end_user is None else _end_user_row(end_user),
                query.by_officer,
                query.tell_not_found,
                query.pending_request_id,
            ),
            # The monotonic clock is the machine's: both processes read the same one.
            (query.issued_at_ms, query.deadline),
            (job.issuer, tuple(key.spki for key in job.keys)),
        )
    )


def parse_fetch(data: bytes) -> FetchJob:
    """Return a question to a department."""
    row: FetchRow = marshal.loads(data)
    (request_id, item, audience), shape, subject, grants, claims, asked, times, proof = row
    matter, case_number, end_user, by_officer, tell_not_found, pending = asked
    issued_at_ms, deadline = times
    issuer, keys = proof
    query = Query(
        request_id=request_id,
        item=item,
        audience=SystemId(audience),
        dataset=_build_shape(shape),
        subject=build_subject(subject),
        grants=tuple(map(_build_grant, grants)),
        claims=dict(claims),
        matter=matter,
        case_number=case_number,
        end_user=None if end_user is None else _build_end_user(end_user),
        by_officer=by_officer,
        tell_not_found=tell_not_found,
        issued_at_ms=issued_at_ms,
        deadline=deadline,
        pending_request_id=pending,
    )
    return FetchJob(query=query, issuer=issuer, keys=tuple(map(_build_key, keys)))


def encode_told(told: Untold | Proven) -> bytes:
    """Return what a department told."""
    if isinstance(told, Untold):
        return marshal.dumps((told.reason.value, told.retry_after_s))
    kept = told.kept
    row = _distrusted_row(kept) if isinstance(kept, Distrusted) else _minimised_row(kept)
    return marshal.dumps((told.keyid, told.found, row))


def parse_told(data: bytes) -> Untold | Proven:
    """Return what a department told."""
    row: UntoldRow | ProvenRow = marshal.loads(data)
    match row:
        case (reason, retry_after_s):
            return Untold(reason=Indeterminate(reason), retry_after_s=retry_after_s)
        case (keyid, found, (reason, cause)):
            kept = _build_distrusted((reason, cause))
            return Proven(keyid=keyid, found=found, kept=kept)
        case (keyid, found, granted):
            return Proven(keyid=keyid, found=found, kept=_build_minimised(granted))


def _minimised_row(kept: Minimised) -> MinimisedRow:
    outcomes = tuple((name, outcome.value) for name, outcome in kept.outcomes.items())
    return kept.record, outcomes, kept.dropped


def _build_minimised(row: MinimisedRow) -> Minimised:
    record, outcomes, dropped = row
    return Minimised(
        record=record,
        outcomes={FieldName(name): FieldOutcome(number) for name, number in outcomes},
        dropped=dropped,
    )


def _distrusted_row(distrusted: Distrusted) -> DistrustedRow:
    return distrusted.reason.value, distrusted.cause


def _build_distrusted(row: DistrustedRow) -> Distrusted:
    reason, cause = row
    return Distrusted(Indeterminate(reason), cause)


def _grant_row(grant: Grant) -> GrantRow:
    return grant.field, grant.effect.kind.value, grant.effect.parameters, grant.pseudonym_key


# Rows without keys repeat with every call of an agreement.
@lru_cache(maxsize=4_096)
def _build_grant(row: GrantRow) -> Grant:
    name, kind, parameters, pseudonym_key = row
    return Grant(
        field=FieldName(name),
        effect=Effect(kind=EffectKind(kind), parameters=parameters),
        pseudonym_key=pseudonym_key,
    )


@lru_cache(maxsize=256)
def _build_shape(row: ShapeRow) -> DatasetShape:
    name, fields = row
    return DatasetShape(
        name=DatasetName(name),
        fields=tuple(
            FieldShape(name=FieldName(each), type=kind, when_absent=Finding(when_absent))
            for each, kind, when_absent in fields
        ),
    )


@lru_cache(maxsize=256)
def _build_key(spki: bytes) -> PublicKey:
    return parse_public_key(spki)


def _end_user_row(end_user: EndUser) -> EndUserRow:
    return (
        end_user.name,
        end_user.identifier,
        end_user.unit,
        end_user.unit_code,
        end_user.call_reason,
    )


def _build_end_user(row: EndUserRow) -> EndUser:
    name, identifier, unit, unit_code, call_reason = row
    return EndUser(
        name=name, identifier=identifier, unit=unit, unit_code=unit_code, call_reason=call_reason
    )
