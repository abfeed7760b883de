"""Fixtures: one simulator of the commerce register, a fresh adapter for each test."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.kinds.commerce import CommerceAdapter
from adapters.kinds.commerce.adapter import MAX_BODY
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from tests.adapters.commerce.asking import (
    ENTERPRISE,
    KEY,
    POSITIONS,
    VERIFY,
    Asking,
    build_adapter,
)
from tests.adapters.commerce.scripted import VECTOR_MS, Register
from tests.adapters.simulated import Simulator, running


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    keys = tmp_path_factory.mktemp("commerce") / "keys.json"
    key = {"key_id": KEY.key_id, "secret": KEY.secret.decode(), "authcode": KEY.authcode}
    keys.write_text(json.dumps({"keys": [key]}))
    with running("commerce", "--keys", str(keys)) as simulator:
        yield simulator


@pytest.fixture
async def asking(simulator: Simulator, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask; faults are off afterwards."""
    adapter = build_adapter(simulator, source)
    yield Asking(simulator, adapter)
    simulator.reset()
    await adapter.close()


@pytest.fixture
def register() -> Register:
    """Give a register."""
    return Register()


@pytest.fixture
async def adapter(register: Register, source: RecordSource) -> AsyncIterator[CommerceAdapter]:
    """Give an adapter of that register."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", register.respond)
    async with TestServer(app) as server:
        adapter = CommerceAdapter(
            source=source,
            datasets=frozenset({ENTERPRISE.name, VERIFY.name, POSITIONS.name}),
            transport=DepartmentTransport(
                department="commerce",
                base_url=str(server.make_url("/")).rstrip("/"),
                limits=TransportLimits(max_body=MAX_BODY, attempts=1),
            ),
            key=KEY,
            now_ms=lambda: VECTOR_MS,
        )
        yield adapter
        await adapter.close()
