"""The one place where a JWT from outside is believed: PyJWT behind rules it does not have.

    1. size, three canonical parts, strict JSON             TOO_LARGE, MALFORMED
    2. header: exact type, no `crit`, nothing that points   WRONG_TYPE … WRONG_HEADER
    3. key by (organisation, `kid`) from the registry       KEY_UNKNOWN
    4. the one algorithm of that key; signature (PyJWT)     WRONG_ALGORITHM, SIGNATURE_INVALID
    5. required claims, one audience, issuer (PyJWT)        CLAIM_MISSING … WRONG_ISSUER
    6. times, against the time handed in                    NOT_YET_VALID, EXPIRED, LIFE_TOO_LONG

PyJWT reads the wall clock, takes the last of duplicate names, any `typ` and a life of 100 years;
those four are decided here.
INVARIANT: no key, address or algorithm inside a token is ever used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from certs.identity import RegisteredKey
from certs.registry_file import KeyPurpose
from signing.encoding import JsonLimits, JsonValue, parse_b64url, parse_json_strict
from signing.errors import AssertionReason, AssertionRefused, Malformed
from signing.jws import JOSE_SUITES

if TYPE_CHECKING:
    from jwt.types import Options

MAX_JWT: Final = 8_192
"""Bytes; policy.md 5.3."""
MAX_LIFE_S: Final = 300
"""Seconds; decisions.md, JWT."""

_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
_LIMITS: Final = JsonLimits(max_bytes=MAX_JWT)
_PARTS: Final = 3
# Times are judged here: PyJWT would ask the wall clock.
_OPTIONS: "Final[Options]" = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "strict_aud": True,
    "enforce_minimum_key_length": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtExpectation:
    """What a JWT must say before its own claims are looked at."""

    jwt_type: str
    required: frozenset[str]
    """Claims that must be there; any other is refused."""
    usage: KeyPurpose
    issuer: str
    audience: str
    now_s: int
    leeway_s: int


def verify_jwt(
    token: str, keys: Mapping[str, RegisteredKey], expected: JwtExpectation
) -> tuple[dict[str, JsonValue], RegisteredKey]:
    """Return the claims of a JWT and the registered key that signed it.

    Raises:
        AssertionRefused: a rule of the module's plan is broken; `.reason` says which.
    """
    header, claims = _parse(token)
    key = _require_key(_require_header(header, expected.jwt_type), keys, expected)
    _require_signature(token, header, key, expected)
    unknown = claims.keys() - expected.required
    if unknown:
        raise AssertionRefused(AssertionReason.CLAIM_UNKNOWN)
    _require_times(claims, expected)
    return claims, key


def seconds(claims: Mapping[str, JsonValue], name: str) -> int:
    """Return a NumericDate (RFC 7519 2) without a fraction.

    Raises:
        AssertionRefused: CLAIM_MALFORMED.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise AssertionRefused(AssertionReason.CLAIM_MALFORMED, name)
    return value


def _parse(token: str) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    if len(token) > MAX_JWT:
        raise AssertionRefused(AssertionReason.TOO_LARGE)
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise AssertionRefused(AssertionReason.MALFORMED, "three parts")
    try:
        header, claims, _ = (parse_b64url(part) for part in parts)
        members = [parse_json_strict(text, _LIMITS) for text in (header, claims)]
    except Malformed as cause:
        raise AssertionRefused(AssertionReason.MALFORMED, cause.what) from cause
    first, second = members
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise AssertionRefused(AssertionReason.MALFORMED, "not an object")
    return first, second


def _require_header(header: dict[str, JsonValue], jwt_type: str) -> str:
    if header.get("typ") != jwt_type:
        raise AssertionRefused(AssertionReason.WRONG_TYPE)
    if "crit" in header:
        raise AssertionRefused(AssertionReason.CRITICAL_HEADER)
    keyid = header.get("kid")
    if not isinstance(keyid, str) or header.keys() != _HEADER_NAMES:
        raise AssertionRefused(AssertionReason.WRONG_HEADER)
    return keyid


def _require_key(
    keyid: str, keys: Mapping[str, RegisteredKey], expected: JwtExpectation
) -> RegisteredKey:
    key = keys.get(keyid)
    if key is None or key.usage is not expected.usage or key.organisation != expected.issuer:
        raise AssertionRefused(AssertionReason.KEY_UNKNOWN)
    return key


def _require_signature(
    token: str, header: dict[str, JsonValue], key: RegisteredKey, expected: JwtExpectation
) -> None:
    native = key.public_key.native
    if key.suite not in JOSE_SUITES or header["alg"] != key.suite.value:
        raise AssertionRefused(AssertionReason.WRONG_ALGORITHM)
    if not isinstance(native, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise AssertionRefused(AssertionReason.WRONG_ALGORITHM)
    try:
        jwt.decode(
            token,
            native,
            algorithms=[key.suite.value],
            audience=expected.audience,
            issuer=expected.issuer,
            options={**_OPTIONS, "require": sorted(expected.required)},
        )
    except jwt.PyJWTError as error:
        # from None: the library's text may quote a claim.
        raise AssertionRefused(_reason_of(error)) from None


def _reason_of(error: jwt.PyJWTError) -> AssertionReason:
    match error:
        case jwt.InvalidSignatureError():
            return AssertionReason.SIGNATURE_INVALID
        case jwt.MissingRequiredClaimError():
            return AssertionReason.CLAIM_MISSING
        case jwt.InvalidAudienceError():
            return AssertionReason.WRONG_AUDIENCE
        case jwt.InvalidIssuerError():
            return AssertionReason.WRONG_ISSUER
        case _:
            return AssertionReason.CLAIM_MALFORMED


def _require_times(claims: dict[str, JsonValue], expected: JwtExpectation) -> None:
    issued, not_before, expires = (seconds(claims, name) for name in ("iat", "nbf", "exp"))
    if not 0 < expires - issued <= MAX_LIFE_S:
        raise AssertionRefused(AssertionReason.LIFE_TOO_LONG)
    if max(issued, not_before) > expected.now_s + expected.leeway_s:
        raise AssertionRefused(AssertionReason.NOT_YET_VALID)
    if expected.now_s >= expires + expected.leeway_s:
        raise AssertionRefused(AssertionReason.EXPIRED)
