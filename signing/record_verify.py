"""Verifies records: every MUST of RFC 9901 section 7 for verifiers, and our narrower profile.

    1. size, one trailing tilde, no key binding JWT      TOO_LARGE … KEY_BINDING_PRESENT
    2. header: type, algorithm of the registered key     WRONG_TYPE … WRONG_HEADER
    3. signature over the carried bytes                  ALGORITHM_UNAVAILABLE, SIGNATURE_INVALID
    4. claims: all of ours, no others, digests distinct  CLAIM_MISSING … DIGEST_REPEATED
    5. disclosures: each referenced once, three parts    DISCLOSURE_MALFORMED … NAME_PRESENT
    6. meaning: issuer, audience, nonce, dataset, subject, time

Public verifiers accept unreferenced disclosures, reserved names and expired tokens; RFC 9901 7.1
says refuse, and so it is done here.
INVARIANT: `x5c` and every other part of the header selects no key and no algorithm.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from certs.algorithms import PublicKey, verify_signature
from certs.errors import AlgorithmUnavailable, CertificateRefused
from certs.errors import SignatureInvalid as KeySignatureInvalid
from certs.suites import Suite
from signing.encoding import (
    JsonLimits,
    JsonValue,
    b64url_encode,
    pae,
    parse_b64url,
    parse_json_strict,
)
from signing.errors import Malformed, RecordReason, RecordRefused
from signing.jws import JOSE_SUITES
from signing.record_form import (
    _VERIFIER_MARK,
    DIGEST_ALGORITHM,
    DIGEST_LENGTH,
    MANIFEST_TYPE,
    MAX_LIFE_S,
    MAX_RECORD,
    MAX_SLOTS,
    RECORD_TYPE,
    RESERVED_NAMES,
    WITHHELD,
    Custody,
    Disclosure,
    RecordClaims,
    RecordExpectation,
    RecordState,
    VerifiedRecord,
)
from signing.record_manifest import manifest_header

CLAIM_NAMES: Final = frozenset(
    {
        "_sd",
        "_sd_alg",
        "aud",
        "custody",
        "exp",
        "iat",
        "iss",
        "nonce",
        "answer_state",
        "sub_digest",
        "vct",
    }
)
_TEXT_CLAIMS: Final = ("aud", "custody", "iss", "nonce", "answer_state", "sub_digest", "vct")
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ", "x5c"})
_LIMITS: Final = JsonLimits(max_bytes=MAX_RECORD)
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}")
# 128 bits of salt are 22 characters of base64url.
_SALT: Final = re.compile(r"[A-Za-z0-9_-]{22,86}")
# Characters; a certificate in `x5c` takes about 2,000.
_MAX_HEADER: Final = 8_192
# Departments and their keys; bounds the memory of remembered headers to 2 MiB.
_MAX_HEADERS: Final = 256
_DISCLOSURE_PARTS: Final = 3
_JWT_PARTS: Final = 3
_VALUE_MEMBERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What is looked at of a header; `x5c` is not."""

    algorithm: JsonValue
    keyid: JsonValue
    jwt_type: JsonValue
    names: frozenset[str]


def verify_record(compact: str, key: PublicKey, expected: RecordExpectation) -> VerifiedRecord:
    """Prove that the key's owner signed this record as the answer to one query.

    Raises:
        RecordRefused: a rule of the module's plan is broken; `.reason` says which.
    """
    jwt, encoded = _split(compact)
    protected, body, signature = _split_jwt(jwt)
    message = _require_header(protected, body, key)
    try:
        verify_signature(key, _octets(signature, "signature"), message)
    except AlgorithmUnavailable as cause:
        raise RecordRefused(RecordReason.ALGORITHM_UNAVAILABLE) from cause
    except KeySignatureInvalid as cause:
        raise RecordRefused(RecordReason.SIGNATURE_INVALID) from cause
    payload = _object(body, "payload")
    digests = _require_digests(payload)
    # From here on everything is signed: what is wrong now is the source's doing, not a stranger's.
    claims = _claims(payload)
    disclosures = _disclosures(encoded, digests)
    _require_expected(claims, expected)
    return VerifiedRecord(claims=claims, disclosures=disclosures, jwt=jwt, mark=_VERIFIER_MARK)


def present_record(verified: VerifiedRecord, keep: Collection[str]) -> str:
    """Write a record in compact form with the named disclosures only (RFC 9901 7.2)."""
    kept = (each.encoded for each in verified.disclosures if each.name in keep)
    return "~".join((verified.jwt, *kept, ""))


def parse_record_keyid(compact: str) -> str:
    """Read the key id out of a record that nobody has verified: a hint among registered keys.

    Raises:
        RecordRefused: the record has no readable header, or one without a key id.
    """
    jwt, _ = _split(compact)
    keyid = _parse_header(_split_jwt(jwt)[0]).keyid
    if not isinstance(keyid, str):
        raise RecordRefused(RecordReason.WRONG_HEADER, "kid")
    return keyid


