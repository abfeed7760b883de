"""Records of SM2 keys: the same claims and disclosures in a DSSE envelope, one verifier."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import gmalg
import pytest

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.errors import AlgorithmUnavailable
from signing import record_verify
from signing.errors import RecordReason
from signing.record import (
    RECORD_TYPE,
    issue_record,
    parse_record_keyid,
    present_record,
    verify_record,
)
from signing.signer import FileSigner
from tests.signing.forged_record import CLAIMS, EXPECTED, Forgery, b64, refused_reason

SLOTS = ("full_name", "birth_date", "verified", "photo")
DISCLOSED = {
    "full_name": {"effect": "MASK", "value": "李**"},
    "verified": {"effect": "PREDICATE", "finding": "YES"},
}
PAYLOAD_TYPE = "application/vnd.hutong.record.v1.DisclosureManifest+json"
DEFAULT_ID = b"1234567812345678"


@pytest.fixture(scope="module")
def sm2_key() -> PrivateKey:
    """Give the only key of an organisation."""
    return generate_private_key(Suite.SM2SM3)


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoding(payload: bytes) -> bytes:
    """DSSE 1.0.2, written out once more."""
    kind = PAYLOAD_TYPE.encode()
    return b" ".join(
        [b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload]
    )


def test_a_manifest_is_proven_by_the_same_verifier(sm2_key: PrivateKey) -> None:
    """Claims and values come back equal, and its key id can be read before anything is proven."""
    compact = issue_record(FileSigner.of(sm2_key), CLAIMS, SLOTS, DISCLOSED)

    proven = verify_record(compact, sm2_key.public_key, EXPECTED)

    assert proven.claims == CLAIMS
    assert {each.name: each.value for each in proven.disclosures} == DISCLOSED
    assert parse_record_keyid(compact) == sm2_key.public_key.keyid


def test_disclosures_can_be_dropped_from_a_manifest(sm2_key: PrivateKey) -> None:
    """What is left is still signed."""
    compact = issue_record(FileSigner.of(sm2_key), CLAIMS, SLOTS, DISCLOSED)
    proven = verify_record(compact, sm2_key.public_key, EXPECTED)

    narrowed = verify_record(present_record(proven, {"verified"}), sm2_key.public_key, EXPECTED)

    assert [each.name for each in narrowed.disclosures] == ["verified"]


def test_another_implementation_accepts_our_signature(sm2_key: PrivateKey) -> None:
    """By gmalg, over the DSSE encoding written here once more; one digest per slot."""
    compact = issue_record(FileSigner.of(sm2_key), CLAIMS, SLOTS, DISCLOSED)
    header, body, signature = compact.split("~")[0].split(".")
    raw = _octets(signature)

    judge = gmalg.SM2(pk=sm2_key.public_key.spki[26:], uid=DEFAULT_ID)

    assert judge.verify(_encoding(_octets(body)), raw[:32], raw[32:])
    assert not judge.verify(f"{header}.{body}".encode(), raw[:32], raw[32:])
    assert len(json.loads(_octets(body))["_sd"]) == len(SLOTS)


@dataclass
class Manifest:
    """A manifest in parts, put together as any issuer might."""

    key: PrivateKey
    header: dict[str, object] = field(default_factory=dict)
    spelling: str | None = None
    """The header's JSON text where it is not the compact one."""
    typed: str = PAYLOAD_TYPE
    """The payload type that is signed."""

    def compact(self) -> str:
        """Sign the parts."""
        shape = Forgery(self.key)
        keyid = self.key.public_key.keyid
        header = {"alg": "SM2SM3", "kid": keyid, "typ": PAYLOAD_TYPE} | self.header
        text = self.spelling or json.dumps(header, separators=(",", ":"))
        payload = json.dumps(shape.payload, ensure_ascii=False).encode()
        message = _encoding(payload).replace(PAYLOAD_TYPE.encode(), self.typed.encode())
        signature = b64(self.key.sign(message))
        return "~".join(
            [f"{b64(text.encode())}.{b64(payload)}.{signature}", *shape.disclosures, ""]
        )


