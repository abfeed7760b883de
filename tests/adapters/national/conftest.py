"""Fixtures: education behind the platform, each a process of its own; an adapter for each test."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.kind import KeyFiles, Means, Parts
from adapters.kinds.education import KIND, EducationAdapter
from adapters.records import RecordSource
from adapters.settings import EducationConfig
from signing.encoding import b64url_encode
from signing.signer import FileSigner, Signer
from tests.adapters.education.asking import CLIENT_KEY, DEGREE, DIPLOMA, ENROLMENT
from tests.adapters.national.riding import ACCESS_KEY, APP_KEY, SIDS, Riding, config_of
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def education(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run the department."""
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
    with running("education", "--clients", str(clients), "--async-seconds", "1") as simulator:
        yield simulator


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, education: Simulator) -> Iterator[Simulator]:
    """Run the platform before it; each keyed hash has ids of its own."""
    apps = [
        {
            "sid": sid,
            "app_key": APP_KEY,
            "access_key": ACCESS_KEY,
            "mac": mac,
            "target": education.base_url,
            "paths": [path],
        }
        for mac, sids in SIDS.items()
        for path, sid in sids.items()
    ]
    file = tmp_path_factory.mktemp("national") / "apps.json"
    file.write_text(json.dumps({"apps": apps}))
    with running("national", "--apps", str(file)) as simulator:
        yield simulator


def _signer(_: KeyFiles) -> Signer:
    return FileSigner.of(CLIENT_KEY)


def _secret(path: Path) -> bytes:
    return {"app-key": APP_KEY, "access-key": ACCESS_KEY, "wrong-key": "demo-app-key-0002"}[
        path.name
    ].encode()


@pytest.fixture
async def build(
    education: Simulator, platform: Simulator, source: RecordSource
) -> AsyncIterator[Callable[[EducationConfig], EducationAdapter]]:
    """Give a way to build the adapter as the gateway does."""
    adapters: list[EducationAdapter] = []

    def build(config: EducationConfig) -> EducationAdapter:
        means = Means(
            providers={},
            matters={},
            now_ms=platform.now_ms,
            load_secret=_secret,
            load_signer=_signer,
        )
        names = frozenset({DIPLOMA.name, DEGREE.name, ENROLMENT.name})
        adapter = KIND.build(config, Parts(source=source, datasets=names, means=means))
        assert isinstance(adapter, EducationAdapter)
        adapters.append(adapter)
        return adapter

    yield build
    education.reset()
    platform.reset()
    platform.admin("POST", "/clock", {"offset_ms": 0})
    for adapter in adapters:
        await adapter.close()


@pytest.fixture(params=[(1, "sha256"), (1, "sm3"), (2, "sha256"), (2, "sm3")], ids=str)
def way(request: pytest.FixtureRequest) -> tuple[int, str]:
    """Name a generation and its keyed hash."""
    way: tuple[int, str] = request.param
    return way


@pytest.fixture
def riding(
    education: Simulator,
    platform: Simulator,
    build: Callable[[EducationConfig], EducationAdapter],
    way: tuple[int, str],
) -> Riding:
    """Give a way to ask through the platform."""
    return Riding(education, platform, build(config_of(platform, *way)))
