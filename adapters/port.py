"""The port between the exchange and a department: what is asked, what comes back.

Knows nothing of gRPC, policy documents, the log or any department's dialect. An adapter fetches the
raw record, drops what was not granted, applies each effect and signs the result; the raw record
never crosses this port (decisions.md, "Where effects are applied").

INVARIANT: a value of personal data appears in `Query.subject`, `Query.claims`, `Query.end_user` and
inside `Record.sd_jwt` only; every `repr` of these hides it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NewType, Protocol, runtime_checkable

from adapters.causes import Cause
from certs.identity import SystemId
from certs.quick import quickly_made
from signing.record import Custody

PROVIDER_SLUG: Final = "provider"
"""Records of an organisation are signed by its system of this name, a provider node being one."""

FieldName = NewType("FieldName", str)
DatasetName = NewType("DatasetName", str)
"""Dataset and version, e.g. `edu.diploma@1`."""


class EffectKind(StrEnum):
    """How a field is released, from most to least (decisions.md, Names)."""

    CLEAR = "CLEAR"
    MASK = "MASK"
    GENERALISE = "GENERALISE"
    PSEUDONYM = "PSEUDONYM"
    COMPARE = "COMPARE"
    PREDICATE = "PREDICATE"
    WITHHOLD = "WITHHOLD"


class Finding(StrEnum):
    """The outcome of a predicate or comparison; `INDETERMINATE` is never to be read as `NO`."""

    YES = "YES"
    NO = "NO"
    INDETERMINATE = "INDETERMINATE"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    ERROR = "ERROR"


class SubjectType(StrEnum):
    """What kind of identifier names the subject."""

    RESIDENT_ID = "RESIDENT_ID"
    USCC = "USCC"


class Indeterminate(StrEnum):
    """Why it could not be told; names equal the proto enum without its prefix."""

    PENDING = "PENDING"
    PROVIDER_NOT_CONNECTED = "PROVIDER_NOT_CONNECTED"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_MALFORMED = "PROVIDER_MALFORMED"
    PROVIDER_FAULT = "PROVIDER_FAULT"
    SUBJECT_MISMATCH = "SUBJECT_MISMATCH"
    PROVIDER_UNPROVEN = "PROVIDER_UNPROVEN"
    PROVIDER_QUOTA = "PROVIDER_QUOTA"
    SUBJECT_UNRESOLVED = "SUBJECT_UNRESOLVED"
    QUESTION_REJECTED = "QUESTION_REJECTED"


class Lacking(StrEnum):
    """What a department demands of every question and this one lacks: the requester's to mend."""

    SUBJECT_NAME = "SUBJECT_NAME"
    OFFICER = "OFFICER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect with its fixed parameters.

    Samples: MASK ("3", "4"), GENERALISE ("year",), PREDICATE ("at_least", "12").
    """

    kind: EffectKind
    parameters: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The effect in ASCII, as records and entries carry it, e.g. `MASK(3,4)`."""
        return f"{self.kind}({','.join(self.parameters)})" if self.parameters else self.kind.value


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """Name and catalog type of one field; the type is the catalog's text, e.g. `code:GB/T2260`."""

    name: FieldName
    type: str
    when_absent: Finding = Finding.INDETERMINATE
    """The finding of a predicate when the department holds no record of the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetShape:
    """A dataset as the catalog names it; `fields` in catalog order, one digest slot each."""

    name: DatasetName
    fields: tuple[FieldShape, ...]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """About whom; the identifier is normalised (18 characters, upper-case X)."""

    type: SubjectType
    identifier: str = field(repr=False)
    full_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndUser:
    """The officer as a department demands him (domain.md 2.2).

    Goes to that department only and is never logged.
    """

    name: str = field(repr=False)
    identifier: str = field(repr=False)
    unit: str = field(repr=False)
    unit_code: str
    call_reason: str = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One granted field and the effect to apply to it; never WITHHOLD."""

    field: FieldName
    effect: Effect
    pseudonym_key: bytes | None = dataclasses.field(default=None, repr=False)
    """32 bytes for PSEUDONYM: one key per provider, requester and matter."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What an adapter is asked: granted fields only, and all that the record must be bound to."""

    request_id: bytes
    item: int
    audience: SystemId
    dataset: DatasetShape
    subject: Subject
    grants: tuple[Grant, ...]
    claims: Mapping[str, str] = field(repr=False)
    matter: str
    case_number: str = field(repr=False)
    end_user: EndUser | None
    tell_not_found: bool
    """Whether the agreement lets the requester learn that no record exists."""
    issued_at_ms: int
    """UTC, milliseconds: the time the gateway read in step 1; the record's `iat`."""
    deadline: float
    """`time.monotonic()` after which nobody waits for the answer."""
    by_officer: bool = False
    """Whether an officer asks, named in `end_user` or not; a system job otherwise."""
    pending_request_id: bytes | None = None
    request_envelope: bytes = field(default=b"", repr=False)
    """The requester's envelope as received, for provider nodes that judge for themselves."""
    policy_digest: bytes = b""
    """SHA-256 of the bundle that granted, for provider nodes that hold one of their own."""
    custody: Custody = Custody.EMBEDDED
    """Where the key that signs the record must live, as the department is connected."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a department answered, effects applied, signed as SD-JWT (RFC 9901) in compact form."""

    sd_jwt: str = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The department holds no record of this subject; carries what its predicates find then."""

    sd_jwt: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """It could not be told; `retry_after_s` only with PENDING."""

    reason: Indeterminate
    retry_after_s: float | None = None
    # Of no account to a requester, and to whether two outcomes are the same.
    cause: Cause | None = field(default=None, compare=False)
    detail: str = field(default="", compare=False)
    """The rule that was broken or a code of ours for it; static, never a value of an answer."""


Outcome = Record | NotFound | Untold


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterHealth:
    """Whether a department answers the real operation, as last examined."""

    reachable: bool
    detail: str
    """A code for operators; never personal data, never an address."""


class BreakerState(StrEnum):
    """Whether questions are let through to a department; HALF_OPEN lets one try."""

    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


class ProviderAdapter(Protocol):
    """One department behind one dialect.

    `fetch` returns every fault it foresees as `Untold`. Whatever it raises besides cancellation is
    a mistake of the adapter, which the exchange takes for PROVIDER_FAULT.
    """

    @property
    def organisation(self) -> str:
        """USCC of the department: the `iss` of its records."""
        ...

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets this adapter serves."""
        ...

    @property
    def breaker_state(self) -> BreakerState:
        """Whether questions are let through; CLOSED where there is no breaker."""
        ...

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return what the department would miss in this question; asks nobody."""
        ...

    async def fetch(self, query: Query) -> Outcome:
        """Ask the department for the granted fields, apply the effects, sign."""
        ...

    async def examine_health(self) -> AdapterHealth:
        """Do the cheapest real operation and report."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class KeepsCopy(Protocol):
    """An adapter that copies what its department lays out, and is to begin before it is asked."""

    def begin(self) -> None:
        """Begin to copy, unless it does already; needs a running event loop."""
        ...
