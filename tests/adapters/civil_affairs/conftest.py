"""Fixtures: one simulator of civil affairs, a fresh adapter for each test."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.kinds.civil_affairs.poller import Poller
from adapters.records import RecordSource
from tests.adapters.civil_affairs.asking import (
    IDENTITY,
    PASSWORD,
    POPULATION,
    USER,
    Asking,
    build_adapter,
    build_poller,
)
from tests.adapters.civil_affairs.front_end import until_current
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    apps = tmp_path_factory.mktemp("civil_affairs") / "apps.json"
    app = {
        "sid": IDENTITY.sid,
        "access_key": IDENTITY.access_key,
        "app_key": IDENTITY.app_key,
    }
    front_end = {"user": USER, "password": PASSWORD}
    apps.write_text(json.dumps({"apps": [app], "front_end": front_end}))
    people = ("--population", str(POPULATION))
    with running("civil_affairs", "--apps", str(apps), *people) as simulator:
        yield simulator


@pytest.fixture
async def asking(simulator: Simulator, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask live; faults are off afterwards."""
    adapter = build_adapter(simulator, source)
    yield Asking(simulator, adapter)
    simulator.reset()
    await adapter.close()


@pytest.fixture
async def copying(simulator: Simulator, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask from the copies as well; the database is as before afterwards."""
    poller = build_poller(simulator)
    adapter = build_adapter(simulator, source, poller=poller)
    asking = Asking(simulator, adapter, poller)
    yield asking
    asking.front_end("reset")
    simulator.reset()
    await adapter.close()


@pytest.fixture
async def poller(simulator: Simulator) -> AsyncIterator[Poller]:
    """Give a poller that polls when it is told to."""
    poller = build_poller(simulator)
    await until_current(poller)
    yield poller
    await poller.close()
    simulator.admin("POST", "/front_end", {"action": "reset"})
    simulator.admin("POST", "/clock", {"offset_ms": 0})


@pytest.fixture
async def stepping(
    simulator: Simulator, source: RecordSource, poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Asking]:
    """Give a way to ask from copies that are brought up to date by hand."""
    monkeypatch.setattr(poller, "start", lambda: None)
    adapter = build_adapter(simulator, source, poller=poller)
    yield Asking(simulator, adapter, poller)
    await adapter.close()