def _split(compact: str) -> tuple[str, list[str]]:
    if len(compact) > MAX_RECORD:
        raise RecordRefused(RecordReason.TOO_LARGE)
    if not compact.isascii():
        raise RecordRefused(RecordReason.MALFORMED, "not ASCII")
    jwt, *disclosures = compact.split("~")
    if not disclosures:
        raise RecordRefused(RecordReason.TRAILING_TILDE_MISSING)
    last = disclosures.pop()
    if last:
        # RFC 9901 4: what follows the last tilde is a key binding JWT. Ours carry none, and a
        # disclosure there would be lost silently.
        if last.count(".") == _JWT_PARTS - 1:
            raise RecordRefused(RecordReason.KEY_BINDING_PRESENT)
        raise RecordRefused(RecordReason.TRAILING_TILDE_MISSING)
    if len(disclosures) > MAX_SLOTS:
        raise RecordRefused(RecordReason.TOO_LARGE, "disclosures")
    return jwt, disclosures


def _split_jwt(jwt: str) -> tuple[str, str, str]:
    parts = jwt.split(".")
    if len(parts) != _JWT_PARTS:
        raise RecordRefused(RecordReason.MALFORMED, "three parts")
    return parts[0], parts[1], parts[2]


def _octets(text: str, what: str) -> bytes:
    try:
        return parse_b64url(text)
    except Malformed as cause:
        raise RecordRefused(RecordReason.MALFORMED, what) from cause


def _object(text: str, what: str) -> dict[str, JsonValue]:
    try:
        value = parse_json_strict(_octets(text, what), _LIMITS)
    except Malformed as cause:
        raise RecordRefused(RecordReason.MALFORMED, f"{what}: {cause.what}") from cause
    if not isinstance(value, dict):
        raise RecordRefused(RecordReason.MALFORMED, f"{what}: not an object")
    return value


# Remembers what a header says, never whether it is true: refusals are not kept, and the signature
# is judged each time.
@lru_cache(maxsize=_MAX_HEADERS)
def _parse_header(text: str) -> _Header:
    """Read a header; a source department sends the same one, certificate included, every time."""
    if len(text) > _MAX_HEADER:
        raise RecordRefused(RecordReason.TOO_LARGE, "header")
    header = _object(text, "header")
    return _Header(
        algorithm=header.get("alg"),
        keyid=header.get("kid"),
        jwt_type=header.get("typ"),
        names=frozenset(header),
    )


def _require_header(protected: str, body: str, key: PublicKey) -> bytes:
    """Hold the header to the key; return what the signature must be over."""
    header = _parse_header(protected)
    # RFC 7515 4.1.11: an extension that is not understood must refuse, and we understand none.
    if "crit" in header.names:
        raise RecordRefused(RecordReason.CRITICAL_HEADER)
    # RFC 8725 3.1: the key names the algorithm, and so the form; `none` and HMAC under a public
    # key end here.
    suite = _suite_of(key)
    wanted_type = RECORD_TYPE if suite in JOSE_SUITES else MANIFEST_TYPE
    if header.jwt_type not in {RECORD_TYPE, MANIFEST_TYPE}:
        raise RecordRefused(RecordReason.WRONG_TYPE)
    if header.jwt_type != wanted_type or header.algorithm != suite.value:
        raise RecordRefused(RecordReason.WRONG_ALGORITHM)
    if header.keyid != key.keyid:
        raise RecordRefused(RecordReason.WRONG_HEADER)
    if wanted_type == RECORD_TYPE:
        if not header.names <= _HEADER_NAMES:
            raise RecordRefused(RecordReason.WRONG_HEADER)
        return f"{protected}.{body}".encode("ascii")
    # Nobody signs the header of a manifest: another spelling of it would be another record.
    if protected != manifest_header(suite, key.keyid):
        raise RecordRefused(RecordReason.WRONG_HEADER)
    return pae(MANIFEST_TYPE, _octets(body, "payload"))


def _suite_of(key: PublicKey) -> Suite:
    try:
        return key.suite
    except CertificateRefused as cause:
        raise RecordRefused(RecordReason.WRONG_ALGORITHM) from cause


def _require_digests(payload: dict[str, JsonValue]) -> frozenset[str]:
    if payload.get("_sd_alg") != DIGEST_ALGORITHM:
        raise RecordRefused(RecordReason.WRONG_DIGEST_ALGORITHM)
    listed = payload.get("_sd")
    if not isinstance(listed, list) or len(listed) > MAX_SLOTS:
        raise RecordRefused(RecordReason.CLAIM_MALFORMED, "_sd")
    digests = [each for each in listed if isinstance(each, str) and _DIGEST.fullmatch(each)]
    if len(digests) != len(listed):
        raise RecordRefused(RecordReason.CLAIM_MALFORMED, "_sd")
    # RFC 9901 7.1 step 4: a digest in two places would disclose one value as two.
    distinct = frozenset(digests)
    if len(distinct) != len(digests):
        raise RecordRefused(RecordReason.DIGEST_REPEATED)
    return distinct


