"""Two sandboxes: one whose departments are embedded in the gateway, one whose run nodes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from gateway.cli.sandbox.nodes import node_file
from gateway.cli.sandbox.running import SandboxOptions, prepared, serving
from gateway.config import load_settings
from gateway.node.building import RunningNode, build_node
from gateway.node.config import NodeConfig
from hutong.client import Client, load_identity
from tests.gateway.asking import RECERTIFICATION, RETIREMENT
from tests.node.asking import KIND, Caller, Way

POPULATION = 300
SYSTEMS = frozenset({RETIREMENT, RECERTIFICATION})
LAST = "test_node_serves.py"


async def _way(stack: AsyncExitStack, folder: pytest.TempPathFactory, *, remote: bool) -> Way:
    root = folder.mktemp("node") / "sandbox"
    options = SandboxOptions(root=root, population=POPULATION, systems=SYSTEMS, remote=remote)
    sandbox = await stack.enter_async_context(prepared(options))
    gateway = await stack.enter_async_context(serving(sandbox))
    partners = sandbox.world.folders.partners
    retirement = load_identity(partners / "retirement")
    job = load_identity(partners / "recertification")
    return Way(
        sandbox=sandbox,
        gateway=gateway,
        retirement=retirement,
        client=await stack.enter_async_context(Client.open(retirement)),
        job_client=await stack.enter_async_context(Client.open(job)),
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def remote(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    """Departments with nodes: each a process of its own, asked over mutual TLS."""
    async with AsyncExitStack() as stack:
        yield await _way(stack, tmp_path_factory, remote=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    """Departments whose adapters run in the gateway."""
    async with AsyncExitStack() as stack:
        yield await _way(stack, tmp_path_factory, remote=False)


@pytest.fixture(params=["embedded", "remote"])
def way(request: pytest.FixtureRequest) -> Way:
    """Give each of the two in turn."""
    found: Way = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def node_config(remote: Way) -> NodeConfig:
    """Return the configuration of the public security department's node."""
    return load_settings(node_file(remote.sandbox.world.folders, KIND), NodeConfig)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def node(remote: Way) -> AsyncIterator[RunningNode]:
    """A node of the public security department in this process, over the same department."""
    config = load_settings(node_file(remote.sandbox.world.folders, KIND), NodeConfig)
    running = build_node(config)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def caller(remote: Way, node: RunningNode) -> Caller:
    """The gateway, as it calls the node."""
    return Caller.gateway(remote, node.port)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the count of reasons after everything it counts."""
    items.sort(key=lambda item: item.path.name == LAST)
