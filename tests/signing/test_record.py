"""Records: SD-JWT issue, presentation and every refusal of RFC 9901 section 7."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from certs.algorithms import PrivateKey, PublicKey, Suite, parse_public_key, verify_signature
from certs.errors import CertificateReason, CertificateRefused
from signing.encoding import parse_b64url
from signing.errors import RecordReason, RecordRefused
from signing.record import (
    RECORD_TYPE,
    Custody,
    DisclosedValue,
    RecordClaims,
    RecordExpectation,
    RecordState,
    VerifiedRecord,
    issue_record,
    parse_record_keyid,
    present_record,
    record_nonce,
    verify_record,
)
from signing.signer import FileSigner

NOW = 1_795_000_000
PUBLISHED = Path(__file__).parents[1] / "vectors" / "signing" / "sd_jwt_published.json"
CLAIMS = RecordClaims(
    issuer="11370000MB2DEM0292",
    audience="11370000MB2DEM0105/retirement",
    nonce="000102030405060708090a0b0c0d0e0f",
    dataset="edu.diploma@1",
    custody=Custody.EMBEDDED,
    subject_digest=bytes(range(32)),
    state=RecordState.FOUND,
    issued_at_s=NOW,
    expires_at_s=NOW + 300,
)
EXPECTED = RecordExpectation(
    issuer=CLAIMS.issuer,
    audience=CLAIMS.audience,
    nonce=CLAIMS.nonce,
    dataset=CLAIMS.dataset,
    subject_digest=CLAIMS.subject_digest,
    now_s=NOW + 1,
)
SLOTS = ("full_name", "school", "degree_level", "status", "certificate_no")
DISCLOSED: dict[str, DisclosedValue] = {
    "full_name": {"effect": "MASK", "value": "李**"},
    "status": {"effect": "PREDICATE", "finding": "YES"},
    "degree_level": {"effect": "CLEAR", "value": ["21", "31"]},
}


def b64(octets: bytes) -> str:
    """Write base64url by the standard library alone."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def disclosure(*parts: object) -> str:
    """Write a disclosure as any issuer might."""
    return b64(json.dumps(parts, ensure_ascii=False).encode())


def digest(encoded: str) -> str:
    """Hash a disclosure as RFC 9901 4.2.3 says."""
    return b64(hashlib.sha256(encoded.encode()).digest())


@dataclass
class Forgery:
    """A record in parts, signed by whoever holds the key; a test bends one part."""

    key: PrivateKey
    header: dict[str, object] = field(default_factory=dict)
    payload: dict[str, object] = field(default_factory=dict)
    disclosures: list[str] = field(default_factory=list)
    body: str | None = None
    """The payload's JSON text where it is not what `json` would write."""
    tail: str = ""

    def __post_init__(self) -> None:
        """Start from a record that is accepted."""
        self.header = {"alg": "ES256", "typ": RECORD_TYPE, "kid": self.key.public_key.keyid}
        self.disclosures = [
            disclosure("c2FsdHNhbHRzYWx0c2FsdA", "full_name", {"effect": "MASK", "value": "李**"}),
            disclosure("c2FsdHNhbHRzYWx0c2FsdB", "status", {"effect": "COMPARE", "finding": "NO"}),
        ]
        self.payload = {
            "_sd": [digest(each) for each in self.disclosures] + [digest("decoy")],
            "_sd_alg": "sha-256",
            "iss": CLAIMS.issuer,
            "aud": CLAIMS.audience,
            "nonce": CLAIMS.nonce,
            "vct": CLAIMS.dataset,
            "custody": "embedded",
            "state": "FOUND",
            "sub_digest": b64(CLAIMS.subject_digest),
            "iat": NOW,
            "exp": NOW + 300,
        }

    def reveal(self, *parts: object) -> None:
        """Add a disclosure that the payload references."""
        encoded = disclosure(*parts)
        self.disclosures.append(encoded)
        self._digests.append(digest(encoded))

    def reference(self, encoded: str) -> None:
        """Add a digest without its disclosure."""
        self._digests.append(digest(encoded))

    @property
    def _digests(self) -> list[object]:
        digests = self.payload["_sd"]
        assert isinstance(digests, list)
        return digests

    def compact(self) -> str:
        """Sign the parts."""
        header = b64(json.dumps(self.header).encode())
        body = self.body or json.dumps(self.payload, ensure_ascii=False)
        signing_input = f"{header}.{b64(body.encode())}"
        signature = b64(self.key.sign(signing_input.encode()))
        return "~".join([f"{signing_input}.{signature}", *self.disclosures, self.tail])


