"""Fixtures: one simulator of the population register, a fresh adapter for each test."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.records import RecordSource
from tests.adapters.public_security.asking import IDENTITY, Asking, build_adapter
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    apps = tmp_path_factory.mktemp("public_security") / "apps.json"
    app = {
        "sid": IDENTITY.sid,
        "app_key": IDENTITY.app_key,
        "user": IDENTITY.user,
        "password": IDENTITY.password,
    }
    apps.write_text(json.dumps({"apps": [app]}))
    with running("public_security", "--apps", str(apps)) as simulator:
        yield simulator


@pytest.fixture
async def asking(simulator: Simulator, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask; faults are off afterwards."""
    adapter = build_adapter(simulator, source)
    yield Asking(simulator, adapter)
    simulator.reset()
    await adapter.close()
