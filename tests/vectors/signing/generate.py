"""Writes the vectors beside it and the blocks of the three pages that show them.

Run as `python tests/vectors/signing/generate.py` from the root of the repository. Everything here
is deterministic: the key is published, its suite is EdDSA, salts and times are fixed, so that a
second run changes nothing and a test can say so.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hutong.envelope.v1.envelope_pb2 import RequestHeader, SignedEnvelope
from hutong.exchange.v1.exchange_pb2 import ExchangeStatement, ExchangeStreamResponse, SubjectType

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
PAGES = ("signing-bytes.md", "records.md", "officer-assertion.md")

ORGANISATION = "11370000MB2DEM0105"
NOW = 1_795_000_000
REQUEST_ID = bytes(range(16))
# The private key is this hash: published, for vectors only, in no registry.
SEED = hashlib.sha256(b"hutong published test key: never register it").digest()
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KEYID = hashlib.sha256(SPKI).hexdigest()[:32]
PAYLOAD_TYPE = "application/vnd.hutong.exchange.v1.ExchangeStatement+protobuf"

Json = dict[str, object] | list[object]


def b64(octets: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def compact(value: object) -> bytes:
    """Write JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def jws(jwt_type: str, payload: object) -> str:
    """Sign a JWS with the published key."""
    header = {"alg": "EdDSA", "kid": KEYID, "typ": jwt_type}
    signing_input = f"{b64(compact(header))}.{b64(compact(payload))}"
    return f"{signing_input}.{b64(KEY.sign(signing_input.encode()))}"


def subject_digest() -> bytes:
    """Hash the sample subject as docs/signing-bytes.md says."""
    return hashlib.sha256(
        b"hutong/subject/v1\x00" + REQUEST_ID + b"\x00\x0bRESIDENT_ID\x00\x1211010519491231002X"
    ).digest()


def statement() -> bytes:
    """Encode the sample statement: a system job without an officer."""
    message = ExchangeStatement()
    header = message.header
    header.request_id = REQUEST_ID
    header.sender = f"{ORGANISATION}/retirement"
    header.receiver = f"{ORGANISATION}/gateway"
    header.method = "/hutong.exchange.v1.ExchangeService/Exchange"
    header.issue_time.seconds = NOW
    header.expire_time.seconds = NOW + 300
    header.commitment_salt = bytes(range(32, 64))
    message.purpose.matter = "M2"
    message.purpose.legal_basis = "社会保险经办条例第八条"
    message.purpose.case_number = "BJ-2026-0001"
    message.subject.type = SubjectType.SUBJECT_TYPE_RESIDENT_ID
    message.subject.identifier = "11010519491231002X"
    message.query.agreement = "HT-2026-017"
    message.query.dataset = "edu.diploma@1"
    message.query.fields.extend(["degree_level", "status"])
    return message.SerializeToString(deterministic=True)


def envelope_vector() -> Json:
    """Return one signed statement, from bytes to envelope."""
    payload = statement()
    kind = PAYLOAD_TYPE.encode()
    encoding = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    signature = KEY.sign(encoding)
    envelope = SignedEnvelope(payload=payload, payload_type=PAYLOAD_TYPE)
    envelope.signatures.add(value=signature, keyid=KEYID)
    return {
        "suite": "EdDSA",
        "private_key_seed": SEED.hex(),
        "spki": SPKI.hex(),
        "keyid": KEYID,
        "payload_type": PAYLOAD_TYPE,
        "payload": payload.hex(),
        "pae": encoding.hex(),
        "signature": signature.hex(),
        "signed_envelope": envelope.SerializeToString(deterministic=True).hex(),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "subject_digest": subject_digest().hex(),
        "request_commitment": hashlib.sha256(
            b"hutong/commitment/request/v1\x00" + bytes(range(32, 64)) + payload
        ).hexdigest(),
    }


