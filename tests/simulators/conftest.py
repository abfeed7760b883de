"""Starts each simulator once as its own process and resets it before every test."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.simulators.population import Population

ROOT = Path(__file__).resolve().parents[2]
SIZE = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A simulator that runs: where it listens and how to turn its controls."""

    url: str
    admin: httpx.Client
    pid: int
    token: str

    def fault(self, name: str, count: int | None = 1) -> None:
        """Switch a fault on."""
        answer = self.admin.post("/faults", json={"name": name, "count": count})
        assert answer.status_code == 200, answer.text

    def advance(self, milliseconds: int) -> None:
        """Move the clock."""
        assert self.admin.post("/clock", json={"advance_ms": milliseconds}).status_code == 200

    def now_ms(self) -> int:
        """Read the clock."""
        return int(self.admin.get("/clock").json()["now_ms"])


@contextmanager
def running(department: str, *arguments: str) -> Iterator[Running]:
    """Start a simulator; it ends with its standard input."""
    module = f"adapters.simulators.{department}"
    command = [sys.executable, "-m", module, "--population", str(SIZE), "--exit-with-stdin"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        token = ready["admin_token"]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{ready['admin_port']}",
            headers={"Authorization": f"Bearer {token}"},
        ) as admin:
            url = f"http://127.0.0.1:{ready['port']}"
            yield Running(url=url, admin=admin, pid=process.pid, token=token)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def reset(simulator: Running) -> Running:
    """Switch every fault off and set the clock right."""
    simulator.admin.delete("/faults")
    simulator.admin.delete("/received")
    simulator.admin.post("/clock", json={"offset_ms": 0})
    return simulator


@pytest.fixture(scope="session")
def people() -> Population:
    """The population both simulators serve."""
    return Population(seed=1, size=SIZE)


@pytest.fixture(scope="session")
def client_key() -> ec.EllipticCurvePrivateKey:
    """The key of the registered client."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def clients_file(
    tmp_path_factory: pytest.TempPathFactory, client_key: ec.EllipticCurvePrivateKey
) -> Path:
    """The registration file of education."""
    numbers = client_key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": "k1"}
    jwk["x"] = urlsafe_b64encode(numbers.x.to_bytes(32, "big")).decode().rstrip("=")
    jwk["y"] = urlsafe_b64encode(numbers.y.to_bytes(32, "big")).decode().rstrip("=")
    client = {
        "client_id": "hrss-gateway",
        "scope": "diploma degree enrolment",
        "jwks": {"keys": [jwk]},
    }
    narrow = {**client, "client_id": "narrow", "scope": "degree"}
    path = tmp_path_factory.mktemp("education") / "clients.json"
    path.write_text(json.dumps({"clients": [client, narrow]}))
    return path


@pytest.fixture(scope="session")
def education_process(clients_file: Path) -> Iterator[Running]:
    """Education, once for all tests."""
    with running("education", "--clients", str(clients_file)) as simulator:
        yield simulator


@pytest.fixture
def education(education_process: Running) -> Running:
    """Education with every control reset."""
    return reset(education_process)


@pytest.fixture(scope="session")
def public_security_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Public security, once for all tests."""
    app = {
        "sid": "s_1137000000000_0001",
        "app_key": "demo-app-key-0001",
        "user": "hrss",
        "password": "demo-password",
    }
    path = tmp_path_factory.mktemp("public_security") / "apps.json"
    path.write_text(json.dumps({"apps": [app]}))
    with running("public_security", "--apps", str(path)) as simulator:
        yield simulator


@pytest.fixture
def public_security(public_security_process: Running) -> Running:
    """Public security with every control reset."""
    public_security_process.admin.post("/mode", json={"lax": False})
    return reset(public_security_process)