def _claims(payload: dict[str, JsonValue]) -> RecordClaims:
    missing = CLAIM_NAMES - payload.keys()
    if missing:
        raise RecordRefused(RecordReason.CLAIM_MISSING, min(missing))
    if len(payload) != len(CLAIM_NAMES):
        # The name is the issuer's and may hold anything: it is not repeated here.
        raise RecordRefused(RecordReason.CLAIM_UNKNOWN)
    texts = {name: _text(payload[name], name) for name in _TEXT_CLAIMS}
    try:
        custody, state = Custody(texts["custody"]), RecordState(texts["answer_state"])
        subject = parse_b64url(texts["sub_digest"])
    except (ValueError, Malformed):
        # from None: the cause would carry the claim's value.
        raise RecordRefused(
            RecordReason.CLAIM_MALFORMED, "custody, answer_state, sub_digest"
        ) from None
    if len(subject) != DIGEST_LENGTH:
        raise RecordRefused(RecordReason.CLAIM_MALFORMED, "sub_digest")
    return RecordClaims(
        issuer=texts["iss"],
        audience=texts["aud"],
        nonce=texts["nonce"],
        dataset=texts["vct"],
        custody=custody,
        subject_digest=subject,
        state=state,
        issued_at_s=_seconds(payload["iat"], "iat"),
        expires_at_s=_seconds(payload["exp"], "exp"),
    )


def _text(value: JsonValue, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise RecordRefused(RecordReason.CLAIM_MALFORMED, name)
    return value


def _seconds(value: JsonValue, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RecordRefused(RecordReason.CLAIM_MALFORMED, name)
    return value


def _disclosures(encoded: Sequence[str], digests: frozenset[str]) -> tuple[Disclosure, ...]:
    found: dict[str, Disclosure] = {}
    unused = set(digests)
    for text in encoded:
        digest = hashlib.sha256(text.encode("ascii")).digest()
        slot = b64url_encode(digest)
        if slot not in digests:
            raise RecordRefused(RecordReason.DISCLOSURE_UNREFERENCED)
        if slot not in unused:
            raise RecordRefused(RecordReason.DISCLOSURE_REPEATED)
        unused.remove(slot)
        name, value = _parse_disclosure(text)
        # A disclosure may not put its value in the place of a claim that stands in clear.
        if name in found or name in CLAIM_NAMES:
            raise RecordRefused(RecordReason.NAME_PRESENT)
        found[name] = Disclosure(name=name, value=value, digest=digest, encoded=text)
    return tuple(found.values())


def _parse_disclosure(text: str) -> tuple[str, JsonValue]:
    try:
        parts = parse_json_strict(parse_b64url(text), _LIMITS)
    except Malformed as cause:
        raise RecordRefused(RecordReason.DISCLOSURE_MALFORMED, cause.what) from cause
    # RFC 9901 4.2.1; the two-part form is for array elements, which a record does not have.
    if not isinstance(parts, list) or len(parts) != _DISCLOSURE_PARTS:
        raise RecordRefused(RecordReason.DISCLOSURE_MALFORMED, "three parts")
    salt, name, value = parts
    if not isinstance(salt, str) or _SALT.fullmatch(salt) is None:
        raise RecordRefused(RecordReason.DISCLOSURE_MALFORMED, "salt")
    if not isinstance(name, str) or not name:
        raise RecordRefused(RecordReason.DISCLOSURE_MALFORMED, "name")
    if name in RESERVED_NAMES:
        raise RecordRefused(RecordReason.NAME_RESERVED)
    if not _is_disclosed_value(value):
        raise RecordRefused(RecordReason.DISCLOSURE_MALFORMED, "value")
    return name, value


def _is_disclosed_value(value: JsonValue) -> bool:
    """Say whether a value is an effect with a finding, a text or a list of texts, or `WITHHELD`."""
    if value == WITHHELD:
        return True
    if not isinstance(value, dict) or len(value) != _VALUE_MEMBERS:
        return False
    if not isinstance(value.get("effect"), str):
        return False
    content = value.get("value")
    if isinstance(content, list):
        return all(isinstance(text, str) for text in content)
    return isinstance(content, str) or isinstance(value.get("finding"), str)


def _require_expected(claims: RecordClaims, expected: RecordExpectation) -> None:
    # Identity before time: a record for somebody else is that first, expired or not.
    wanted = (
        (claims.issuer == expected.issuer, RecordReason.WRONG_ISSUER),
        (claims.audience == expected.audience, RecordReason.WRONG_AUDIENCE),
        (claims.nonce == expected.nonce, RecordReason.WRONG_NONCE),
        (claims.dataset == expected.dataset, RecordReason.WRONG_DATASET),
        (claims.subject_digest == expected.subject_digest, RecordReason.WRONG_SUBJECT),
        (expected.custody in {None, claims.custody}, RecordReason.WRONG_CUSTODY),
        (0 < claims.expires_at_s - claims.issued_at_s <= MAX_LIFE_S, RecordReason.LIFE_TOO_LONG),
        (claims.issued_at_s <= expected.now_s + expected.leeway_s, RecordReason.NOT_YET_VALID),
        (expected.now_s < claims.expires_at_s + expected.leeway_s, RecordReason.EXPIRED),
    )
    for holds, reason in wanted:
        if not holds:
            raise RecordRefused(reason)
