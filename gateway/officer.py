"""Step 5: who acts, asserted by the requester's own organisation and bound to this very request.

INVARIANT: the officer's keys are those registered for the organisation of the channel's system; for
every query asked there is one authorisation with the same matter, case, fields and subject.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.mapping.identifiers import examine_resident_id
from adapters.mapping.names import SEPARATORS
from adapters.port import EndUser, Subject
from certs.chain import require_current
from certs.errors import CertificateRefused
from certs.identity import RegisteredKey, VerifyingKey
from certs.quick import quickly_made
from gateway.errors import Reason, Refusal
from gateway.statement.values import DatasetQuery, Statement
from gateway.trust import moment
from signing.assertion import (
    AssertionClaims,
    AssertionExpectation,
    OfficerAssertion,
    Staff,
    verify_assertion,
)
from signing.encoding import subject_digest
from signing.errors import AssertionReason, AssertionRefused

NOT_TOLD: Final = b"unknown"
"""A system job, or an officer whose assertion does not name him."""
NO_RELATION: Final = b"none"
_UNBOUND = frozenset(
    {
        AssertionReason.WRONG_ISSUER,
        AssertionReason.WRONG_AUDIENCE,
        AssertionReason.WRONG_IDENTIFIER,
        AssertionReason.NOT_BOUND_TO_CHANNEL,
    }
)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """The officer as proven; personal data goes to departments that demand it and nowhere else."""

    staff: str = field(repr=False)
    """The organisation's own pseudonym of the officer."""
    role: str
    level: str
    division: str
    end_user: EndUser | None = field(repr=False)
    """None where the assertion does not name him."""


def prove_assertion(
    token: str, keys: Mapping[str, VerifyingKey], expected: AssertionExpectation
) -> OfficerAssertion:
    """Return the proof that an organisation lets an officer ask in this request.

    Raises:
        Refusal: `ASSERTION_INVALID`, `ASSERTION_MISMATCH`.
    """
    try:
        return verify_assertion(token, keys, expected)
    except AssertionRefused as error:
        reason = Reason.ASSERTION_MISMATCH if error.reason in _UNBOUND else Reason.ASSERTION_INVALID
        raise Refusal(reason, diagnostics=error.reason) from error


def require_officer(
    keys: Mapping[str, RegisteredKey],
    keyid: str,
    claims: AssertionClaims,
    statement: Statement,
    now_ms: int,
) -> Officer:
    """Return the officer a statement is made for, whose assertion is proven.

    Raises:
        Refusal: `ASSERTION_INVALID`, `ASSERTION_MISMATCH`.
    """
    # Signature first, standing after: only a proven token tells which key has to be current.
    try:
        require_current(keys[keyid], moment(now_ms))
    except CertificateRefused as error:
        raise Refusal(Reason.ASSERTION_INVALID, diagnostics=error.reason) from error
    for query in statement.queries:
        _require_authorised(claims, statement, query)
    return _officer(claims.staff)


def relation_of(officer: Officer | None, subject: Subject) -> bytes:
    """Return how officer and subject may be related, as the log commits to it.

    Codes only, for whoever reviews looks at oneself and at relatives (access-log.md (c)); which
    household somebody is of no register here can tell.
    """
    if officer is None or officer.end_user is None:
        return NOT_TOLD
    named = officer.end_user
    flags = []
    if _normal(named.identifier) == subject.identifier:
        flags.append("self")
    if _surname(named.name) == _surname(subject.full_name or "") != "":
        flags.append("same_surname")
    return ",".join(flags).encode("ascii") or NO_RELATION


def _normal(identifier: str) -> str:
    """Return a resident number in the form subjects have; a wrong one stays what it is."""
    return examine_resident_id(identifier).value or identifier.upper()


def _surname(name: str) -> str:
    """Return the first character; nothing of names that have parts."""
    return "" if SEPARATORS & set(name) else name[:1]


def _require_authorised(claims: AssertionClaims, statement: Statement, query: DatasetQuery) -> None:
    """Hold one query against what the officer may ask, member by member."""
    detail = claims.detail_for(query.agreement, query.dataset)
    if detail is None:
        raise Refusal(Reason.ASSERTION_MISMATCH, diagnostics="no detail")
    subject = statement.subject
    digest = subject_digest(statement.header.request_id, subject.type.value, subject.identifier)
    agrees = (
        detail.matter == statement.purpose.matter
        and detail.case == statement.purpose.case_number
        # Equal and not contained: the officer's organisation answers for this question, not for
        # another.
        and set(detail.fields) == set(query.fields)
        and hmac.compare_digest(detail.subject_digest, digest)
    )
    if not agrees:
        raise Refusal(Reason.ASSERTION_MISMATCH, diagnostics="detail differs")


def _officer(staff: Staff) -> Officer:
    named = staff.name is not None and staff.identifier is not None
    end_user = (
        EndUser(
            name=staff.name or "",
            identifier=staff.identifier or "",
            unit=staff.unit,
            unit_code=staff.unit_code,
            call_reason=staff.call_reason or "",
        )
        if named
        else None
    )
    return Officer(
        staff=staff.token,
        role=staff.role,
        level=staff.level,
        division=staff.division,
        end_user=end_user,
    )
