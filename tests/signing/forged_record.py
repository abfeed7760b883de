"""Records in parts, soundly signed by other code than ours, so that a test can bend one part."""

import base64
import hashlib
import json
from dataclasses import dataclass, field

import pytest

from certs.algorithms import PrivateKey, PublicKey
from signing.errors import RecordReason, RecordRefused
from signing.record import (
    RECORD_TYPE,
    Custody,
    RecordClaims,
    RecordExpectation,
    RecordState,
    verify_record,
)

NOW = 1_795_000_000
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
            "answer_state": "FOUND",
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


def refused_reason(
    compact: str, key: PublicKey, expected: RecordExpectation = EXPECTED
) -> RecordReason:
    """Return why a record is refused; fails when it is not."""
    with pytest.raises(RecordRefused) as refused:
        verify_record(compact, key, expected)
    return refused.value.reason
