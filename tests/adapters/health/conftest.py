"""Fixtures: one simulator of the health department, a fresh adapter for each test."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.records import RecordSource
from tests.adapters.health.asking import REGISTERED, Asking, build_adapter
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    apps = tmp_path_factory.mktemp("health") / "apps.json"
    apps.write_text(json.dumps({"apps": REGISTERED}))
    # Without the quota, which tests that ask as fast as they can would meet by chance.
    with running("health", "--apps", str(apps), "--calls-per-second", "0") as simulator:
        yield simulator


@pytest.fixture
def strict_simulator(tmp_path: Path) -> Iterator[Simulator]:
    """Run a simulator that answers once a second."""
    apps = tmp_path / "apps.json"
    apps.write_text(json.dumps({"apps": REGISTERED}))
    with running("health", "--apps", str(apps), "--calls-per-second", "1") as simulator:
        yield simulator


@pytest.fixture
async def asking(simulator: Simulator, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask; faults are off afterwards."""
    adapter = build_adapter(simulator.base_url, simulator.now_ms, source)
    yield Asking(simulator, adapter)
    simulator.reset()
    await adapter.close()
