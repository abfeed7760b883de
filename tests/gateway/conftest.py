"""One sandbox for the directory: simulated departments, the real gateway, partners over mTLS."""

import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.port import (
    Effect,
    EffectKind,
    Grant,
    Query,
    Subject,
    SubjectType,
)
from adapters.records import RecordSource
from certs.identity import SystemId
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from gateway.cli.sandbox.simulated import PREFIXES
from gateway.compute.apart import ComputeApart
from gateway.compute.here import ComputeHere
from gateway.compute.port import OpenJob
from gateway.exits import REFUSAL_BUDGET
from gateway.quota import BurstLimiter
from gateway.statement.kinds import QuestionKind
from hutong.client import Client, Identity, load_identity
from hutong.client.requests import build_exchange
from tests.gateway.asking import (
    ASSISTANCE,
    LOAN,
    RECERTIFICATION,
    RETIREMENT,
    TITLE,
    call_of,
    core_question,
    moment,
    person,
)
from tests.gateway.computing import FIELD, HR, begin_of, begun
from tests.gateway.core import Core, build_core

POPULATION = 300
"""The planted people and a few more; more only takes time."""
SYSTEMS = (RETIREMENT, RECERTIFICATION, TITLE, LOAN, ASSISTANCE)
LAST = "test_every_reason_is_provoked.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the count of reasons after everything it counts."""
    items.sort(key=lambda item: item.path.name == LAST)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A world on loopback whose departments run."""
    folder = tmp_path_factory.mktemp("gateway")
    options = SandboxOptions(
        root=folder / "sandbox", population=POPULATION, systems=frozenset(SYSTEMS)
    )
    async with prepared(options) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(sandbox: Sandbox) -> AsyncIterator[Gateway]:
    """The real gateway, in this process; another one writes its log, whatever machine this is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.app.want_process", lambda _said: True)
        async with serving(sandbox) as running:
            yield running


@pytest.fixture(autouse=True)
def _fresh_refusal_budget(request: pytest.FixtureRequest) -> None:
    """A test that provokes many refusals leaves the budget of the next one alone."""
    if "gateway" in request.fixturenames:
        running: Gateway = request.getfixturevalue("gateway")
        running.exits._budget = BurstLimiter(REFUSAL_BUDGET)


@pytest.fixture(scope="session")
def partners(sandbox: Sandbox, gateway: Gateway) -> Path:
    """Where the partners' identities lie, once the gateway has an address."""
    assert gateway.port
    return sandbox.world.folders.partners


@pytest.fixture(scope="session")
def retirement(partners: Path) -> Identity:
    """The system of M2, whose questions name an officer."""
    return load_identity(partners / "retirement")


@pytest.fixture(scope="session")
def recertification(partners: Path) -> Identity:
    """The system job of M1."""
    return load_identity(partners / "recertification")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(retirement: Identity) -> AsyncIterator[Client]:
    """A client of the system of M2."""
    async with Client.open(retirement) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def job_client(recertification: Identity) -> AsyncIterator[Client]:
    """A client of the system job of M1."""
    async with Client.open(recertification) as opened:
        yield opened


@pytest.fixture(scope="session")
def sources(sandbox: Sandbox) -> Mapping[str, RecordSource]:
    """Who signs the records of each connected department, by prefix of its datasets."""
    world = sandbox.world
    return {
        prefix: RecordSource(
            organisation=world.provider_of(name), signer=world.record_keys[name].signer
        )
        for name, prefix in PREFIXES.items()
    }


@pytest.fixture
def core(gateway: Gateway, sources: Mapping[str, RecordSource]) -> Core:
    """A core of its own, with spies for departments and a clock that stands still."""
    return build_core(gateway, sources)


@pytest_asyncio.fixture(loop_scope="session")
async def apart(gateway: Gateway) -> AsyncIterator[ComputeApart]:
    """A second process of its own."""
    made = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    made.start()
    await begun(made)
    yield made
    await made.stop()


@pytest.fixture
def here(gateway: Gateway) -> ComputeHere:
    """The same jobs in this process."""
    return ComputeHere(gateway.exchange._parts.signer)


@pytest.fixture
def open_job(core: Core, retirement: Identity) -> OpenJob:
    """A call that names an officer."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    call = call_of(retirement, request)
    snapshot = core.parts.trust.snapshot
    thumbprint = call.peer.leaf_thumbprint
    assert thumbprint is not None
    system = snapshot.registry.system_by_tls_thumbprint(thumbprint)
    assert system is not None
    organisation = system.organisation.uscc
    return OpenJob(
        body=call.body,
        payload_type=call.payload_type,
        keys=system.envelope_keys,
        kind=QuestionKind.EXCHANGE,
        officer_keys=snapshot.registry.officer_keys(organisation),
        organisation=organisation,
        audience=core.parts.system_id,
        thumbprint=thumbprint,
        now_ms=core.now_ms,
    )


@pytest.fixture
def query(gateway: Gateway) -> Query:
    """A query for the tables that lie at the gateway."""
    return Query(
        request_id=bytes(range(16)),
        item=0,
        audience=SystemId("11370000MB2DEM0105/retirement"),
        dataset=gateway.exchange._deciding.bundle.shapes[HR],
        subject=Subject(
            type=SubjectType.RESIDENT_ID, identifier=person("ordinary_pensioner").id_number
        ),
        grants=(Grant(field=FIELD, effect=Effect(kind=EffectKind.CLEAR)),),
        claims={},
        matter="M2",
        case_number="C-1",
        end_user=None,
        tell_not_found=True,
        issued_at_ms=gateway.clock.now_ms(),
        deadline=time.monotonic() + 60,
    )