@pytest.fixture
def forgery(es256_key: PrivateKey) -> Forgery:
    """Give a record in parts."""
    return Forgery(es256_key)


def _refused(compact: str, key: PublicKey, expected: RecordExpectation = EXPECTED) -> RecordReason:
    with pytest.raises(RecordRefused) as refused:
        verify_record(compact, key, expected)
    return refused.value.reason


@pytest.fixture(params=[Suite.ES256, Suite.EDDSA])
def key(request: pytest.FixtureRequest, es256_key: PrivateKey, eddsa_key: PrivateKey) -> PrivateKey:
    """Give a key of each suite a record may have."""
    return es256_key if request.param is Suite.ES256 else eddsa_key


def test_issued_record_is_proven(key: PrivateKey) -> None:
    """Claims and values come back equal, each with the digest it stands for."""
    compact = issue_record(FileSigner.of(key), CLAIMS, SLOTS, DISCLOSED)

    proven = verify_record(compact, key.public_key, EXPECTED)

    assert proven.claims == CLAIMS
    assert {each.name: each.value for each in proven.disclosures} == DISCLOSED
    for each in proven.disclosures:
        assert each.digest == hashlib.sha256(each.encoded.encode()).digest()


def test_record_is_a_jwt_for_a_foreign_library(key: PrivateKey) -> None:
    """PyJWT verifies the signed part; one digest per slot, sorted, none repeated."""
    compact = issue_record(FileSigner.of(key), CLAIMS, SLOTS, DISCLOSED)

    token = pyjwt.decode_complete(
        compact.split("~")[0],
        load_der_public_key(key.public_key.spki),  # type: ignore[arg-type]  # any kind of key
        algorithms=[key.suite.value],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
    )

    digests = token["payload"]["_sd"]
    assert token["header"]["typ"] == RECORD_TYPE
    assert (len(digests), digests) == (len(SLOTS), sorted(set(digests)))


def test_foreign_verifier_reads_the_disclosed_fields(es256_key: PrivateKey) -> None:
    """The package sd-jwt, which shares no line with ours, finds the same values."""
    from jwcrypto.jwk import JWK  # noqa: PLC0415 - its import is slow and only needed here
    from sd_jwt.verifier import SDJWTVerifier  # noqa: PLC0415 - the same

    compact = issue_record(FileSigner.of(es256_key), CLAIMS, SLOTS, DISCLOSED)
    native = load_der_public_key(es256_key.public_key.spki)

    payload = SDJWTVerifier(compact, lambda *_: JWK.from_pyca(native)).get_verified_payload()

    assert {name: payload[name] for name in DISCLOSED} == DISCLOSED
    assert payload["aud"] == CLAIMS.audience


def test_record_of_a_foreign_issuer_is_proven(forgery: Forgery) -> None:
    """White space and member order of another writer do not matter."""
    proven = verify_record(forgery.compact(), forgery.key.public_key, EXPECTED)

    assert [each.name for each in proven.disclosures] == ["full_name", "status"]


def test_certificate_travels_for_others_and_selects_nothing(
    es256_key: PrivateKey, eddsa_key: PrivateKey
) -> None:
    """`x5c` holds the signer's certificate; a record is judged by the registered key alone."""
    certificate = b"certificate with " + es256_key.public_key.spki
    compact = issue_record(FileSigner.of(es256_key, certificate), CLAIMS, SLOTS, DISCLOSED)

    header = json.loads(parse_b64url(compact.split(".")[0]))

    assert base64.b64decode(header["x5c"][0]) == certificate
    verify_record(compact, es256_key.public_key, EXPECTED)
    assert _refused(compact, eddsa_key.public_key) is RecordReason.WRONG_ALGORITHM


def test_salts_and_decoys_are_fresh(es256_key: PrivateKey) -> None:
    """Two records of the same facts share no digest; each salt has 128 bits."""
    first, second = (
        issue_record(FileSigner.of(es256_key), CLAIMS, SLOTS, DISCLOSED) for _ in range(2)
    )

    digests = [
        set(json.loads(parse_b64url(compact.split("~")[0].split(".")[1]))["_sd"])
        for compact in (first, second)
    ]
    assert not digests[0] & digests[1]
    for encoded in first.split("~")[1:-1]:
        assert len(parse_b64url(json.loads(parse_b64url(encoded))[0])) == 16


