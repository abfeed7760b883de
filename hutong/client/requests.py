"""From a question to signed bytes: header, statement, envelope.

Serialisation is deterministic and in ascending field order, which is the one spelling
`signing.wire` accepts. Knows no channel; time and randomness are parameters of one place each.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from hutong.accesslog.v1 import accesslog_pb2
from hutong.catalog.v1 import catalog_pb2
from hutong.client.errors import QuestionRefused
from hutong.client.identity import Identity
from hutong.client.officer import AssertionContext, AssertionSource
from hutong.client.questions import DatasetQuery, Purpose, Subject, SubjectType
from hutong.client.reasons import ClientReason
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import subject_digest
from signing.errors import SigningError
from signing.signer import sign_envelope

REQUEST_ID_BYTES: Final = 16
SALT_BYTES: Final = 32
MAX_LIFE_MS: Final = 300_000
"""envelope.proto, `RequestHeader.expire_time`."""
LIFE_MS: Final = 120_000
"""How long our requests live: two time-outs of a department, and room for a resend."""

_SUBJECT_TYPES: Final = {
    SubjectType.RESIDENT_ID: exchange_pb2.SUBJECT_TYPE_RESIDENT_ID,
    SubjectType.USCC: exchange_pb2.SUBJECT_TYPE_USCC,
}
_EXCHANGE: Final = "/hutong.exchange.v1.ExchangeService"


class Asked(Protocol):
    """A question of one or many queries."""

    @property
    def queries(self) -> tuple[DatasetQuery, ...]:
        """Return what is asked."""
        ...

    @property
    def subject(self) -> Subject:
        """Return about whom."""
        ...

    @property
    def purpose(self) -> Purpose:
        """Return why."""
        ...

    @property
    def officer(self) -> AssertionSource | None:
        """Return who issues the officer assertion; None for system jobs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a request is made, and what is known of the log and of earlier attempts then."""

    now_ms: int
    known_size: int
    """Size of the newest tree seen: whatever answers this request is logged behind it."""
    retries: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A question as signed: the same bytes may be sent again, and mean the same request."""

    method: str
    request_id: bytes
    commitment_salt: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    message: bytes = field(repr=False)
    """The encoded gRPC message around the envelope."""
    expires_at_ms: int
    known_size: int
    queries: tuple[DatasetQuery, ...] = field(repr=False)
    subject: Subject | None = field(repr=False)


def build_exchange(identity: Identity, asked: Asked, moment: Moment) -> SignedRequest:
    """Sign one question for Exchange.

    Raises:
        QuestionRefused: it cannot be encoded or signed.
    """
    return _one_query(identity, asked, moment, f"{_EXCHANGE}/Exchange")


def build_stream_exchange(identity: Identity, asked: Asked, moment: Moment) -> SignedRequest:
    """Sign one question for ExchangeStream.

    Raises:
        QuestionRefused: it cannot be encoded or signed.
    """
    return _one_query(identity, asked, moment, f"{_EXCHANGE}/ExchangeStream")


def build_explain(identity: Identity, asked: Asked, moment: Moment) -> SignedRequest:
    """Sign one question for Explain.

    Raises:
        QuestionRefused: it cannot be encoded or signed.
    """
    return _one_query(identity, asked, moment, f"{_EXCHANGE}/Explain")


def build_matter(identity: Identity, asked: Asked, moment: Moment) -> SignedRequest:
    """Sign the question of a whole matter.

    Raises:
        QuestionRefused: it cannot be encoded or signed.
    """
    header = _header(identity, f"{_EXCHANGE}/ExchangeMatter", moment)
    statement = exchange_pb2.MatterStatement(
        header=header,
        purpose=_purpose(identity, header, asked, moment),
        subject=_subject(asked.subject),
        queries=[_query(query) for query in asked.queries],
    )
    return _sign(identity, statement, header, moment, asked)


def build_result(
    identity: Identity, asked: Asked, moment: Moment, pending_request_id: bytes
) -> SignedRequest:
    """Sign the question for a result that was pending.

    Raises:
        QuestionRefused: it cannot be encoded or signed.
    """
    header = _header(identity, f"{_EXCHANGE}/GetResult", moment)
    statement = exchange_pb2.ResultStatement(
        header=header,
        purpose=_purpose(identity, header, asked, moment),
        subject=_subject(asked.subject),
        query=_query(asked.queries[0]),
        pending_request_id=_require_request_id(pending_request_id),
    )
    return _sign(identity, statement, header, moment, asked)


def build_agreements(identity: Identity, moment: Moment) -> SignedRequest:
    """Sign the question for the agreements of this system.

    Raises:
        QuestionRefused: it cannot be signed.
    """
    header = _header(identity, "/hutong.catalog.v1.CatalogService/ListAgreements", moment)
    statement = catalog_pb2.AgreementsStatement(header=header)
    return _sign(identity, statement, header, moment, None)


