"""The one place where a JWT from outside is believed.

    1. size, three canonical parts, strict JSON             TOO_LARGE, MALFORMED
    2. header: exact type, no `crit`, nothing that points   WRONG_TYPE … WRONG_HEADER
    3. key by (organisation, `kid`) from the registry       KEY_UNKNOWN
    4. the one algorithm of that key; signature             WRONG_ALGORITHM, SIGNATURE_INVALID
    5. exactly the claims of the profile, issuer, audience  CLAIM_MISSING … WRONG_AUDIENCE
    6. times, against the time handed in                    NOT_YET_VALID, EXPIRED, LIFE_TOO_LONG

PyJWT and joserfc are peers in the tests, not judges: PyJWT reads the wall clock, takes the last of
duplicate names, any `typ`, an audience list and a life of 100 years, so every rule would stand here
anyway; and it walks each character of the token in Python, which took half of a verification.
INVARIANT: no key, address or algorithm inside a token is ever used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from certs.algorithms import verify_signature
from certs.errors import AlgorithmUnavailable
from certs.errors import SignatureInvalid as KeySignatureInvalid
from certs.identity import VerifyingKey
from certs.quick import quickly_made
from certs.registry_file import KeyPurpose
from signing.encoding import JsonLimits, JsonValue, parse_b64url, parse_json_strict
from signing.errors import AssertionReason, AssertionRefused, Malformed
from signing.jws import JOSE_SUITES

MAX_JWT: Final = 8_192
"""Bytes; policy.md 5.3."""
MAX_LIFE_S: Final = 300
"""Seconds; decisions.md, JWT."""

_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
_LIMITS: Final = JsonLimits(max_bytes=MAX_JWT)
_PARTS: Final = 3


@quickly_made
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
    token: str, keys: Mapping[str, VerifyingKey], expected: JwtExpectation
) -> tuple[dict[str, JsonValue], VerifyingKey]:
    """Return the claims of a JWT and the registered key that signed it.

    Raises:
        AssertionRefused: a rule of the module's plan is broken; `.reason` says which.
    """
    header, claims, signature = _parse(token)
    key = _require_key(_require_header(header, expected.jwt_type), keys, expected)
    if key.suite not in JOSE_SUITES or header["alg"] != key.suite.value:
        raise AssertionRefused(AssertionReason.WRONG_ALGORITHM)
    try:
        # The carried text is verified; nothing is written again from what was parsed.
        verify_signature(key.public_key, signature, token[: token.rindex(".")].encode("ascii"))
    # A machine that cannot compute it has no proof, and says so in the same words.
    except (KeySignatureInvalid, AlgorithmUnavailable) as cause:
        raise AssertionRefused(AssertionReason.SIGNATURE_INVALID) from cause
    _require_claims(claims, expected)
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


def _parse(token: str) -> tuple[dict[str, JsonValue], dict[str, JsonValue], bytes]:
    if len(token) > MAX_JWT:
        raise AssertionRefused(AssertionReason.TOO_LARGE)
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise AssertionRefused(AssertionReason.MALFORMED, "three parts")
    try:
        protected, body, signature = (parse_b64url(part) for part in parts)
        header = parse_json_strict(protected, _LIMITS)
        claims = parse_json_strict(body, _LIMITS)
    except Malformed as cause:
        raise AssertionRefused(AssertionReason.MALFORMED, cause.what) from cause
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise AssertionRefused(AssertionReason.MALFORMED, "not an object")
    return header, claims, signature


def _require_header(header: dict[str, JsonValue], jwt_type: str) -> str:
    # RFC 8725 3.11: first, so that no token of one profile is ever judged by another's rules.
    if header.get("typ") != jwt_type:
        raise AssertionRefused(AssertionReason.WRONG_TYPE)
    # RFC 7515 4.1.11: an extension that is not understood must refuse.
    if "crit" in header:
        raise AssertionRefused(AssertionReason.CRITICAL_HEADER)
    keyid = header.get("kid")
    if not isinstance(keyid, str) or header.keys() != _HEADER_NAMES:
        raise AssertionRefused(AssertionReason.WRONG_HEADER)
    return keyid


def _require_key(
    keyid: str, keys: Mapping[str, VerifyingKey], expected: JwtExpectation
) -> VerifyingKey:
    key = keys.get(keyid)
    # Asked of the key and not only of the map: a caller who hands in too many opens nothing.
    if key is None or key.usage is not expected.usage or key.organisation != expected.issuer:
        raise AssertionRefused(AssertionReason.KEY_UNKNOWN)
    return key


def _require_claims(claims: dict[str, JsonValue], expected: JwtExpectation) -> None:
    missing = expected.required - claims.keys()
    if missing:
        raise AssertionRefused(AssertionReason.CLAIM_MISSING, min(missing))
    if len(claims) != len(expected.required):
        # The name is the issuer's and may hold anything: it is not repeated here.
        raise AssertionRefused(AssertionReason.CLAIM_UNKNOWN)
    if claims["iss"] != expected.issuer:
        raise AssertionRefused(AssertionReason.WRONG_ISSUER)
    # RFC 7519 4.1.3 allows a list; one that names others too would be good elsewhere as well.
    if claims["aud"] != expected.audience:
        raise AssertionRefused(AssertionReason.WRONG_AUDIENCE)


def _require_times(claims: dict[str, JsonValue], expected: JwtExpectation) -> None:
    issued, not_before, expires = (seconds(claims, name) for name in ("iat", "nbf", "exp"))
    # Judged first: a life of years would pass each of the other two.
    if not 0 < expires - issued <= MAX_LIFE_S:
        raise AssertionRefused(AssertionReason.LIFE_TOO_LONG)
    if max(issued, not_before) > expected.now_s + expected.leeway_s:
        raise AssertionRefused(AssertionReason.NOT_YET_VALID)
    if expected.now_s >= expires + expected.leeway_s:
        raise AssertionRefused(AssertionReason.EXPIRED)
