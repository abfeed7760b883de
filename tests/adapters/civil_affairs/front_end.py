"""How tests step through the front-end database: read beside us, poll once, wait, cut a wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from adapters.kinds.civil_affairs.poller import Poller
from tests.adapters.civil_affairs.asking import (
    PASSWORD,
    USER,
    Asking,
    front_end_of,
)
from tests.adapters.simulated import Simulator


@asynccontextmanager
async def reading(simulator: Simulator) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Read the views beside the adapter."""
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=int(simulator.ready["front_end_port"]),
        database="qzk",
        user=USER,
        password=PASSWORD,
        ssl=False,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def row_of(simulator: Simulator, view: str, identifier: str) -> int:
    """Return the number of a person's row."""
    async with reading(simulator) as connection:
        found = await connection.fetchval(
            f"SELECT row_id FROM exchange.{view} WHERE id_card = $1",  # noqa: S608 - a name of this test's
            identifier,
        )
    assert isinstance(found, int)
    return found


class Wire:
    """What lies between us and the database, and can be cut."""

    def __init__(self, port: int) -> None:
        """Keep where the database is."""
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.silent = False

    async def lay(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Cut what is open and refuse what comes."""
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if self.silent:
            return
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers.add(back_writer)
        await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def wired(simulator: Simulator) -> AsyncIterator[Wire]:
    """Lay a wire to the database of a simulator."""
    wire = Wire(front_end_of(simulator).port)
    await wire.lay()
    try:
        yield wire
    finally:
        await wire.cut()


async def poll_once(asking: Asking) -> None:
    """Bring the copies up to date."""
    assert asking.poller is not None
    await asking.poller.poll()


async def until_current(poller: Poller) -> None:
    """Poll until replication has caught up with the clock: it does so once in a second."""
    for _ in range(200):
        whole = await poller.poll()
        if whole and not any(view.find_lag(poller.now()) for view in poller.views.values()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError
