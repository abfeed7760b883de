"""On whose behalf a question is asked: where the officer assertion comes from.

An assertion names the request id and the subject's digest, so it can only be made for a question
that is about to be signed: the source is called with that context and returns a compact JWT.
`Officer` signs with the organisation's officer key, as sandboxes and tests do; in service the
partner's identity service holds that key and is called through `AssertionSource`.
"""

import dataclasses
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from hutong.client.errors import QuestionRefused
from hutong.client.questions import DatasetQuery, Purpose
from hutong.client.reasons import ClientReason
from signing.assertion import AssertionClaims, AuthorizationDetail, issue_assertion
from signing.assertion import Staff as AssertedStaff
from signing.errors import AssertionRefused
from signing.signer import Signer

MAX_TEXT: Final = 200
"""Characters of each text about an officer (docs/officer-assertion.md)."""
_DIVISION: Final = re.compile(r"[0-9]{6}", re.ASCII)
LIFE_S: Final = 120
"""Seconds; as long as the request itself, and below the 300 s of the profile."""


class OfficerLevel(StrEnum):
    """The level of an officer's unit, from the province down (docs/officer-assertion.md)."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The officer as his organisation knows him; the last three go to departments that demand them.

    `token` is a pseudonym of the organisation's choice, stable for one officer.

    Raises:
        QuestionRefused: OFFICER_INVALID with the member, because a level no condition knows opens
            nothing, and an empty text makes the whole assertion invalid.
    """

    token: str = field(repr=False)
    role: str
    unit: str = field(repr=False)
    unit_code: str
    level: str
    """One of `OfficerLevel`."""
    division: str
    """GB/T 2260 code of the officer's division, 6 digits."""
    call_reason: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    identifier: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Hold each member to its form (docs/officer-assertion.md)."""
        for member in dataclasses.fields(self):
            text = getattr(self, member.name)
            if text is not None and not 1 <= len(text) <= MAX_TEXT:
                raise QuestionRefused(ClientReason.OFFICER_INVALID, member.name)
        if self.level not in {*OfficerLevel}:
            raise QuestionRefused(ClientReason.OFFICER_INVALID, "level")
        if _DIVISION.fullmatch(self.division) is None:
            raise QuestionRefused(ClientReason.OFFICER_INVALID, "division")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionContext:
    """The question an assertion has to be made for."""

    request_id: bytes
    system_id: str
    gateway_id: str
    """The `aud` of the assertion."""
    tls_thumbprint: bytes
    """SHA-256 of the calling system's TLS certificate: `cnf.x5t#S256`."""
    subject_digest: bytes = field(repr=False)
    purpose: Purpose
    queries: tuple[DatasetQuery, ...]
    now_ms: int
    """UTC, milliseconds."""


class AssertionSource(Protocol):
    """Whoever issues officer assertions: an identity service, or a key in a sandbox."""

    def issue(self, context: AssertionContext) -> str:
        """Return the assertion for one question, a compact JWT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """An officer whose assertions are signed here, with his organisation's officer key."""

    signer: Signer = field(repr=False)
    staff: Staff = field(repr=False)

    def issue(self, context: AssertionContext) -> str:
        """Return the assertion for one question.

        Raises:
            QuestionRefused: the officer key signs no assertion, or there is too much to assert.
        """
        issued_at_s = context.now_ms // 1000
        claims = AssertionClaims(
            issuer=context.system_id.partition("/")[0],
            audience=context.gateway_id,
            request_id=context.request_id,
            thumbprint=context.tls_thumbprint,
            issued_at_s=issued_at_s,
            expires_at_s=issued_at_s + LIFE_S,
            staff=_asserted(self.staff),
            details=tuple(_detail(context, query) for query in context.queries),
        )
        try:
            return issue_assertion(self.signer, claims)
        except AssertionRefused as cause:
            raise QuestionRefused(ClientReason.ASSERTION_NOT_ISSUED, cause.reason) from cause


def _asserted(staff: Staff) -> AssertedStaff:
    return AssertedStaff(
        token=staff.token,
        role=staff.role,
        unit=staff.unit,
        unit_code=staff.unit_code,
        level=staff.level,
        division=staff.division,
        call_reason=staff.call_reason,
        name=staff.name,
        identifier=staff.identifier,
    )


def _detail(context: AssertionContext, query: DatasetQuery) -> AuthorizationDetail:
    return AuthorizationDetail(
        agreement=query.agreement,
        dataset=query.dataset,
        matter=context.purpose.matter,
        case=context.purpose.case_number,
        fields=query.fields,
        subject_digest=context.subject_digest,
    )
