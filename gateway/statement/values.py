"""The values a signed request consists of, after parsing.

Knows nothing of the wire. INVARIANT: personal data stands in `subject`, `Purpose.officer_assertion`
and `DatasetQuery.claims` only, and no `repr` shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.port import DatasetName, FieldName, Subject
from certs.identity import SystemId
from certs.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who asks whom, when; the request's one id (16 bytes)."""

    request_id: bytes
    sender: SystemId
    receiver: SystemId
    method: str
    issued_at_ms: int
    expires_at_ms: int
    commitment_salt: bytes = field(repr=False)
    retries: bytes | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why it is asked; `officer_assertion` is None for system jobs."""

    matter: str
    legal_basis: str
    case_number: str = field(repr=False)
    officer_assertion: str | None = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetQuery:
    """One dataset asked for under one agreement."""

    agreement: str
    dataset: DatasetName
    fields: tuple[FieldName, ...]
    claims: Mapping[str, str] = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A signed question: one query for an exchange, 1 to 32 for a matter."""

    header: Header
    purpose: Purpose
    subject: Subject
    queries: tuple[DatasetQuery, ...]
    pending_request_id: bytes | None = None
