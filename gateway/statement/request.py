"""Steps 3 and 4: from verified payload bytes to a `Statement`, strictly.

The payload is judged for its one accepted spelling as it is parsed (`signing.wire`); here the
members are bounded and judged. A refusal never repeats what it refuses.
"""

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from adapters.port import DatasetName, FieldName, Subject, SubjectType
from certs.identity import SystemId
from gateway.errors import Reason, Refusal
from gateway.statement.identifiers import normalised_identifier
from gateway.statement.places import places_of
from gateway.statement.values import DatasetQuery, Header, Purpose, Statement
from hutong.accesslog.v1 import accesslog_pb2
from hutong.catalog.v1 import catalog_pb2
from hutong.exchange.v1 import exchange_pb2
from hutong.provider.v1 import provider_pb2
from signing.errors import Malformed
from signing.wire import parse_signed

M = TypeVar(
    "M",
    exchange_pb2.ExchangeStatement,
    exchange_pb2.MatterStatement,
    exchange_pb2.ResultStatement,
    accesslog_pb2.ReceiptStatement,
    catalog_pb2.AgreementsStatement,
    provider_pb2.Query,
)
"""The messages a caller signs; each has a `RequestHeader`."""

REQUEST_ID_BYTES: Final = 16
SALT_BYTES: Final = 32
MAX_QUERIES: Final = 32
"""Queries of one matter (exchange.proto)."""
MAX_FIELDS: Final = 64
MAX_CLAIMS: Final = 16
MAX_CLAIM_CHARACTERS: Final = 256
MAX_BASIS_CHARACTERS: Final = 200
MAX_NAME_CHARACTERS: Final = 60
"""`str60` of the catalog's name fields."""

YEAR_10000_S: Final = 253_402_300_800
"""Seconds since the epoch at which google.protobuf.Timestamp ends."""
NANOS_PER_S: Final = 1_000_000_000

_SYSTEM_ID = re.compile(r"[0-9A-Z]{18}/[a-z0-9-]{1,40}", re.ASCII)
_NAME = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_DATASET = re.compile(r"[a-z]{2,8}\.[a-z0-9_]{1,40}@[1-9][0-9]{0,3}", re.ASCII)
_MATTER = re.compile(r"[A-Za-z0-9-]{1,16}", re.ASCII)
# Printable ASCII: a case number travels on into departments' XML and into files of the log.
_NUMBER = re.compile(r"[!-~]{1,64}", re.ASCII)
_AGREEMENT = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)

_SUBJECT_TYPES: Final = {
    exchange_pb2.SUBJECT_TYPE_RESIDENT_ID: SubjectType.RESIDENT_ID,
    exchange_pb2.SUBJECT_TYPE_USCC: SubjectType.USCC,
}


def parse_payload(payload: bytes, message_class: type[M]) -> M:
    """Return the message in `payload`, which must be in its one spelling.

    Raises:
        Refusal: `STATEMENT_MALFORMED`.
    """
    try:
        return parse_signed(payload, message_class)
    except Malformed as error:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics=str(error)) from error


def parse_header(message: M) -> Header:
    """Return the request header with every member bounded.

    Raises:
        Refusal: `STATEMENT_MALFORMED`.
    """
    raw = message.header
    _require("request_id", holds=len(raw.request_id) == REQUEST_ID_BYTES)
    _require("commitment_salt", holds=len(raw.commitment_salt) == SALT_BYTES)
    # Absent or whole: what names half a request can waive nobody's charge.
    _require("retries", holds=len(raw.retries) in {0, REQUEST_ID_BYTES})
    _require("sender", holds=_SYSTEM_ID.fullmatch(raw.sender) is not None)
    _require("receiver", holds=_SYSTEM_ID.fullmatch(raw.receiver) is not None)
    return Header(
        request_id=raw.request_id,
        sender=SystemId(raw.sender),
        receiver=SystemId(raw.receiver),
        method=raw.method,
        issued_at_ms=_milliseconds(raw.issue_time),
        expires_at_ms=_milliseconds(raw.expire_time),
        commitment_salt=raw.commitment_salt,
        retries=raw.retries or None,
    )


def parse_exchange(
    message: exchange_pb2.ExchangeStatement, header: Header, now_ms: int
) -> Statement:
    """Return the statement of one question.

    Raises:
        Refusal: `STATEMENT_MALFORMED`, `SUBJECT_INVALID`, `QUERY_INVALID`.
    """
    return _statement(header, message.purpose, message.subject, [message.query], now_ms)


def parse_matter(message: exchange_pb2.MatterStatement, header: Header, now_ms: int) -> Statement:
    """Return the statement of a whole matter.

    Raises:
        Refusal: `STATEMENT_MALFORMED`, `SUBJECT_INVALID`, `QUERY_INVALID`.
    """
    _require_query("queries", holds=1 <= len(message.queries) <= MAX_QUERIES)
    keys = [(query.agreement, query.dataset) for query in message.queries]
    # The officer's assertion has one detail for each pair: a second query of it would be
    # unasserted.
    _require_query("queries: a pair twice", holds=len(set(keys)) == len(keys))
    return _statement(header, message.purpose, message.subject, message.queries, now_ms)


