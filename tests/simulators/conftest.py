"""Starts each simulator once as its own process and resets it before every test."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from openapi_core import OpenAPI

from adapters.simulators.population import Population
from tests.simulators.bank_client import BankClient, bank_client
from tests.simulators.civil_client import ACCESS_KEY, APP_KEY, PASSWORD, SID, USER, CivilClient
from tests.simulators.commerce_client import CommerceClient
from tests.simulators.education_client import EducationClient
from tests.simulators.health_client import REGISTERED, HealthClient
from tests.simulators.police_client import PoliceClient
from tests.simulators.simulator_process import SIZE, Running, reset, running
from tests.simulators.tax_client import CLIENT_NO, CONTRIBUTION, SIGN_KEY, TaxClient

DAYS = count()
"""How far ahead the clock of the banks stands, one day more for each test."""


@pytest.fixture(scope="session")
def people() -> Population:
    """The population all simulators serve."""
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


@pytest.fixture
def education_client(
    education: Running, client_key: ec.EllipticCurvePrivateKey
) -> Iterator[EducationClient]:
    """The registered client, without a token and with little patience."""
    client = EducationClient(
        url=education.url, key=client_key, now_s=lambda: education.now_ms() // 1000
    )
    with client.http:
        yield client


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


@pytest.fixture
def police(public_security: Running) -> Iterator[PoliceClient]:
    """The registered requester, without a secret and with little patience."""
    client = PoliceClient(url=public_security.url, now_ms=public_security.now_ms)
    with closing(client):
        yield client


@pytest.fixture(scope="session")
def health_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Health, once for all tests."""
    path = tmp_path_factory.mktemp("health") / "apps.json"
    path.write_text(json.dumps({"apps": REGISTERED}))
    with running("health", "--apps", str(path)) as simulator:
        yield simulator


@pytest.fixture
def health(health_process: Running) -> Running:
    """Health with every control reset."""
    return reset(health_process)


@pytest.fixture
def hospital(health: Running) -> Iterator[HealthClient]:
    """The registered requester, with little patience."""
    client = HealthClient(url=health.url, now_ms=health.now_ms)
    with closing(client):
        yield client


@pytest.fixture(scope="session")
def civil_apps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registration file of civil affairs."""
    apps = [{"sid": SID, "access_key": ACCESS_KEY, "app_key": APP_KEY}]
    path = tmp_path_factory.mktemp("civil_affairs") / "apps.json"
    path.write_text(json.dumps({"apps": apps, "front_end": {"user": USER, "password": PASSWORD}}))
    return path


@pytest.fixture(scope="session")
def civil_affairs_process(civil_apps: Path) -> Iterator[Running]:
    """Civil affairs with its database, once for all tests."""
    with running("civil_affairs", "--apps", str(civil_apps)) as simulator:
        yield simulator


@pytest.fixture
def civil_affairs(civil_affairs_process: Running) -> Running:
    """Civil affairs with every control reset."""
    reset(civil_affairs_process)
    answer = civil_affairs_process.admin.post("/front_end", json={"action": "reset"})
    assert answer.status_code == 200, answer.text
    return civil_affairs_process


@pytest.fixture
def civil(civil_affairs: Running) -> Iterator[CivilClient]:
    """The registered requester, with little patience."""
    client = CivilClient(url=civil_affairs.url, now_ms=civil_affairs.now_ms)
    with client.http:
        yield client


@pytest.fixture(scope="session")
def bank_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the bank makes its keys."""
    return tmp_path_factory.mktemp("bank") / "pki"


@pytest.fixture(scope="session")
def bank_process(bank_pki: Path) -> Iterator[Running]:
    """The banks, once for all tests."""
    with running("bank", "--pki", str(bank_pki), "--async-above", "20") as simulator:
        yield simulator


@pytest.fixture
def bank(bank_process: Running) -> Running:
    """The banks with every control reset."""
    reset(bank_process)
    # Another day for each test: nobody meets the quota of the test before.
    bank_process.admin.post("/clock", json={"offset_ms": next(DAYS) * 86_400_000})
    return bank_process


@pytest.fixture
def banker(bank: Running, bank_pki: Path) -> Iterator[BankClient]:
    """The registered caller."""
    client = bank_client(bank.url, bank_pki, bank.now_ms)
    with client.http:
        yield client


@pytest.fixture(scope="session")
def commerce_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Commerce, once for all tests, with short waits between deliveries."""
    key = {
        "key_id": "hrss-gateway",
        "secret": "demo-commerce-secret-0001",
        "authcode": "HRSS-DEMO",
    }
    other = {**key, "key_id": "another", "secret": "demo-commerce-secret-0002"}
    path = tmp_path_factory.mktemp("commerce") / "keys.json"
    path.write_text(json.dumps({"keys": [key, other]}))
    with running("commerce", "--keys", str(path), "--retry-ms", "20") as simulator:
        yield simulator


@pytest.fixture(scope="session")
def document(commerce_process: Running) -> OpenAPI:
    """The document the running commerce department publishes."""
    published = commerce_process.admin.get(f"{commerce_process.url}/openapi.json")
    return OpenAPI.from_dict(published.json())


@pytest.fixture
def commerce(commerce_process: Running) -> Running:
    """Commerce with every control reset."""
    return reset(commerce_process)


@pytest.fixture
def registry(commerce: Running) -> Iterator[CommerceClient]:
    """The registered requester, with little patience; he leaves no webhook behind."""
    client = CommerceClient(url=commerce.url, now_ms=commerce.now_ms)
    with client.http:
        yield client
        commerce.admin.delete("/faults")
        for webhook in client.get("/api/v1/webhooks").json()["data"]:
            client.delete(f"/api/v1/webhooks/{webhook['id']}")


@pytest.fixture(scope="session")
def tax_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registration file of tax and the private keys of its two clients."""
    folder = tmp_path_factory.mktemp("tax")
    clients = []
    for user, number, services in (
        ("hrss", CLIENT_NO, None),
        ("narrow", "NARROW0001", [CONTRIBUTION]),
    ):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / user)
        (folder / user).chmod(0o600)
        row = {
            "client_no": number,
            "user": user,
            "public_key": key.export_public_key().decode(),
            "sign_key": SIGN_KEY.decode(),
        }
        clients.append({**row, **({"services": services} if services else {})})
    (folder / "clients.json").write_text(json.dumps({"clients": clients}))
    return folder


@pytest.fixture(scope="session")
def tax_process(tax_folder: Path) -> Iterator[Running]:
    """Tax, once for all tests."""
    with running("tax", "--clients", str(tax_folder / "clients.json")) as simulator:
        yield simulator


@pytest.fixture
def tax(tax_process: Running) -> Running:
    """Tax with every control reset."""
    tax_process.admin.post("/month-end", json={"on": False})
    return reset(tax_process)


@pytest.fixture
def tax_client(tax: Running, tax_folder: Path) -> TaxClient:
    """The registered client."""
    return TaxClient(port=tax.port, host_key=tax.host_key, key=tax_folder / "hrss")


@pytest.fixture
def narrow_client(tax: Running, tax_folder: Path) -> TaxClient:
    """Another client, who may ask about contributions alone."""
    return TaxClient(port=tax.port, host_key=tax.host_key, key=tax_folder / "narrow", user="narrow")