def test_presented_record_keeps_the_kept_and_still_verifies(es256_key: PrivateKey) -> None:
    """Dropping disclosures changes neither signature nor the rest."""
    compact = issue_record(FileSigner.of(es256_key), CLAIMS, SLOTS, DISCLOSED)
    proven = verify_record(compact, es256_key.public_key, EXPECTED)

    presented = present_record(proven, {"status", "school"})

    again = verify_record(presented, es256_key.public_key, EXPECTED)
    assert [each.name for each in again.disclosures] == ["status"]
    assert present_record(proven, set(SLOTS)) == compact
    assert "李" not in presented


@given(st.sets(st.sampled_from(SLOTS)), st.sets(st.sampled_from(SLOTS)))
def test_only_disclosed_and_kept_fields_ever_leave(
    es256_key: PrivateKey, disclosed: set[str], kept: set[str]
) -> None:
    """What arrives is the intersection of disclosed and kept, for all choices."""
    values = {name: {"effect": "CLEAR", "value": name} for name in disclosed}
    compact = issue_record(FileSigner.of(es256_key), CLAIMS, SLOTS, values)
    proven = verify_record(compact, es256_key.public_key, EXPECTED)

    presented = verify_record(present_record(proven, kept), es256_key.public_key, EXPECTED)

    assert {each.name for each in presented.disclosures} == disclosed & kept


def test_record_without_any_field_is_proven(es256_key: PrivateKey) -> None:
    """Not found: all slots are decoys."""
    claims = replace(CLAIMS, state=RecordState.NOT_FOUND, custody=Custody.PROVIDER_NODE)
    compact = issue_record(FileSigner.of(es256_key), claims, SLOTS, {})

    assert verify_record(compact, es256_key.public_key, EXPECTED).claims == claims
    assert compact.endswith("~")


def test_every_flipped_bit_of_a_record_is_refused(es256_key: PrivateKey) -> None:
    """Header, payload, signature, disclosures and separators: nothing may change."""
    compact = issue_record(FileSigner.of(es256_key), CLAIMS, SLOTS[:2], {})
    compact += disclosure("c2FsdHNhbHRzYWx0c2FsdA", "x", {"effect": "CLEAR", "value": "y"}) + "~"
    octets = compact.encode()

    for bit in range(len(octets) * 8):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(RecordRefused):
            verify_record(changed.decode("latin-1"), es256_key.public_key, EXPECTED)


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
    "state unknown": (RecordReason.CLAIM_MALFORMED, _set("state", "MAYBE")),
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

    assert _refused(forgery.compact(), forgery.key.public_key) is reason


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
    assert _refused(spoil(forgery.compact()), forgery.key.public_key) is reason


@pytest.mark.parametrize(
    "encoded", ["WzFd=", "WzFe", "!!!!", b64(b'["' + SALT.encode() + b'","a",{"a":1,"a":2}]')]
)
def test_referenced_disclosure_in_another_spelling_is_refused(
    forgery: Forgery, encoded: str
) -> None:
    """Padding, left-over bits, foreign characters and duplicate names inside a disclosure."""
    forgery.disclosures.append(encoded)
    forgery.reference(encoded)

    assert _refused(forgery.compact(), forgery.key.public_key) is RecordReason.DISCLOSURE_MALFORMED


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
        assert _refused(forgery.compact(), forgery.key.public_key, expected) is reason


