"""On whose behalf a question is asked: where the officer assertion comes from.

An assertion names the request id and the subject's digest, so it can only be made for a question
that is about to be signed: the source is called with that context and returns a compact JWT.
`Officer` signs with the organisation's officer key, as sandboxes and tests do; in service the
partner's identity service holds that key and is called through `AssertionSource`.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from hutong.client.errors import QuestionRefused
from hutong.client.questions import DatasetQuery, Purpose
from signing.assertion import AssertionClaims, AuthorizationDetail, Staff, issue_assertion
from signing.errors import AssertionRefused
from signing.signer import Signer

__all__ = ["LIFE_S", "AssertionContext", "AssertionSource", "Officer", "Staff"]

LIFE_S: Final = 120
"""Seconds; as long as the request itself, and below the 300 s of the profile."""


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
            staff=self.staff,
            details=tuple(_detail(context, query) for query in context.queries),
        )
        try:
            return issue_assertion(self.signer, claims)
        except AssertionRefused as cause:
            raise QuestionRefused(f"officer assertion: {cause.reason}") from cause


def _detail(context: AssertionContext, query: DatasetQuery) -> AuthorizationDetail:
    return AuthorizationDetail(
        agreement=query.agreement,
        dataset=query.dataset,
        matter=context.purpose.matter,
        case=context.purpose.case_number,
        fields=query.fields,
        subject_digest=context.subject_digest,
    )
