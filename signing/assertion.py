"""Officer assertions in, client assertions out (docs/officer-assertion.md).

An officer assertion is a JWT of at most 300 s by which the requesting organisation says which
officer asks which questions for which case; it is bound to the request (`jti`), to the channel
(`cnf`) and to the subject (`subject_digest`), so that it is of no use anywhere else.
`signing.strict_jwt` believes it; here its own claims are read.
INVARIANT: no claim is ignored: what is not understood is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from certs.identity import VerifyingKey
from certs.registry_file import KeyPurpose
from signing.assertion_form import (
    _VERIFIER_MARK,
    CLIENT_TYPE,
    DETAIL_TYPE,
    MAX_DETAILS,
    MAX_FIELDS,
    OFFICER_TYPE,
    AssertionClaims,
    AssertionExpectation,
    AuthorizationDetail,
    OfficerAssertion,
    Staff,
)
from signing.encoding import JsonValue, b64url_encode, parse_b64url
from signing.errors import AssertionReason, AssertionRefused, Malformed
from signing.jws import JOSE_SUITES, certificate_chain, sign_jws, signer_header
from signing.signer import Signer
from signing.strict_jwt import MAX_JWT, MAX_LIFE_S, JwtExpectation, seconds, verify_jwt

__all__ = [
    "AssertionClaims",
    "AssertionExpectation",
    "AuthorizationDetail",
    "ClientAssertionClaims",
    "OfficerAssertion",
    "Staff",
    "issue_assertion",
    "issue_client_assertion",
    "verify_assertion",
]

_CLAIMS: Final = frozenset(
    {"iss", "sub", "aud", "jti", "iat", "nbf", "exp", "cnf", "authorization_details", "staff"}
)
_STAFF: Final = ("role", "unit", "unit_code", "level", "division")
_STAFF_OPTIONAL: Final = ("call_reason", "name", "identifier")
_DETAIL: Final = ("agreement", "dataset", "matter", "case")
_DETAIL_NAMES: Final = frozenset({"type", "fields", "subject_digest", *_DETAIL})
_THUMBPRINT: Final = "x5t#S256"
_HASH_LENGTH: Final = 32
# Characters; the longest text is a unit's or a call reason's.
_MAX_TEXT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAssertionClaims:
    """How we name ourselves at a department's token endpoint (RFC 7523 3)."""

    client_id: str
    """`iss` and `sub`."""
    audience: str
    """The department's issuer identifier or token endpoint, as agreed: `aud`."""
    identifier: str
    """Never used twice: `jti`."""
    issued_at_s: int
    expires_at_s: int


def issue_client_assertion(signer: Signer, claims: ClientAssertionClaims) -> str:
    """Sign a client assertion for a department (private_key_jwt).

    Raises:
        AssertionRefused: WRONG_ALGORITHM for an SM2 key, LIFE_TOO_LONG.
    """
    _require_issuable(signer, claims.expires_at_s - claims.issued_at_s)
    payload: dict[str, JsonValue] = {
        "iss": claims.client_id,
        "sub": claims.client_id,
        "aud": claims.audience,
        "jti": claims.identifier,
        "iat": claims.issued_at_s,
        "exp": claims.expires_at_s,
    }
    # Departments know us by certificate and not by the key ids of our registry: hence `x5c`.
    return sign_jws(signer, signer_header(signer, CLIENT_TYPE) | certificate_chain(signer), payload)


def issue_assertion(signer: Signer, claims: AssertionClaims) -> str:
    """Sign an officer assertion with the organisation's officer key.

    Raises:
        AssertionRefused: WRONG_ALGORITHM for an SM2 key, LIFE_TOO_LONG, TOO_LARGE.
    """
    _require_issuable(signer, claims.expires_at_s - claims.issued_at_s)
    payload: dict[str, JsonValue] = {
        "iss": claims.issuer,
        "sub": claims.staff.token,
        "aud": claims.audience,
        "jti": claims.request_id.hex(),
        "iat": claims.issued_at_s,
        "nbf": claims.issued_at_s,
        "exp": claims.expires_at_s,
        "cnf": {_THUMBPRINT: b64url_encode(claims.thumbprint)},
        "authorization_details": [_encode_detail(detail) for detail in claims.details],
        "staff": _encode_staff(claims.staff),
    }
    token = sign_jws(signer, signer_header(signer, OFFICER_TYPE), payload)
    # Refused where it is made: on the other side it would cost a whole request to find out.
    if len(token) > MAX_JWT:
        raise AssertionRefused(AssertionReason.TOO_LARGE)
    return token


