"""Fixtures: one simulator of the education department, a fresh adapter for each test."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.kinds.education import ClientIdentity, EducationAdapter
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from signing.encoding import b64url_encode
from signing.signer import FileSigner
from tests.adapters.education.asking import CLIENT_KEY, DEGREE, DIPLOMA, ENROLMENT, Asking
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    key = load_der_public_key(CLIENT_KEY.public_key.spki)
    assert isinstance(key, EllipticCurvePublicKey)
    point = key.public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "kid": CLIENT_KEY.public_key.keyid,
        "x": b64url_encode(point.x.to_bytes(32, "big")),
        "y": b64url_encode(point.y.to_bytes(32, "big")),
    }
    clients = tmp_path_factory.mktemp("education") / "clients.json"
    client = {"client_id": "hrss-gateway", "scope": "diploma degree enrolment"}
    clients.write_text(json.dumps({"clients": [{**client, "jwks": {"keys": [jwk]}}]}))
    with running("education", "--clients", str(clients)) as simulator:
        yield simulator


@pytest.fixture
async def adapter(simulator: Simulator, source: RecordSource) -> AsyncIterator[EducationAdapter]:
    """Give a fresh adapter, without a token."""
    adapter = EducationAdapter(
        source=source,
        datasets=frozenset({DIPLOMA.name, DEGREE.name, ENROLMENT.name}),
        transport=DepartmentTransport(
            department="education",
            base_url=simulator.base_url,
            limits=TransportLimits(backoff_s=0.01),
        ),
        identity=ClientIdentity(
            client_id="hrss-gateway",
            issuer="https://edu.sandbox.invalid",
            signer=FileSigner.of(CLIENT_KEY),
        ),
        now_ms=simulator.now_ms,
    )
    yield adapter
    simulator.reset()
    await adapter.close()


@pytest.fixture
def asking(simulator: Simulator, adapter: EducationAdapter) -> Asking:
    """Give a way to ask."""
    return Asking(simulator, adapter)
