"""One good specimen of everything that is parsed: what is measured alone, and what is mutated.

All synthetic, of fresh keys; knows no server.
"""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from bench.interop_receipts import build_cases
from certs.algorithms import Suite, generate_private_key
from certs.authority import Authority
from certs.identity import RegisteredKey
from certs.naming import SubjectName
from certs.registry_file import KeyPurpose
from gateway.trust import moment
from hutong.client.identity import pinned_key
from hutong.envelope.v1 import envelope_pb2
from hutong.evidence import LogKey, encode_log_key, encode_receipt, encode_tlog_proof
from hutong.exchange.v1 import exchange_pb2
from signing.assertion import (
    AssertionClaims,
    AssertionExpectation,
    AuthorizationDetail,
    Staff,
    issue_assertion,
)
from signing.encoding import subject_digest
from signing.record import (
    Custody,
    DisclosedValue,
    RecordClaims,
    RecordExpectation,
    RecordState,
    issue_record,
    record_nonce,
)
from signing.signer import FileSigner, sign_envelope

NOW_MS: Final = 1_795_392_000_000
NOW_S: Final = NOW_MS // 1000
HRSS: Final = "11370000MB2DEM0105"
EDUCATION: Final = "11370000MB2DEM0292"
SYSTEM: Final = f"{HRSS}/retirement"
GATEWAY: Final = f"{HRSS}/gateway"
DATASET: Final = "edu.diploma@1"
SLOTS: Final = tuple(f"field_{number}" for number in range(13))
PAYLOAD_TYPE: Final = "application/vnd.hutong.exchange.v1.ExchangeStatement+protobuf"
REQUEST_ID: Final = bytes(range(16))
_ID: Final = "370102195603150017"
_THUMBPRINT: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Specimens, and what their verifiers expect."""

    statement: bytes
    message: bytes
    record: str
    record_key: RegisteredKey
    record_signer: FileSigner = field(repr=False)
    record_claims: RecordClaims
    expected_record: RecordExpectation
    disclosed: dict[str, DisclosedValue]
    assertion: str
    officer_key: RegisteredKey
    expected_assertion: AssertionExpectation
    json: bytes
    receipt: bytes
    tlog_proof: bytes
    note: bytes
    log_key: LogKey
    log_key_text: str
    agreement: str
    """A document of the shipped policy, YAML."""


def build_samples() -> Samples:
    """Make one specimen of each kind."""
    at = moment(NOW_MS)
    authority = Authority.create(SubjectName(common_name="Bench"), at=at, sandbox=True)
    record_signer, record_key = _signer(authority, EDUCATION, KeyPurpose.RECORD)
    officer, officer_key = _signer(authority, HRSS, KeyPurpose.OFFICER)
    envelope, _ = _signer(authority, HRSS, KeyPurpose.ENVELOPE)
    claims, disclosed = _claims(), _disclosed()
    assertion = issue_assertion(officer, _assertion())
    statement = _statement(assertion).SerializeToString(deterministic=True)
    case = next(each for each in build_cases() if each.name == "128 of 257")
    return Samples(
        statement=statement,
        message=_message(envelope, statement),
        record=issue_record(record_signer, claims, SLOTS, disclosed),
        record_key=record_key,
        record_signer=record_signer,
        record_claims=claims,
        expected_record=_expected_record(),
        disclosed=disclosed,
        assertion=assertion,
        officer_key=officer_key,
        expected_assertion=AssertionExpectation(
            issuer=HRSS,
            audience=GATEWAY,
            request_id=REQUEST_ID,
            thumbprint=_THUMBPRINT,
            now_s=NOW_S,
        ),
        json=json.dumps({"名": ["a", {"n": [1, -2, None, True]}], "x": "\u00b7"}).encode(),
        receipt=encode_receipt(case.receipt),
        tlog_proof=encode_tlog_proof(case.receipt),
        note=case.receipt.checkpoint,
        log_key=case.log_key,
        log_key_text=encode_log_key(case.log_key),
        agreement=_agreement(),
    )


def _signer(
    authority: Authority, organisation: str, usage: KeyPurpose
) -> tuple[FileSigner, RegisteredKey]:
    """Make a key and its certificate without a file."""
    key = generate_private_key(Suite.ES256)
    name = SubjectName(common_name=f"bench {usage}", organisation=organisation)
    certificate = authority.issue_signing(
        name, key.public_key, usage, at=moment(NOW_MS), lifetime=timedelta(days=1)
    )
    return FileSigner.of(key, certificate.der), pinned_key(certificate, organisation, usage)


def _statement(assertion: str) -> exchange_pb2.ExchangeStatement:
    header = envelope_pb2.RequestHeader(
        request_id=REQUEST_ID,
        sender=SYSTEM,
        receiver=GATEWAY,
        method="/hutong.exchange.v1.ExchangeService/Exchange",
        issue_time=Timestamp(seconds=NOW_S),
        expire_time=Timestamp(seconds=NOW_S + 120),
        commitment_salt=bytes(range(32)),
    )
    return exchange_pb2.ExchangeStatement(
        header=header,
        purpose=exchange_pb2.Purpose(
            matter="M2",
            legal_basis="社会保险法第五十七条",
            case_number="SB-M2-000000",
            officer_assertion=assertion,
        ),
        subject=exchange_pb2.Subject(type=exchange_pb2.SUBJECT_TYPE_RESIDENT_ID, identifier=_ID),
        query=exchange_pb2.DatasetQuery(
            agreement="XY-2026-205",
            dataset=DATASET,
            fields=SLOTS[:4],
            claims=[exchange_pb2.Claim(name="full_name", value="王守仁")],
        ),
    )


def _message(signer: FileSigner, statement: bytes) -> bytes:
    signed = sign_envelope(signer, PAYLOAD_TYPE, statement)
    signature = envelope_pb2.Signature(value=signed.signature, keyid=signed.keyid)
    message = exchange_pb2.ExchangeRequest(
        envelope=envelope_pb2.SignedEnvelope(
            payload=signed.payload, payload_type=signed.payload_type, signatures=[signature]
        )
    )
    return message.SerializeToString(deterministic=True)


def _assertion() -> AssertionClaims:
    return AssertionClaims(
        issuer=HRSS,
        audience=GATEWAY,
        request_id=REQUEST_ID,
        thumbprint=_THUMBPRINT,
        issued_at_s=NOW_S,
        expires_at_s=NOW_S + 120,
        staff=Staff(
            token="officer-0417",  # noqa: S106  a pseudonym of a person, no secret
            role="经办",
            unit="养老保险处",
            unit_code="370000000000",
            level="county",
            division="370102",
        ),
        details=(
            AuthorizationDetail(
                agreement="XY-2026-205",
                dataset=DATASET,
                matter="M2",
                case="SB-M2-000000",
                fields=SLOTS[:4],
                subject_digest=_subject(),
            ),
        ),
    )


def _claims() -> RecordClaims:
    return RecordClaims(
        issuer=EDUCATION,
        audience=SYSTEM,
        nonce=record_nonce(REQUEST_ID, 0),
        dataset=DATASET,
        custody=Custody.EMBEDDED,
        subject_digest=_subject(),
        state=RecordState.FOUND,
        issued_at_s=NOW_S,
        expires_at_s=NOW_S + 300,
    )


def _expected_record() -> RecordExpectation:
    return RecordExpectation(
        issuer=EDUCATION,
        audience=SYSTEM,
        nonce=record_nonce(REQUEST_ID, 0),
        dataset=DATASET,
        subject_digest=_subject(),
        now_s=NOW_S,
    )


def _disclosed() -> dict[str, DisclosedValue]:
    return {name: {"effect": "MASK", "value": "王**"} for name in SLOTS[:4]}


def _subject() -> bytes:
    return subject_digest(REQUEST_ID, "RESIDENT_ID", _ID)


def _agreement() -> str:
    folder = files("gateway") / "bundle" / "agreements"
    return (folder / "m02-retirement.yaml").read_text("utf-8")
