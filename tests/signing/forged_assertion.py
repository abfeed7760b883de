"""Officer assertions in parts, soundly signed, so that a test can bend one part."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from certs.algorithms import PrivateKey
from certs.identity import RegisteredKey
from signing.assertion import (
    AssertionClaims,
    AssertionExpectation,
    AuthorizationDetail,
    Staff,
    issue_assertion,
    verify_assertion,
)
from signing.errors import AssertionReason, AssertionRefused
from signing.signer import FileSigner

NOW = 1_795_000_000
ORGANISATION = "11370000MB2DEM0105"
GATEWAY = "11370000MB2DEM0105/gateway"
STAFF = Staff(
    token="f3b1c2d4",
    role="受理人",
    unit="养老保险处",
    unit_code="370000-05",
    level="province",
    division="370000",
    call_reason="企业职工退休审批",
    name="王小明",
    identifier="11010519491231002X",
)
DETAIL = AuthorizationDetail(
    agreement="HT-2026-017",
    dataset="edu.diploma@1",
    matter="M2",
    case="BJ-2026-0001",
    fields=("degree_level", "status"),
    subject_digest=bytes(range(32)),
)
CLAIMS = AssertionClaims(
    issuer=ORGANISATION,
    audience=GATEWAY,
    request_id=bytes(range(16)),
    thumbprint=bytes(range(32, 64)),
    issued_at_s=NOW,
    expires_at_s=NOW + 300,
    staff=STAFF,
    details=(DETAIL, replace(DETAIL, dataset="civil.marriage@1")),
)
EXPECTED = AssertionExpectation(
    issuer=ORGANISATION,
    audience=GATEWAY,
    request_id=CLAIMS.request_id,
    thumbprint=CLAIMS.thumbprint,
    now_s=NOW + 1,
)

Register = Callable[..., RegisteredKey]
Keys = dict[str, RegisteredKey]


def b64(octets: bytes) -> str:
    """Write base64url by the standard library alone."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


@dataclass
class Forgery:
    """An assertion in parts, soundly signed; a test bends one part."""

    key: PrivateKey
    header: dict[str, object] = field(default_factory=dict)
    claims: dict[str, object] = field(default_factory=dict)
    body: str | None = None

    def __post_init__(self) -> None:
        """Start from an assertion that is accepted."""
        token = issue_assertion(FileSigner.of(self.key), CLAIMS)
        self.header, self.claims = (
            json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]
        )

    @property
    def detail(self) -> dict[str, object]:
        """The first authorization detail."""
        details = self.claims["authorization_details"]
        assert isinstance(details, list)
        first: dict[str, object] = details[0]
        return first

    @property
    def staff(self) -> dict[str, object]:
        """The staff claim."""
        staff = self.claims["staff"]
        assert isinstance(staff, dict)
        return staff

    def token(self) -> str:
        """Sign the parts."""
        body = self.body or json.dumps(self.claims)
        signing_input = f"{b64(json.dumps(self.header).encode())}.{b64(body.encode())}"
        return f"{signing_input}.{b64(self.key.sign(signing_input.encode()))}"


def refused_reason(
    token: str, keys: Keys, expected: AssertionExpectation = EXPECTED
) -> AssertionReason:
    """Return why an assertion is refused; fails when it is not."""
    with pytest.raises(AssertionRefused) as refused:
        verify_assertion(token, keys, expected)
    return refused.value.reason