def test_a_manifest_of_another_implementation_is_proven(sm2_key: PrivateKey) -> None:
    """Put together from the page alone."""
    proven = verify_record(Manifest(sm2_key).compact(), sm2_key.public_key, EXPECTED)

    assert [each.name for each in proven.disclosures] == ["full_name", "status"]


Bend = Callable[[Manifest], object]


def _spaced(manifest: Manifest) -> None:
    members = {"alg": "SM2SM3", "kid": manifest.key.public_key.keyid, "typ": PAYLOAD_TYPE}
    manifest.spelling = json.dumps(members)


def _reordered(manifest: Manifest) -> None:
    members = {"typ": PAYLOAD_TYPE, "kid": manifest.key.public_key.keyid, "alg": "SM2SM3"}
    manifest.spelling = json.dumps(members, separators=(",", ":"))


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        pytest.param(_spaced, RecordReason.WRONG_HEADER, id="header with spaces"),
        pytest.param(_reordered, RecordReason.WRONG_HEADER, id="header in another order"),
        pytest.param(
            lambda manifest: manifest.header.update(x5c=["MIIB"]),
            RecordReason.WRONG_HEADER,
            id="a certificate beside the key id",
        ),
        pytest.param(
            lambda manifest: manifest.header.update(crit=["x"]),
            RecordReason.CRITICAL_HEADER,
            id="an extension that must be understood",
        ),
        pytest.param(
            lambda manifest: manifest.header.update(kid="0" * 32),
            RecordReason.WRONG_HEADER,
            id="another key id",
        ),
        pytest.param(
            lambda manifest: manifest.header.update(alg="ES256"),
            RecordReason.WRONG_ALGORITHM,
            id="another algorithm",
        ),
        pytest.param(
            lambda manifest: manifest.header.update(typ=RECORD_TYPE),
            RecordReason.WRONG_ALGORITHM,
            id="called a JWT",
        ),
        pytest.param(
            lambda manifest: manifest.header.update(typ="JWT"),
            RecordReason.WRONG_TYPE,
            id="called something else",
        ),
        pytest.param(
            lambda manifest: setattr(manifest, "typed", PAYLOAD_TYPE.replace("v1", "v2")),
            RecordReason.SIGNATURE_INVALID,
            id="signed for another payload type",
        ),
    ],
)
def test_a_bent_manifest_is_refused(sm2_key: PrivateKey, bend: Bend, reason: RecordReason) -> None:
    """Nobody signs the header, so it has one spelling and chooses nothing."""
    manifest = Manifest(sm2_key)
    bend(manifest)

    assert refused_reason(manifest.compact(), sm2_key.public_key) is reason


def test_the_key_decides_the_form(
    sm2_key: PrivateKey, es256_key: PrivateKey, eddsa_key: PrivateKey
) -> None:
    """A JWT under an SM2 key and a manifest under a JWS key are both refused."""
    jwt = Forgery(sm2_key)
    jwt.header["alg"] = "SM2SM3"

    assert refused_reason(jwt.compact(), sm2_key.public_key) is RecordReason.WRONG_ALGORITHM
    for key in (es256_key, eddsa_key):
        manifest = Manifest(key)
        manifest.header["alg"] = key.suite.value
        found = refused_reason(manifest.compact(), key.public_key)
        assert found is RecordReason.WRONG_ALGORITHM


def test_a_machine_without_sm2_says_so(
    sm2_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not the record's fault, and nothing is taken on trust."""

    def lack(*_: object) -> None:
        raise AlgorithmUnavailable("SM2")

    compact = issue_record(FileSigner.of(sm2_key), CLAIMS, SLOTS, DISCLOSED)
    monkeypatch.setattr(record_verify, "verify_signature", lack)

    assert refused_reason(compact, sm2_key.public_key) is RecordReason.ALGORITHM_UNAVAILABLE


@pytest.mark.slow
def test_every_flipped_bit_of_a_manifest_is_refused(sm2_key: PrivateKey) -> None:
    """Header, payload, signature, disclosures and separators: nothing may change."""
    octets = issue_record(FileSigner.of(sm2_key), CLAIMS, SLOTS, DISCLOSED).encode()

    for place in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[place // 8] ^= 1 << place % 8
        refused_reason(flipped.decode("latin-1"), sm2_key.public_key)
