"""What an officer assertion says: who acts, for which case, about what (docs/officer-assertion.md).

INVARIANT: every `repr` here hides what names or describes a person.
INVARIANT: an `OfficerAssertion` is made by `signing.assertion` only.
"""

from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Final, final

from certs.quick import quickly_made

if TYPE_CHECKING:
    from certs.identity import VerifyingKey

OFFICER_TYPE: Final = "hutong-officer+jwt"
"""RFC 8725 3.11: an explicit type, distinct from every other profile."""
CLIENT_TYPE: Final = "client-authentication+jwt"
"""draft-ietf-oauth-rfc7523bis: the type of a client assertion."""
DETAIL_TYPE: Final = "hutong_exchange"
"""RFC 9396 2: each authorization detail names its type."""
MAX_DETAILS: Final = 32
"""exchange.proto, `MatterStatement.queries`."""
MAX_FIELDS: Final = 64
"""exchange.proto, `DatasetQuery.fields`."""

# The one object that opens the constructor of `OfficerAssertion`.
_VERIFIER_MARK: Final = object()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The officer as his organisation knows him; the last three go to departments that demand them.

    `token` is a pseudonym of the organisation's choice, stable for one officer: `sub`.
    """

    token: str = field(repr=False)
    role: str
    unit: str = field(repr=False)
    unit_code: str
    level: str
    division: str
    call_reason: str | None = field(default=None, repr=False)
    # Some departments demand the officer's own name and number: they go to those and no further.
    name: str | None = field(default=None, repr=False)
    identifier: str | None = field(default=None, repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationDetail:
    """One question the officer may ask: one dataset under one agreement for one case."""

    agreement: str
    dataset: str
    matter: str
    case: str = field(repr=False)
    fields: tuple[str, ...]
    subject_digest: bytes = field(repr=False)
    """`signing.encoding.subject_digest`, 32 bytes."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionClaims:
    """What an organisation asserts when it lets an officer ask."""

    issuer: str
    """USCC of the organisation: `iss`."""
    audience: str
    """System id of the gateway: `aud`."""
    request_id: bytes
    """16 bytes, `jti` in hexadecimal."""
    thumbprint: bytes
    """SHA-256 of the calling system's TLS certificate: `cnf.x5t#S256` (RFC 8705 3.1)."""
    issued_at_s: int
    """UTC seconds: `iat` and `nbf`."""
    expires_at_s: int
    """UTC seconds, at most 300 later: `exp`."""
    staff: Staff
    details: tuple[AuthorizationDetail, ...]

    def detail_for(self, agreement: str, dataset: str) -> AuthorizationDetail | None:
        """Return what was authorised for a dataset under an agreement, if anything was."""
        for detail in self.details:
            if (detail.agreement, detail.dataset) == (agreement, dataset):
                return detail
        return None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionExpectation:
    """What an assertion must be bound to."""

    issuer: str
    audience: str
    request_id: bytes
    thumbprint: bytes
    """SHA-256 of the certificate of this very channel."""
    now_s: int
    leeway_s: int = 30


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerAssertion:
    """An assertion as proven; whether `signer` is current is judged by `certs.chain`.

    Raises:
        TypeError: someone else than the verifier makes one.
    """

    claims: AssertionClaims
    signer: "VerifyingKey"
    mark: InitVar[object]

    def __post_init__(self, mark: object) -> None:
        """Refuse every maker but the verifier."""
        if mark is not _VERIFIER_MARK:
            raise TypeError("only verify_assertion makes an OfficerAssertion")
