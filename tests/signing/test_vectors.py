"""The published vectors: written by other code than ours, accepted or refused by ours."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import Default

from certs.algorithms import parse_public_key, verify_signature
from certs.identity import RegisteredKey
from certs.registry_file import KeyPurpose
from hutong.envelope.v1.envelope_pb2 import SignedEnvelope
from hutong.exchange.v1.exchange_pb2 import ExchangeStatement
from signing.assertion import AssertionExpectation, verify_assertion
from signing.encoding import commitment, pae, subject_digest
from signing.errors import Malformed
from signing.record import RecordExpectation, verify_record
from signing.wire import parse_signed

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "signing"
ENVELOPE = json.loads((VECTORS / "envelope.json").read_text())
WIRE_RULES = json.loads((VECTORS / "wire_rules.json").read_text())
RECORD = json.loads((VECTORS / "record.json").read_text())
ASSERTION = json.loads((VECTORS / "officer_assertion.json").read_text())
PAGES = ("signing-bytes.md", "records.md", "officer-assertion.md")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """Give the program that writes the vectors."""
    spec = importlib.util.spec_from_file_location("vectors_signing", VECTORS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generator_writes_what_lies_here(generator: ModuleType) -> None:
    """Running it again changes no vector."""
    for name, text in generator.build().items():
        assert (VECTORS / name).read_text() == text, name


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_the_vectors_as_they_are(generator: ModuleType, page: str) -> None:
    """Embedding them again changes no page, and each page shows at least one."""
    text = (ROOT / "docs" / page).read_text()

    assert generator.embed(text, generator.build()) == text
    assert "<!-- vector " in text


def test_published_statement_is_the_one_spelling_and_is_proven() -> None:
    """Payload, PAE, signature and envelope bytes of the page fit together in our code."""
    payload = bytes.fromhex(ENVELOPE["payload"])
    envelope = parse_signed(bytes.fromhex(ENVELOPE["signed_envelope"]), SignedEnvelope)
    statement = parse_signed(envelope.payload, ExchangeStatement)
    key = parse_public_key(bytes.fromhex(ENVELOPE["spki"]))

    message = pae(envelope.payload_type, envelope.payload)

    assert envelope.payload == payload
    assert message.hex() == ENVELOPE["pae"]
    assert key.keyid == ENVELOPE["keyid"] == envelope.signatures[0].keyid
    verify_signature(key, envelope.signatures[0].value, message)
    assert statement.query.dataset == "edu.diploma@1"


def test_published_digests_are_ours() -> None:
    """Subject digest and request commitment of the page equal what our code computes."""
    payload = bytes.fromhex(ENVELOPE["payload"])
    statement = parse_signed(payload, ExchangeStatement)
    header = statement.header

    digest = subject_digest(header.request_id, "RESIDENT_ID", statement.subject.identifier)

    assert digest.hex() == ENVELOPE["subject_digest"]
    committed = commitment("request", header.commitment_salt, payload)
    assert committed.hex() == ENVELOPE["request_commitment"]


@pytest.mark.parametrize("vector", WIRE_RULES, ids=lambda vector: vector["rule"])
def test_published_spelling_is_refused_by_its_rule(vector: dict[str, str]) -> None:
    """Each refused byte string breaks the rule it is printed for."""
    descriptor = Default().FindMessageTypeByName(vector["message"])
    message_class = message_factory.GetMessageClass(descriptor)

    with pytest.raises(Malformed, match=vector["says"]):
        parse_signed(bytes.fromhex(vector["hex"]), message_class)


def test_published_record_is_proven() -> None:
    """A record written by other code is accepted, with both its disclosures."""
    payload = RECORD["payload"]
    digest = bytes.fromhex(ENVELOPE["subject_digest"])
    expected = RecordExpectation(
        issuer=payload["iss"],
        audience=payload["aud"],
        nonce=payload["nonce"],
        dataset=payload["vct"],
        subject_digest=digest,
        now_s=payload["iat"],
    )

    proven = verify_record(
        RECORD["record"], parse_public_key(bytes.fromhex(RECORD["spki"])), expected
    )

    assert [[each.name, each.value] for each in proven.disclosures] == [
        each["contents"][1:] for each in RECORD["disclosures"]
    ]


def test_published_assertion_is_proven(register: Callable[..., RegisteredKey]) -> None:
    """An assertion written by other code is accepted."""
    public_key = parse_public_key(bytes.fromhex(ASSERTION["spki"]))
    officer_key = register(public_key, KeyPurpose.OFFICER)
    claims = ASSERTION["claims"]
    expected = AssertionExpectation(
        issuer=claims["iss"],
        audience=claims["aud"],
        request_id=bytes.fromhex(claims["jti"]),
        thumbprint=bytes(range(64, 96)),
        now_s=claims["iat"],
    )

    proven = verify_assertion(ASSERTION["assertion"], {officer_key.keyid: officer_key}, expected)

    assert proven.claims.staff.token == claims["sub"]
    detail = proven.claims.detail_for("HT-2026-017", "edu.diploma@1")
    assert detail is not None
    assert detail.subject_digest.hex() == ENVELOPE["subject_digest"]