def verify_assertion(
    token: str, keys: Mapping[str, VerifyingKey], expected: AssertionExpectation
) -> OfficerAssertion:
    """Prove that an organisation lets an officer ask, over this channel, in this request.

    `keys` are the officer keys registered for the organisation of the calling system, by key id.

    Raises:
        AssertionRefused: `.reason` says which rule is broken.
    """
    claims, key = verify_jwt(
        token,
        keys,
        JwtExpectation(
            jwt_type=OFFICER_TYPE,
            required=_CLAIMS,
            usage=KeyPurpose.OFFICER,
            issuer=expected.issuer,
            audience=expected.audience,
            now_s=expected.now_s,
            leeway_s=expected.leeway_s,
        ),
    )
    # Bound to the request, whose id is taken once only: assertions need no replay table of their
    # own.
    if claims["jti"] != expected.request_id.hex():
        raise AssertionRefused(AssertionReason.WRONG_IDENTIFIER)
    # RFC 8705 3.1: a stolen assertion is of no use over a channel with another certificate.
    if _thumbprint(claims["cnf"]) != expected.thumbprint:
        raise AssertionRefused(AssertionReason.NOT_BOUND_TO_CHANNEL)
    return OfficerAssertion(
        claims=AssertionClaims(
            issuer=expected.issuer,
            audience=expected.audience,
            request_id=expected.request_id,
            thumbprint=expected.thumbprint,
            issued_at_s=seconds(claims, "iat"),
            expires_at_s=seconds(claims, "exp"),
            staff=_parse_staff(_text(claims, "sub"), claims["staff"]),
            details=_parse_details(claims["authorization_details"]),
        ),
        signer=key,
        mark=_VERIFIER_MARK,
    )


def _require_issuable(signer: Signer, life_s: int) -> None:
    if signer.suite not in JOSE_SUITES:
        raise AssertionRefused(AssertionReason.WRONG_ALGORITHM, "assertions are ES256 or EdDSA")
    if not 0 < life_s <= MAX_LIFE_S:
        raise AssertionRefused(AssertionReason.LIFE_TOO_LONG)


def _encode_detail(detail: AuthorizationDetail) -> JsonValue:
    return {
        "type": DETAIL_TYPE,
        "agreement": detail.agreement,
        "dataset": detail.dataset,
        "matter": detail.matter,
        "case": detail.case,
        "fields": [*detail.fields],
        "subject_digest": b64url_encode(detail.subject_digest),
    }


def _encode_staff(staff: Staff) -> JsonValue:
    optional = {
        "call_reason": staff.call_reason,
        "name": staff.name,
        "identifier": staff.identifier,
    }
    return {
        "token": staff.token,
        "role": staff.role,
        "unit": staff.unit,
        "unit_code": staff.unit_code,
        "level": staff.level,
        "division": staff.division,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _thumbprint(confirmation: JsonValue) -> bytes:
    members = _members(confirmation, "cnf", frozenset({_THUMBPRINT}))
    return _hash(members, _THUMBPRINT)


def _parse_staff(token: str, value: JsonValue) -> Staff:
    members = _members(value, "staff", frozenset({"token", *_STAFF, *_STAFF_OPTIONAL}))
    # Said twice, in `sub` for JWT readers and here for ours: they may not name two officers.
    if members.get("token") != token:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, "staff.token is not sub")
    role, unit, unit_code, level, division = (_text(members, name) for name in _STAFF)
    call_reason, name, identifier = (
        _text(members, name) if name in members else None for name in _STAFF_OPTIONAL
    )
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


def _parse_details(value: JsonValue) -> tuple[AuthorizationDetail, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_DETAILS:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, "authorization_details")
    details = tuple(_parse_detail(element) for element in value)
    # Two details for one dataset would leave it to the order which fields were allowed.
    if len({(detail.agreement, detail.dataset) for detail in details}) != len(details):
        raise AssertionRefused(AssertionReason.DETAIL_REPEATED)
    return details


def _parse_detail(value: JsonValue) -> AuthorizationDetail:
    members = _members(value, "authorization_details", _DETAIL_NAMES)
    if members.get("type") != DETAIL_TYPE:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, "type")
    agreement, dataset, matter, case = (_text(members, name) for name in _DETAIL)
    return AuthorizationDetail(
        agreement=agreement,
        dataset=dataset,
        matter=matter,
        case=case,
        fields=_parse_fields(members.get("fields")),
        subject_digest=_hash(members, "subject_digest"),
    )


def _parse_fields(value: JsonValue) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    fields = tuple(each for each in listed if isinstance(each, str) and 0 < len(each) <= _MAX_TEXT)
    # An empty list is refused: it could be read as "none" by one side and as "all" by the other.
    if not 0 < len(fields) == len(listed) <= MAX_FIELDS or len(set(fields)) != len(fields):
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, "fields")
    return fields


def _members(value: JsonValue, what: str, names: frozenset[str]) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, what)
    if not value.keys() <= names:
        raise AssertionRefused(AssertionReason.CLAIM_UNKNOWN, what)
    return value


def _text(members: Mapping[str, JsonValue], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, name)
    return value


def _hash(members: Mapping[str, JsonValue], name: str) -> bytes:
    try:
        octets = parse_b64url(_text(members, name))
    except Malformed as cause:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, name) from cause
    if len(octets) != _HASH_LENGTH:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, name)
    return octets
