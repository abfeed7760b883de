"""Records: issue, presentation, and peers that share no line with us."""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from certs.algorithms import PrivateKey, Suite, parse_public_key, verify_signature
from signing.encoding import parse_b64url
from signing.errors import RecordReason, RecordRefused
from signing.record import (
    RECORD_TYPE,
    WITHHELD,
    Custody,
    DisclosedValue,
    RecordClaims,
    RecordState,
    VerifiedRecord,
    issue_record,
    parse_record_keyid,
    present_record,
    record_nonce,
    verify_record,
)
from signing.signer import FileSigner
from tests.signing.forged_record import (
    CLAIMS,
    EXPECTED,
    NOW,
    Forgery,
    digest,
    refused_reason,
)

PUBLISHED = Path(__file__).parents[1] / "vectors" / "signing" / "sd_jwt_published.json"

SLOTS = ("full_name", "school", "degree_level", "status", "certificate_no")
DISCLOSED: dict[str, DisclosedValue] = {
    "full_name": {"effect": "MASK", "value": "李**"},
    "status": {"effect": "PREDICATE", "finding": "YES"},
    "degree_level": {"effect": "CLEAR", "value": ["21", "31"]},
    "school": WITHHELD,
}


@pytest.fixture
def forgery(es256_key: PrivateKey) -> Forgery:
    """Give a record in parts."""
    return Forgery(es256_key)


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
    assert refused_reason(compact, eddsa_key.public_key) is RecordReason.WRONG_ALGORITHM


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

    presented = present_record(proven, {"status", "certificate_no"})

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


@pytest.mark.parametrize(
    ("claims", "slots", "disclosed", "reason"),
    [
        (CLAIMS, ("a", "a"), {}, RecordReason.NAME_PRESENT),
        (CLAIMS, ("a", "_sd"), {}, RecordReason.NAME_RESERVED),
        (CLAIMS, ("a", "..."), {}, RecordReason.NAME_RESERVED),
        (CLAIMS, ("a", "iss"), {}, RecordReason.NAME_RESERVED),
        (
            CLAIMS,
            ("a",),
            {"b": {"effect": "CLEAR", "value": "x"}},
            RecordReason.DISCLOSURE_UNREFERENCED,
        ),
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

    assert refused_reason(compact, es256_key.public_key) is RecordReason.WRONG_TYPE


@pytest.mark.parametrize("custody", Custody)
def test_a_record_of_another_custody_is_refused(es256_key: PrivateKey, custody: Custody) -> None:
    """Who knows how a department is connected takes no record from elsewhere; others take both."""
    other = next(each for each in Custody if each is not custody)
    compact = issue_record(FileSigner.of(es256_key), replace(CLAIMS, custody=other), SLOTS, {})
    expected = replace(EXPECTED, custody=custody)

    with pytest.raises(RecordRefused) as refused:
        verify_record(compact, es256_key.public_key, expected)

    assert refused.value.reason is RecordReason.WRONG_CUSTODY
    verify_record(compact, es256_key.public_key, replace(EXPECTED, custody=other))
    verify_record(compact, es256_key.public_key, EXPECTED)