@pytest.mark.parametrize(
    ("claims", "slots", "disclosed", "reason"),
    [
        (CLAIMS, ("a", "a"), {}, RecordReason.NAME_PRESENT),
        (CLAIMS, ("a", "_sd"), {}, RecordReason.NAME_RESERVED),
        (CLAIMS, ("a", "..."), {}, RecordReason.NAME_RESERVED),
        (CLAIMS, ("a", "iss"), {}, RecordReason.NAME_RESERVED),
        (CLAIMS, ("a",), {"b": CLEAR}, RecordReason.DISCLOSURE_UNREFERENCED),
        (CLAIMS, tuple(map(str, range(65))), {}, RecordReason.TOO_LARGE),
        (CLAIMS, ("a",), {"a": {"effect": "CLEAR", "value": "x" * 65_536}}, RecordReason.TOO_LARGE),
        (replace(CLAIMS, expires_at_s=NOW + 301), ("a",), {}, RecordReason.LIFE_TOO_LONG),
        (replace(CLAIMS, expires_at_s=NOW), ("a",), {}, RecordReason.LIFE_TOO_LONG),
    ],
)
def test_record_no_verifier_would_take_is_not_issued(
    es256_key: PrivateKey,
    claims: RecordClaims,
    slots: tuple[str, ...],
    disclosed: dict[str, dict[str, str]],
    reason: RecordReason,
) -> None:
    """The issuer holds itself to the verifier's rules."""
    with pytest.raises(RecordRefused) as refused:
        issue_record(FileSigner.of(es256_key), claims, slots, disclosed)

    assert refused.value.reason is reason


class _Sm2Signer:
    """A signer whose suite has no JWS algorithm."""

    keyid = "0" * 32
    suite = Suite.SM2SM3
    certificate_der = b""

    def sign(self, message: bytes) -> bytes:
        """Never reached."""
        raise AssertionError(message)


def test_sm2_key_issues_no_record() -> None:
    """SM2 has no registered JWS algorithm."""
    with pytest.raises(RecordRefused) as refused:
        issue_record(_Sm2Signer(), CLAIMS, SLOTS, {})

    assert refused.value.reason is RecordReason.WRONG_ALGORITHM


def test_key_that_signs_no_envelope_verifies_no_record(
    forgery: Forgery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key outside the suites, such as RSA, is a wrong algorithm."""

    def refuse(_name: object) -> Suite:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM)

    monkeypatch.setattr("certs.public_key.suite_of_algorithm", refuse)

    assert _refused(forgery.compact(), forgery.key.public_key) is RecordReason.WRONG_ALGORITHM


def test_keyid_is_read_before_verification(forgery: Forgery) -> None:
    """The hint names the key to look for; without one there is none."""
    assert parse_record_keyid(forgery.compact()) == forgery.key.public_key.keyid
    del forgery.header["kid"]
    with pytest.raises(RecordRefused):
        parse_record_keyid(forgery.compact())


def test_nonce_names_the_item_above_zero() -> None:
    """Item 0 is the bare request id."""
    assert record_nonce(bytes(16)) == "00" * 16
    assert record_nonce(bytes(16), 3) == "00" * 16 + ".3"


def test_nobody_else_makes_a_verified_record() -> None:
    """The constructor opens for the verifier's mark only."""
    with pytest.raises(TypeError, match="only verify_record"):
        VerifiedRecord(claims=CLAIMS, disclosures=(), jwt="", mark=object())


def test_repr_shows_no_value(forgery: Forgery) -> None:
    """Disclosed values stay out of tracebacks."""
    proven = verify_record(forgery.compact(), forgery.key.public_key, EXPECTED)

    assert "李" not in repr(proven)
    assert forgery.disclosures[0] not in repr(proven)


def test_published_digests_are_reproduced() -> None:
    """Each disclosure of RFC 9901 5.1 hashes to the digest printed beside it."""
    vector = json.loads(PUBLISHED.read_text())

    for each in vector["disclosures"]:
        assert digest(each["encoded"]) == each["digest"]
        assert json.loads(parse_b64url(each["encoded"])) == each["contents"]


def test_published_signature_verifies() -> None:
    """The issuer's signature of RFC 9901 5.1 verifies with the key of its appendix."""
    vector = json.loads(PUBLISHED.read_text())
    signing_input, signature = vector["jwt"].rsplit(".", 1)
    point = parse_b64url(vector["key"]["x"]) + parse_b64url(vector["key"]["y"])
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")

    verify_signature(
        parse_public_key(prefix + point), parse_b64url(signature), signing_input.encode()
    )


def test_published_record_is_refused_as_foreign(es256_key: PrivateKey) -> None:
    """A sound SD-JWT of another kind is no record."""
    vector = json.loads(PUBLISHED.read_text())
    compact = "~".join([vector["jwt"], *(each["encoded"] for each in vector["disclosures"]), ""])

    assert _refused(compact, es256_key.public_key) is RecordReason.WRONG_TYPE
