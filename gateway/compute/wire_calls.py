"""Jobs of calls as plain tuples and back, for the way between two processes of this program.

Plain, because `marshal` writes and reads those thirty times faster than `pickle` does dataclasses,
and because no name in a frame is ever looked up, imported or called.
Each `parse_` is the tested inverse of its `encode_`; neither meets bytes of a stranger's making.
Both ends are the same release, the one started by the other: the form may change at any time.
"""

import marshal
from functools import lru_cache
from typing import TypeAlias

from adapters.port import DatasetName, FieldName, Subject, SubjectType
from certs.identity import BareKey, SystemId, VerifyingKey
from certs.public_key import parse_public_key
from certs.registry_file import KeyPurpose
from certs.suites import Suite
from gateway.compute.port import Asserted, Opened, OpenJob
from gateway.errors import Reason, Refusal
from gateway.statement.kinds import QuestionKind
from gateway.statement.values import DatasetQuery, Header, Purpose, Statement
from signing.assertion import AssertionClaims, AuthorizationDetail, Staff

KeyRow: TypeAlias = tuple[str, str, str, str, bytes]
OpenRow: TypeAlias = tuple[
    bytes, str, tuple[KeyRow, ...], str | None, tuple[KeyRow, ...], str, str, bytes, int
]
HeaderRow: TypeAlias = tuple[bytes, str, str, str, int, int, bytes, bytes | None]
QueryRow: TypeAlias = tuple[str, str, tuple[str, ...], tuple[tuple[str, str], ...]]
SubjectRow: TypeAlias = tuple[str, str, str | None]
StatementRow: TypeAlias = tuple[
    tuple[str, str, str, str | None], SubjectRow, tuple[QueryRow, ...], bytes | None
]
StaffRow: TypeAlias = tuple[str, str, str, str, str, str, str | None, str | None, str | None]
DetailRow: TypeAlias = tuple[str, str, str, str, tuple[str, ...], bytes]
AssertedRow: TypeAlias = tuple[
    str, str, str, bytes, bytes, int, int, StaffRow, tuple[DetailRow, ...]
]
RefusalRow: TypeAlias = tuple[str, str]
OpenedRow: TypeAlias = tuple[
    str, bytes, HeaderRow | None, StatementRow | None, AssertedRow | None, RefusalRow | None
]


def encode_open(job: OpenJob) -> bytes:
    """Write a call to open."""
    return marshal.dumps(
        (
            job.body,
            job.payload_type,
            tuple(map(_key_row, job.keys)),
            None if job.kind is None else job.kind.value,
            tuple(map(_key_row, job.officer_keys.values())),
            job.organisation,
            job.audience,
            job.thumbprint,
            job.now_ms,
        )
    )


def parse_open(data: bytes) -> OpenJob:
    """Return a call to open."""
    row: OpenRow = marshal.loads(data)
    body, payload_type, keys, kind, officer_keys, organisation, audience, thumbprint, now_ms = row
    return OpenJob(
        body=body,
        payload_type=payload_type,
        keys=tuple(map(_build_key, keys)),
        kind=None if kind is None else QuestionKind(kind),
        officer_keys={key.keyid: key for key in map(_build_key, officer_keys)},
        organisation=organisation,
        audience=SystemId(audience),
        thumbprint=thumbprint,
        now_ms=now_ms,
    )


def encode_opened(opened: Opened) -> bytes:
    """Write an opened call."""
    return marshal.dumps(
        (
            opened.keyid,
            opened.payload,
            None if opened.header is None else _header_row(opened.header),
            None if opened.statement is None else _statement_row(opened.statement),
            None if opened.asserted is None else _asserted_row(opened.asserted),
            None if opened.refusal is None else _refusal_row(opened.refusal),
        )
    )


def parse_opened(data: bytes) -> Opened:
    """Return an opened call."""
    row: OpenedRow = marshal.loads(data)
    keyid, payload, header_row, statement, asserted, refusal = row
    header = None if header_row is None else _build_header(header_row)
    return Opened(
        keyid=keyid,
        payload=payload,
        header=header,
        # A statement has its header, so there is one wherever there is a statement.
        statement=None
        if statement is None or header is None
        else _build_statement(statement, header),
        asserted=None if asserted is None else _build_asserted(asserted),
        refusal=None if refusal is None else _build_refusal(refusal),
    )


def encode_refusal(refusal: Refusal) -> bytes:
    """Write a refusal of a job; none of them names a time to retry."""
    return marshal.dumps(_refusal_row(refusal))


def parse_refusal(data: bytes) -> Refusal:
    """Return a refusal of a job."""
    row: RefusalRow = marshal.loads(data)
    return _build_refusal(row)


def subject_row(subject: Subject) -> SubjectRow:
    """Return a subject as a tuple."""
    return subject.type.value, subject.identifier, subject.full_name