# (rule, message, bytes, what the refusal says)
_HEADER = RequestHeader.DESCRIPTOR.full_name
_STATEMENT = ExchangeStatement.DESCRIPTOR.full_name
_OUTCOME = ExchangeStreamResponse.DESCRIPTOR.full_name
_PROOF = "hutong.accesslog.v1.GetInclusionProofRequest"
_SUBJECT = "hutong.exchange.v1.Subject"
_NOTICE = "hutong.exchange.v1.RefusalNotice"
_EXPLANATION = "hutong.exchange.v1.FieldExplanation"
WIRE_RULES = (
    ("fields in ascending order", _HEADER, "1201610a0161", "out of order, or twice"),
    ("a singular field once", _HEADER, "0a01610a0162", "out of order, or twice"),
    ("a message field once, never merged", _HEADER, "2a0208012a021001", "out of order"),
    ("one member of a oneof", _OUTCOME, "12001a00", "second member of a oneof"),
    ("tags in their shortest form", _HEADER, "8a000161", "varint not minimal"),
    ("lengths in their shortest form", _HEADER, "0a810061", "varint not minimal"),
    ("numbers in their shortest form", _PROOF, "088100", "varint not minimal"),
    ("numbers of at most ten bytes", _PROOF, "08ffffffffffffffffffff01", "varint cut off"),
    ("numbers below 2^64", _PROOF, "08ffffffffffffffffff7f", "varint not minimal"),
    ("no explicit default, numbers", _PROOF, "0800", "default written out"),
    ("no explicit default, bytes", _HEADER, "0a00", "default written out"),
    ("no explicit default, strings", _HEADER, "1200", "default written out"),
    ("no explicit default, enums", _SUBJECT, "0800", "default written out"),
    ("a bool is 1 or absent", _EXPLANATION, "2002", "outside its type"),
    ("an int32 fits 32 bits", _NOTICE, "108080808008", "outside its type"),
    ("an enum value is named", _SUBJECT, "0803", "outside its type"),
    ("no unknown field", _HEADER, "4a0161", "unknown, or wrong wire type"),
    ("no other wire type", _HEADER, "0801", "unknown, or wrong wire type"),
    ("no group", _HEADER, "0b0c", "unknown, or wrong wire type"),
    ("no field number 0", _HEADER, "0200", "unknown, or wrong wire type"),
    ("strings are UTF-8", _HEADER, "1202c080", "not UTF-8"),
    ("strings hold no surrogate", _HEADER, "1203eda080", "not UTF-8"),
    ("a length stays inside its message", _HEADER, "0a0261", "longer than its message"),
    ("a length inside a submessage", _STATEMENT, "0a030a0261", "longer than its message"),
    ("a message does not end in a tag", _HEADER, "0a", "varint cut off"),
)


def wire_rules() -> Json:
    """Return one refused spelling per rule."""
    return [
        {"rule": rule, "message": message, "hex": octets, "says": says}
        for rule, message, octets, says in WIRE_RULES
    ]


def record_vector() -> Json:
    """Write a record by hand, as a department in another language would."""
    disclosed = (
        ("c2FsdC1vbmUtMTYtYnl0ZQ", "full_name", {"effect": "MASK", "value": "李**"}),
        ("c2FsdC10d28tMTYtYnl0ZQ", "status", {"effect": "PREDICATE", "finding": "YES"}),
    )
    disclosures = [b64(compact(each)) for each in disclosed]
    slots = [hashlib.sha256(text.encode()).digest() for text in disclosures]
    slots.append(hashlib.sha256(b"decoy: 32 random bytes in real use").digest())
    payload = {
        "_sd": sorted(b64(slot) for slot in slots),
        "_sd_alg": "sha-256",
        "aud": f"{ORGANISATION}/retirement",
        "custody": "embedded",
        "exp": NOW + 300,
        "iat": NOW,
        "iss": "11370000MB2DEM0292",
        "nonce": REQUEST_ID.hex(),
        "answer_state": "FOUND",
        "sub_digest": b64(subject_digest()),
        "vct": "edu.diploma@1",
    }
    return {
        "spki": SPKI.hex(),
        "payload": payload,
        "disclosures": [
            {"contents": list(parts), "encoded": text}
            for parts, text in zip(disclosed, disclosures, strict=True)
        ],
        "record": "~".join((jws("hutong-record+sd-jwt", payload), *disclosures, "")),
    }


def assertion_vector() -> Json:
    """Write an officer assertion by hand, as a requester in another language would."""
    claims = {
        "iss": ORGANISATION,
        "sub": "f3b1c2d4",
        "aud": f"{ORGANISATION}/gateway",
        "jti": REQUEST_ID.hex(),
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 300,
        "cnf": {"x5t#S256": b64(bytes(range(64, 96)))},
        "authorization_details": [
            {
                "type": "hutong_exchange",
                "agreement": "HT-2026-017",
                "dataset": "edu.diploma@1",
                "matter": "M2",
                "case": "BJ-2026-0001",
                "fields": ["degree_level", "status"],
                "subject_digest": b64(subject_digest()),
            }
        ],
        "staff": {
            "token": "f3b1c2d4",
            "role": "受理人",
            "unit": "养老保险处",
            "unit_code": "370000-05",
            "level": "province",
            "division": "370000",
            "call_reason": "企业职工退休审批",
            "name": "王小明",
            "identifier": "11010519491231002X",
        },
    }
    return {"spki": SPKI.hex(), "claims": claims, "assertion": jws("hutong-officer+jwt", claims)}


def build() -> dict[str, str]:
    """Return every vector file's text by name."""
    vectors = {
        "envelope.json": envelope_vector(),
        "wire_rules.json": wire_rules(),
        "record.json": record_vector(),
        "officer_assertion.json": assertion_vector(),
    }
    return {
        name: json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        for name, value in vectors.items()
    }


def embed(page: str, vectors: dict[str, str]) -> str:
    """Replace each block `<!-- vector NAME -->` of a page with the vector file's text."""

    def block(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- vector {name} -->\n```json\n{vectors[name]}```\n<!-- end -->"

    return re.sub(r"<!-- vector ([a-z_.]+) -->\n.*?<!-- end -->", block, page, flags=re.DOTALL)


def main() -> None:
    """Write the files and the pages' blocks."""
    vectors = build()
    for name, text in vectors.items():
        (HERE / name).write_text(text)
    for page in PAGES:
        path = DOCS / page
        path.write_text(embed(path.read_text(), vectors))


if __name__ == "__main__":
    main()
