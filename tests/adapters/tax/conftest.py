"""Fixtures: one simulator of the tax department, a fresh adapter for each test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.records import RecordSource
from tests.adapters.simulated import Simulator, running
from tests.adapters.tax.asking import Asking, Keys, make_keys
from tests.adapters.tax.office import Office, Open
from tests.adapters.tax.plain_server import Say, plain_department


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Make the keys both sides know each other by."""
    return make_keys(tmp_path_factory.mktemp("tax"))


@pytest.fixture(scope="session")
def simulator(keys: Keys) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    with running("tax", *keys.arguments) as simulator:
        yield simulator


@pytest.fixture
async def asking(simulator: Simulator, keys: Keys, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask, over a connection of its own."""
    simulator.admin("DELETE", "/received")
    asking = Asking(simulator, keys, source)
    yield asking
    simulator.reset()
    simulator.admin("POST", "/month-end", {"on": False})
    await asking.adapter.close()


@pytest.fixture
def office(keys: Keys, tmp_path: Path, source: RecordSource) -> Open:
    """Give a way to open a department that answers in a certain way."""

    @asynccontextmanager
    async def open_office(say: Say) -> AsyncIterator[Office]:
        async with plain_department(keys.folder, tmp_path, say) as plain:
            opened = Office(plain, keys, source)
            try:
                yield opened
            finally:
                await opened.adapter.close()

    return open_office