def build_receipt(
    identity: Identity, moment: Moment, wanted: bytes, item: int = 0
) -> SignedRequest:
    """Sign the question for the receipt of an earlier exchange.

    Raises:
        QuestionRefused: the request id is not 16 bytes.
    """
    header = _header(identity, "/hutong.accesslog.v1.AccessLogService/GetReceipt", moment)
    statement = accesslog_pb2.ReceiptStatement(
        header=header, receipt_request_id=_require_request_id(wanted), item=item
    )
    return _sign(identity, statement, header, moment, None)


def _one_query(identity: Identity, asked: Asked, moment: Moment, method: str) -> SignedRequest:
    header = _header(identity, method, moment)
    statement = exchange_pb2.ExchangeStatement(
        header=header,
        purpose=_purpose(identity, header, asked, moment),
        subject=_subject(asked.subject),
        query=_query(asked.queries[0]),
    )
    return _sign(identity, statement, header, moment, asked)


def _sign(
    identity: Identity,
    statement: Message,
    header: envelope_pb2.RequestHeader,
    moment: Moment,
    asked: Asked | None,
) -> SignedRequest:
    service, _, name = statement.DESCRIPTOR.full_name.removeprefix("hutong.").partition(".v1.")
    # These very bytes are signed, committed to and sent; the message is not encoded again.
    payload = statement.SerializeToString(deterministic=True)
    try:
        envelope = sign_envelope(
            identity.signer, f"application/vnd.hutong.{service}.v1.{name}+protobuf", payload
        )
    except SigningError as cause:
        raise QuestionRefused(ClientReason.QUESTION_TOO_LARGE) from cause
    signature = envelope_pb2.Signature(value=envelope.signature, keyid=envelope.keyid)
    # Every request message of the contract wraps its envelope in field 1.
    message = exchange_pb2.ExchangeRequest(
        envelope=envelope_pb2.SignedEnvelope(
            payload=payload, payload_type=envelope.payload_type, signatures=[signature]
        )
    )
    return SignedRequest(
        method=header.method,
        request_id=header.request_id,
        commitment_salt=header.commitment_salt,
        payload=payload,
        message=message.SerializeToString(deterministic=True),
        expires_at_ms=moment.now_ms + LIFE_MS,
        known_size=moment.known_size,
        queries=() if asked is None else asked.queries,
        subject=None if asked is None else asked.subject,
    )


def _header(identity: Identity, method: str, moment: Moment) -> envelope_pb2.RequestHeader:
    return envelope_pb2.RequestHeader(
        # From the system's generator: the id is also the nonce of record and assertion.
        request_id=secrets.token_bytes(REQUEST_ID_BYTES),
        sender=identity.system_id,
        receiver=identity.gateway_id,
        method=method,
        issue_time=_timestamp(moment.now_ms),
        expire_time=_timestamp(moment.now_ms + LIFE_MS),
        commitment_salt=secrets.token_bytes(SALT_BYTES),
        retries=moment.retries,
    )


def _purpose(
    identity: Identity, header: envelope_pb2.RequestHeader, asked: Asked, moment: Moment
) -> exchange_pb2.Purpose:
    purpose, assertion = asked.purpose, ""
    if asked.officer is not None:
        subject = asked.subject
        context = AssertionContext(
            request_id=header.request_id,
            system_id=identity.system_id,
            gateway_id=identity.gateway_id,
            tls_thumbprint=identity.tls.thumbprint,
            subject_digest=subject_digest(header.request_id, subject.type, subject.identifier),
            purpose=purpose,
            queries=asked.queries,
            now_ms=moment.now_ms,
        )
        assertion = asked.officer.issue(context)
    return exchange_pb2.Purpose(
        matter=purpose.matter,
        legal_basis=purpose.legal_basis,
        case_number=purpose.case_number,
        officer_assertion=assertion,
    )


def _subject(subject: Subject) -> exchange_pb2.Subject:
    return exchange_pb2.Subject(
        type=_SUBJECT_TYPES[subject.type],
        identifier=subject.identifier,
        full_name=subject.full_name,
    )


def _query(query: DatasetQuery) -> exchange_pb2.DatasetQuery:
    return exchange_pb2.DatasetQuery(
        agreement=query.agreement,
        dataset=query.dataset,
        fields=query.fields,
        claims=_claims(query),
    )


def _claims(query: DatasetQuery) -> Sequence[exchange_pb2.Claim]:
    return [exchange_pb2.Claim(name=name, value=value) for name, value in query.claims.items()]


def _require_request_id(request_id: bytes) -> bytes:
    if len(request_id) != REQUEST_ID_BYTES:
        raise QuestionRefused(ClientReason.REQUEST_ID_INVALID)
    return request_id


def _timestamp(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)