def build_subject(row: SubjectRow) -> Subject:
    """Return a subject."""
    kind, identifier, full_name = row
    return Subject(type=SubjectType(kind), identifier=identifier, full_name=full_name)


def _refusal_row(refusal: Refusal) -> RefusalRow:
    # str: a member of an enumeration is more than marshal takes.
    return refusal.reason.value, str(refusal.diagnostics)


def _build_refusal(row: RefusalRow) -> Refusal:
    reason, diagnostics = row
    return Refusal(Reason(reason), diagnostics=diagnostics)


def _key_row(key: VerifyingKey) -> KeyRow:
    return key.organisation, key.usage.value, key.suite.value, key.keyid, key.public_key.spki


# A key is read from its bytes once and not with every call: systems of a province and their keys.
@lru_cache(maxsize=4_096)
def _build_key(row: KeyRow) -> BareKey:
    organisation, usage, suite, keyid, spki = row
    return BareKey(
        organisation=organisation,
        usage=KeyPurpose(usage),
        suite=Suite(suite),
        keyid=keyid,
        public_key=parse_public_key(spki),
    )


def _header_row(header: Header) -> HeaderRow:
    return (
        header.request_id,
        header.sender,
        header.receiver,
        header.method,
        header.issued_at_ms,
        header.expires_at_ms,
        header.commitment_salt,
        header.retries,
    )


def _build_header(row: HeaderRow) -> Header:
    request_id, sender, receiver, method, issued_at_ms, expires_at_ms, salt, retries = row
    return Header(
        request_id=request_id,
        sender=SystemId(sender),
        receiver=SystemId(receiver),
        method=method,
        issued_at_ms=issued_at_ms,
        expires_at_ms=expires_at_ms,
        commitment_salt=salt,
        retries=retries,
    )


def _statement_row(statement: Statement) -> StatementRow:
    purpose = statement.purpose
    return (
        (purpose.matter, purpose.legal_basis, purpose.case_number, purpose.officer_assertion),
        subject_row(statement.subject),
        tuple(
            (query.agreement, query.dataset, query.fields, tuple(query.claims.items()))
            for query in statement.queries
        ),
        statement.pending_request_id,
    )


def _build_statement(row: StatementRow, header: Header) -> Statement:
    (matter, legal_basis, case_number, assertion), subject, queries, pending = row
    return Statement(
        header=header,
        purpose=Purpose(
            matter=matter,
            legal_basis=legal_basis,
            case_number=case_number,
            officer_assertion=assertion,
        ),
        subject=build_subject(subject),
        queries=tuple(map(_build_query, queries)),
        pending_request_id=pending,
    )


def _build_query(row: QueryRow) -> DatasetQuery:
    agreement, dataset, fields, claims = row
    return DatasetQuery(
        agreement=agreement,
        dataset=DatasetName(dataset),
        fields=tuple(map(FieldName, fields)),
        claims=dict(claims),
    )


def _asserted_row(asserted: Asserted) -> AssertedRow:
    claims = asserted.claims
    return (
        asserted.keyid,
        claims.issuer,
        claims.audience,
        claims.request_id,
        claims.thumbprint,
        claims.issued_at_s,
        claims.expires_at_s,
        _staff_row(claims.staff),
        tuple(
            (each.agreement, each.dataset, each.matter, each.case, each.fields, each.subject_digest)
            for each in claims.details
        ),
    )


def _build_asserted(row: AssertedRow) -> Asserted:
    keyid, issuer, audience, request_id, thumbprint, issued_at_s, expires_at_s, staff, details = row
    return Asserted(
        keyid=keyid,
        claims=AssertionClaims(
            issuer=issuer,
            audience=audience,
            request_id=request_id,
            thumbprint=thumbprint,
            issued_at_s=issued_at_s,
            expires_at_s=expires_at_s,
            staff=_build_staff(staff),
            details=tuple(map(_build_detail, details)),
        ),
    )


def _staff_row(staff: Staff) -> StaffRow:
    return (
        staff.token,
        staff.role,
        staff.unit,
        staff.unit_code,
        staff.level,
        staff.division,
        staff.call_reason,
        staff.name,
        staff.identifier,
    )


def _build_staff(row: StaffRow) -> Staff:
    token, role, unit, unit_code, level, division, call_reason, name, identifier = row
    return Staff(
        token=token,
        role=role,
        unit=unit,
        unit_code=unit_code,
        level=level,
        division=division,
        call_reason=call_reason,
        name=name,
        identifier=identifier,
    )


def _build_detail(row: DetailRow) -> AuthorizationDetail:
    agreement, dataset, matter, case, fields, digest = row
    return AuthorizationDetail(
        agreement=agreement,
        dataset=dataset,
        matter=matter,
        case=case,
        fields=fields,
        subject_digest=digest,
    )
