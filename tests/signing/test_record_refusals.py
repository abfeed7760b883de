"""Every refusal of RFC 9901 section 7 and of our narrower profile."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from certs.algorithms import PrivateKey, Suite
from certs.errors import CertificateReason, CertificateRefused
from signing.errors import RecordReason, RecordRefused
from signing.record import (
    issue_record,
    verify_record,
)
from signing.signer import FileSigner
from tests.signing.forged_record import (
    CLAIMS,
    EXPECTED,
    NOW,
    Forgery,
    b64,
    digest,
    disclosure,
    refused_reason,
)


@pytest.fixture
def forgery(es256_key: PrivateKey) -> Forgery:
    """Give a record in parts."""
    return Forgery(es256_key)


Bend = Callable[[Forgery], object]


def _set(name: str, value: object) -> Bend:
    return lambda forgery: forgery.payload.__setitem__(name, value)


def _header(name: str, value: object) -> Bend:
    return lambda forgery: forgery.header.__setitem__(name, value)


def _reveal(*parts: object) -> Bend:
    return lambda forgery: forgery.reveal(*parts)


def _tail(tail: str) -> Bend:
    return lambda forgery: setattr(forgery, "tail", tail)


def _body(old: str, new: str) -> Bend:
    def bend(forgery: Forgery) -> None:
        forgery.body = json.dumps(forgery.payload).replace(old, new, 1)

    return bend


SALT = "c2FsdHNhbHRzYWx0c2FsdC"
CLEAR = {"effect": "CLEAR", "value": "x"}
OTHER = disclosure(SALT, "school", CLEAR)

ATTACKS: dict[str, tuple[RecordReason, Bend]] = {
    "unreferenced disclosure": (
        RecordReason.DISCLOSURE_UNREFERENCED,
        lambda forgery: forgery.disclosures.append(OTHER),
    ),
    "disclosure given twice": (
        RecordReason.DISCLOSURE_REPEATED,
        lambda forgery: forgery.disclosures.append(forgery.disclosures[0]),
    ),
    "digest listed twice": (
        RecordReason.DIGEST_REPEATED,
        lambda forgery: forgery.reference(forgery.disclosures[0]),
    ),
    "digest is no digest": (RecordReason.CLAIM_MALFORMED, _set("_sd", ["short"])),
    "digest is a number": (RecordReason.CLAIM_MALFORMED, _set("_sd", [1])),
    "digests are no list": (RecordReason.CLAIM_MALFORMED, _set("_sd", "x")),
    "65 digests": (RecordReason.CLAIM_MALFORMED, _set("_sd", [digest(str(n)) for n in range(65)])),
    "name _sd": (RecordReason.NAME_RESERVED, _reveal(SALT, "_sd", CLEAR)),
    "name ...": (RecordReason.NAME_RESERVED, _reveal(SALT, "...", CLEAR)),
    "name of a plain claim": (RecordReason.NAME_PRESENT, _reveal(SALT, "aud", CLEAR)),
    "name _sd_alg": (RecordReason.NAME_PRESENT, _reveal(SALT, "_sd_alg", CLEAR)),
    "name disclosed before": (RecordReason.NAME_PRESENT, _reveal(SALT, "status", CLEAR)),
    "array element": (RecordReason.DISCLOSURE_MALFORMED, _reveal(SALT, CLEAR)),
    "four parts": (RecordReason.DISCLOSURE_MALFORMED, _reveal(SALT, "a", CLEAR, 1)),
    "empty name": (RecordReason.DISCLOSURE_MALFORMED, _reveal(SALT, "", CLEAR)),
    "name is a number": (RecordReason.DISCLOSURE_MALFORMED, _reveal(SALT, 7, CLEAR)),
    "short salt": (RecordReason.DISCLOSURE_MALFORMED, _reveal("c2FsdA", "a", CLEAR)),
    "salt is a number": (RecordReason.DISCLOSURE_MALFORMED, _reveal(7, "a", CLEAR)),
    "value is bare text": (RecordReason.DISCLOSURE_MALFORMED, _reveal(SALT, "a", "x")),
    "value and finding": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {**CLEAR, "finding": "YES"}),
    ),
    "value nests digests": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {"effect": "CLEAR", "value": {"_sd": []}}),
    ),
    "value lists objects": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {"effect": "CLEAR", "value": [{"...": "x"}]}),
    ),
    "an effect without value": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {"effect": "CLEAR"}),
    ),
    "withheld with a reason": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {"effect": "WITHHOLD", "reason": "x"}),
    ),
    "effect is a number": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {"effect": 1, "value": "x"}),
    ),
    "finding is a bool": (
        RecordReason.DISCLOSURE_MALFORMED,
        _reveal(SALT, "a", {"effect": "COMPARE", "finding": True}),
    ),
    "65 disclosures": (
        RecordReason.TOO_LARGE,
        lambda forgery: forgery.disclosures.extend(["WzFd"] * 63),
    ),
    "disclosure after the last tilde": (RecordReason.TRAILING_TILDE_MISSING, _tail(OTHER)),
    "key binding JWT": (RecordReason.KEY_BINDING_PRESENT, _tail("e30.e30.AA")),
    "alg none": (RecordReason.WRONG_ALGORITHM, _header("alg", "none")),
    "alg HS256": (RecordReason.WRONG_ALGORITHM, _header("alg", "HS256")),
    "alg of another key": (RecordReason.WRONG_ALGORITHM, _header("alg", "EdDSA")),
    "typ JWT": (RecordReason.WRONG_TYPE, _header("typ", "JWT")),
    "typ of an SD-JWT VC": (RecordReason.WRONG_TYPE, _header("typ", "dc+sd-jwt")),
    "typ of an assertion": (RecordReason.WRONG_TYPE, _header("typ", "hutong-officer+jwt")),
    "crit": (RecordReason.CRITICAL_HEADER, _header("crit", ["b64"])),
    "empty crit": (RecordReason.CRITICAL_HEADER, _header("crit", [])),
    "kid of another key": (RecordReason.WRONG_HEADER, _header("kid", "0" * 32)),
    "header of 9 kB": (RecordReason.TOO_LARGE, _header("x5c", ["A" * 9_000])),
    "key inside": (RecordReason.WRONG_HEADER, _header("jwk", {"kty": "EC"})),
    "key address": (RecordReason.WRONG_HEADER, _header("jku", "https://key.invalid")),
    "certificate address": (RecordReason.WRONG_HEADER, _header("x5u", "https://key.invalid")),
    "sd_alg sha-512": (RecordReason.WRONG_DIGEST_ALGORITHM, _set("_sd_alg", "sha-512")),
    "sd_alg absent": (
        RecordReason.WRONG_DIGEST_ALGORITHM,
        lambda forgery: forgery.payload.pop("_sd_alg"),
    ),
    "claim missing": (RecordReason.CLAIM_MISSING, lambda forgery: forgery.payload.pop("nonce")),
    "claim unknown": (RecordReason.CLAIM_UNKNOWN, _set("cnf", {"jwk": {}})),
    "claim in clear that is a field": (RecordReason.CLAIM_UNKNOWN, _set("full_name", "李")),
    "aud is a list": (RecordReason.CLAIM_MALFORMED, _set("aud", [CLAIMS.audience])),
    "iss is empty": (RecordReason.CLAIM_MALFORMED, _set("iss", "")),
    "custody unknown": (RecordReason.CLAIM_MALFORMED, _set("custody", "cloud")),
    "state unknown": (RecordReason.CLAIM_MALFORMED, _set("answer_state", "MAYBE")),
    "sub_digest short": (RecordReason.CLAIM_MALFORMED, _set("sub_digest", b64(bytes(31)))),
    "sub_digest padded": (RecordReason.CLAIM_MALFORMED, _set("sub_digest", b64(bytes(32)) + "=")),
    "iat is text": (RecordReason.CLAIM_MALFORMED, _set("iat", str(NOW))),
    "exp is a bool": (RecordReason.CLAIM_MALFORMED, _set("exp", True)),  # noqa: FBT003 - a JSON value
    "exp is negative": (RecordReason.CLAIM_MALFORMED, _set("exp", -1)),
    "iat is a fraction": (RecordReason.MALFORMED, _set("iat", NOW + 0.5)),
    "exp is 1e400": (RecordReason.MALFORMED, _body(str(NOW + 300), "1e400")),
    "duplicate claim": (RecordReason.MALFORMED, _body("{", '{"aud": "other", ')),
    "lone surrogate": (RecordReason.MALFORMED, _body("FOUND", "\\ud800")),
    "payload is a list": (RecordReason.MALFORMED, _body("{", "[{")),
    "other issuer": (RecordReason.WRONG_ISSUER, _set("iss", "11370000MB2DEM037W")),
    "other audience": (RecordReason.WRONG_AUDIENCE, _set("aud", "11370000MB2DEM0105/batch")),
    "other nonce": (RecordReason.WRONG_NONCE, _set("nonce", CLAIMS.nonce + ".1")),
    "other dataset": (RecordReason.WRONG_DATASET, _set("vct", "edu.diploma@2")),
    "other subject": (RecordReason.WRONG_SUBJECT, _set("sub_digest", b64(bytes(32)))),
    "life of 301 s": (RecordReason.LIFE_TOO_LONG, _set("exp", NOW + 301)),
    "life of nothing": (RecordReason.LIFE_TOO_LONG, _set("exp", NOW)),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_bent_record_is_refused(forgery: Forgery, attack: str) -> None:
    """Each attack carries a sound signature and is refused for its own reason."""
    reason, bend = ATTACKS[attack]
    bend(forgery)

    assert refused_reason(forgery.compact(), forgery.key.public_key) is reason


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: text.rstrip("~").split("~")[0], RecordReason.TRAILING_TILDE_MISSING),
        (lambda text: text.replace(".", "", 1), RecordReason.MALFORMED),
        (lambda text: text.replace(".", "=.", 1), RecordReason.MALFORMED),
        (lambda text: "李" + text, RecordReason.MALFORMED),
        (lambda text: "W10" + text[text.index(".") :], RecordReason.MALFORMED),
        (lambda text: text + "~", RecordReason.DISCLOSURE_UNREFERENCED),
        (lambda text: text + "A" * 65_536, RecordReason.TOO_LARGE),
        (lambda text: text.replace("~", "AAAA~", 1), RecordReason.SIGNATURE_INVALID),
        (lambda _: "", RecordReason.TRAILING_TILDE_MISSING),
    ],
)
def test_spoilt_text_is_refused(
    forgery: Forgery, spoil: Callable[[str], str], reason: RecordReason
) -> None:
    """The compact form has one spelling."""
    assert refused_reason(spoil(forgery.compact()), forgery.key.public_key) is reason


@pytest.mark.parametrize(
    "encoded", ["WzFd=", "WzFe", "!!!!", b64(b'["' + SALT.encode() + b'","a",{"a":1,"a":2}]')]
)
def test_referenced_disclosure_in_another_spelling_is_refused(
    forgery: Forgery, encoded: str
) -> None:
    """Padding, left-over bits, foreign characters and duplicate names inside a disclosure."""
    forgery.disclosures.append(encoded)
    forgery.reference(encoded)

    assert (
        refused_reason(forgery.compact(), forgery.key.public_key)
        is RecordReason.DISCLOSURE_MALFORMED
    )


@pytest.mark.parametrize(
    ("now_s", "reason"),
    [
        (NOW - 31, RecordReason.NOT_YET_VALID),
        (NOW - 30, None),
        (NOW + 329, None),
        (NOW + 330, RecordReason.EXPIRED),
    ],
)
def test_record_holds_for_its_life_and_the_leeway(
    forgery: Forgery, now_s: int, reason: RecordReason | None
) -> None:
    """30 s of leeway both ways; the end is exclusive."""
    expected = replace(EXPECTED, now_s=now_s)

    if reason is None:
        verify_record(forgery.compact(), forgery.key.public_key, expected)
    else:
        assert refused_reason(forgery.compact(), forgery.key.public_key, expected) is reason


def test_key_that_signs_no_envelope_verifies_no_record(
    forgery: Forgery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key outside the suites, such as RSA, is a wrong algorithm."""

    def refuse(_name: object) -> Suite:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM)

    monkeypatch.setattr("certs.public_key.suite_of_algorithm", refuse)

    assert refused_reason(forgery.compact(), forgery.key.public_key) is RecordReason.WRONG_ALGORITHM


@pytest.mark.slow
def test_every_flipped_bit_of_a_record_is_refused(es256_key: PrivateKey) -> None:
    """Header, payload, signature, disclosures and separators: nothing may change."""
    disclosed = {"status": {"effect": "COMPARE", "finding": "NO"}}
    compact = issue_record(FileSigner.of(es256_key), CLAIMS, ("status", "school"), disclosed)
    verify_record(compact, es256_key.public_key, EXPECTED)
    octets = compact.encode()

    for bit in range(len(octets) * 8):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(RecordRefused):
            verify_record(changed.decode("latin-1"), es256_key.public_key, EXPECTED)
