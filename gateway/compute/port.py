"""The jobs: what each is given, what it yields, and the port through which the path asks.

INVARIANT: beside the key that seals and the tables that are asked, which both processes have, a job
holds everything it needs. It reads no trust store, no clock and no log, so it does not matter which
process does it, nor whether it is done twice.
INVARIANT: whether a key stands at the time of a call is judged by who asks, not by a job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapters.port import Grant, Query
from certs.identity import SystemId, VerifyingKey
from certs.public_key import PublicKey
from certs.quick import quickly_made
from gateway.distrust import Minimised
from gateway.errors import Refusal
from gateway.model import Logged
from gateway.receipt import AnswerCommitment
from gateway.statement.kinds import QuestionKind
from gateway.statement.values import Header, Statement
from signing.assertion import AssertionClaims
from signing.record import RecordExpectation, RecordState


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """One call as carried, and the keys it may be signed with."""

    body: bytes = field(repr=False)
    payload_type: str
    keys: Sequence[VerifyingKey]
    """The envelope keys of the channel's system."""
    kind: QuestionKind | None
    """How the payload is read; None where it holds no question."""
    officer_keys: Mapping[str, VerifyingKey]
    """The officer keys of the system's organisation, by key id."""
    organisation: str
    audience: SystemId
    thumbprint: bytes
    """SHA-256 of the certificate of this channel."""
    now_ms: int


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """What an officer key of the organisation has signed, and which key."""

    keyid: str
    claims: AssertionClaims = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A verified payload and what it says, up to the first rule it breaks.

    The path takes the parts in the order of its steps; where one is missing, `refusal` is raised.
    """

    keyid: str
    payload: bytes = field(repr=False)
    header: Header | None = None
    statement: Statement | None = None
    asserted: Asserted | None = None
    refusal: Refusal | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ProveJob:
    """A record as it came, the key it must be signed with, and what was granted."""

    compact: str = field(repr=False)
    key: PublicKey
    expected: RecordExpectation
    due: RecordState
    grants: tuple[Grant, ...] = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJob:
    """A question to the department whose tables lie here, and what its record is proven with."""

    query: Query
    issuer: str
    """USCC that the record must be of."""
    keys: tuple[PublicKey, ...]
    """The keys that department signs records with; which of them stands is judged by who asks."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SealJob:
    """An answer whose entry is durable."""

    commitment: AnswerCommitment
    logged: Logged


class Compute(Protocol):
    """Does jobs."""

    async def open(self, job: OpenJob) -> Opened:
        """Return what is proven of a call.

        Raises:
            Refusal: `ENVELOPE_MALFORMED`, `PAYLOAD_TYPE_WRONG`, `SIGNER_UNKNOWN`,
                `SIGNATURE_INVALID`.
        """
        ...

    async def prove(self, job: ProveJob) -> Minimised:
        """Return what was granted of a record that is proven.

        Raises:
            Distrusted: the record proves nothing.
        """
        ...

    async def seal(self, job: SealJob) -> bytes:
        """Return the encoded `SignedEnvelope` of an answer."""
        ...
