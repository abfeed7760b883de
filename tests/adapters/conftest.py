"""Fixtures of adapter tests: a signer and whose records it signs, a department of one's own."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from signing.signer import FileSigner
from tests.adapters.asking import ORGANISATION, RECORD_KEY
from tests.adapters.calling import Answering, Start


@pytest.fixture(scope="session")
def source() -> RecordSource:
    """Return whose records the tests read."""
    return RecordSource(organisation=ORGANISATION, signer=FileSigner.of(RECORD_KEY))


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a department that answers as told; close it afterwards."""
    servers: list[TestServer] = []
    transports: list[DepartmentTransport] = []

    async def begin(
        answer: Answering, limits: TransportLimits | None = None
    ) -> DepartmentTransport:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        transport = DepartmentTransport(
            department="test", base_url=str(server.make_url("/")).rstrip("/"), limits=limits
        )
        transports.append(transport)
        return transport

    yield begin
    for transport in transports:
        await transport.close()
    for server in servers:
        await server.close()