def parse_result(message: exchange_pb2.ResultStatement, header: Header, now_ms: int) -> Statement:
    """Return the statement of a question for a pending result.

    Raises:
        Refusal: `STATEMENT_MALFORMED`, `SUBJECT_INVALID`, `QUERY_INVALID`.
    """
    _require("pending_request_id", holds=len(message.pending_request_id) == REQUEST_ID_BYTES)
    return _statement(
        header,
        message.purpose,
        message.subject,
        [message.query],
        now_ms,
        pending_request_id=message.pending_request_id,
    )


def parse_receipt_lookup(message: accesslog_pb2.ReceiptStatement) -> tuple[bytes, int]:
    """Return which exchange's receipt is wanted: its request_id and item.

    Raises:
        Refusal: `STATEMENT_MALFORMED`.
    """
    _require("receipt_request_id", holds=len(message.receipt_request_id) == REQUEST_ID_BYTES)
    _require("item", holds=message.item < MAX_QUERIES)
    return message.receipt_request_id, message.item


AGREEMENTS_STATEMENT: Final = catalog_pb2.AgreementsStatement
EXCHANGE_STATEMENT: Final = exchange_pb2.ExchangeStatement
MATTER_STATEMENT: Final = exchange_pb2.MatterStatement
RECEIPT_STATEMENT: Final = accesslog_pb2.ReceiptStatement
RESULT_STATEMENT: Final = exchange_pb2.ResultStatement


def _statement(
    header: Header,
    purpose: exchange_pb2.Purpose,
    subject: exchange_pb2.Subject,
    queries: Sequence[exchange_pb2.DatasetQuery],
    now_ms: int,
    *,
    pending_request_id: bytes | None = None,
) -> Statement:
    return Statement(
        header=header,
        purpose=_purpose(purpose),
        subject=_subject(subject, now_ms),
        queries=tuple(_query(query) for query in queries),
        pending_request_id=pending_request_id,
    )


def _purpose(raw: exchange_pb2.Purpose) -> Purpose:
    _require("matter", holds=_MATTER.fullmatch(raw.matter) is not None)
    _require("legal_basis", holds=1 <= len(raw.legal_basis) <= MAX_BASIS_CHARACTERS)
    _require("case_number", holds=_NUMBER.fullmatch(raw.case_number) is not None)
    return Purpose(
        matter=raw.matter,
        legal_basis=raw.legal_basis,
        case_number=raw.case_number,
        officer_assertion=raw.officer_assertion or None,
    )


def _subject(raw: exchange_pb2.Subject, now_ms: int) -> Subject:
    kind = _SUBJECT_TYPES.get(raw.type)
    if kind is None or len(raw.full_name) > MAX_NAME_CHARACTERS:
        raise Refusal(Reason.SUBJECT_INVALID)
    return Subject(
        type=kind,
        identifier=normalised_identifier(kind, raw.identifier, now_ms),
        full_name=raw.full_name or None,
    )


def _query(raw: exchange_pb2.DatasetQuery) -> DatasetQuery:
    fields = tuple(FieldName(name) for name in raw.fields)
    claims = {claim.name: claim.value for claim in raw.claims}
    _require_query("agreement", holds=_AGREEMENT.fullmatch(raw.agreement) is not None)
    _require_query("dataset", holds=_DATASET.fullmatch(raw.dataset) is not None)
    # None at all never means "everything" (AIP-157 read the other way round).
    _require_query("fields", holds=1 <= len(fields) <= MAX_FIELDS)
    _require_query("fields: a name twice", holds=len(set(fields)) == len(fields))
    _require_query("claims", holds=len(raw.claims) <= MAX_CLAIMS)
    # Twice the same name would leave it to the adapter which of two values is compared.
    _require_query("claims: a name twice", holds=len(claims) == len(raw.claims))
    # Where a name is wrong is sought only when one is.
    if not all(_NAME.fullmatch(name) for name in (*fields, *claims)):
        where = places_of(fields, claims, lambda name: _NAME.fullmatch(name) is None)
        raise Refusal(Reason.QUERY_INVALID, diagnostics=f"{where}: form of the name")
    fits = all(1 <= len(value) <= MAX_CLAIM_CHARACTERS for value in claims.values())
    _require_query("claims: length of a value", holds=fits)
    return DatasetQuery(
        agreement=raw.agreement, dataset=DatasetName(raw.dataset), fields=fields, claims=claims
    )


def _milliseconds(stamp: Timestamp) -> int:
    """Return UTC milliseconds; finer parts are cut off, years beyond 9999 are out of range."""
    _require("time", holds=0 <= stamp.seconds < YEAR_10000_S and 0 <= stamp.nanos < NANOS_PER_S)
    return stamp.seconds * 1000 + stamp.nanos // 1_000_000


def _require(member: str, *, holds: bool) -> None:
    if not holds:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics=member)


def _require_query(what: str, *, holds: bool) -> None:
    if not holds:
        raise Refusal(Reason.QUERY_INVALID, diagnostics=what)
