"""Fixtures: one front of the banks, a fresh adapter for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.records import RecordSource
from tests.adapters.bank.asking import Asking, build_adapter
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the simulator puts the keys of both sides."""
    return tmp_path_factory.mktemp("bank") / "pki"


@pytest.fixture(scope="session")
def simulator(pki: Path) -> Iterator[Simulator]:
    """Run one front for all tests here."""
    with running("bank", "--pki", str(pki), "--async-seconds", "1") as simulator:
        yield simulator


@pytest.fixture
async def asking(simulator: Simulator, source: RecordSource, pki: Path) -> AsyncIterator[Asking]:
    """Give a way to ask, on a new day: no account was checked yet. Faults are off afterwards."""
    simulator.admin("POST", "/clock", {"advance_ms": 24 * 3600 * 1000})
    adapter = build_adapter(simulator, source, pki)
    yield Asking(simulator, adapter)
    simulator.reset()
    await adapter.close()
