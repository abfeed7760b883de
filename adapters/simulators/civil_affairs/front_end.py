"""The front-end database: its process, its rows, and what the admin port does to it.

Rules: docs/adapters/civil_affairs.md, sections 2 and 5.
"""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final

import asyncpg

from adapters.simulators.civil_affairs.apps import Reader
from adapters.simulators.civil_affairs.keeper import SUPERUSER
from adapters.simulators.civil_affairs.register import Bearer, Registers
from adapters.simulators.civil_affairs.shapes import (
    Line,
    assistance_lines,
    child_lines,
    cremation_lines,
    marriage_lines,
)
from adapters.simulators.loopback import LOOPBACK
from adapters.simulators.population.places import MEMBERS
from adapters.simulators.virtual_clock import VirtualClock

DATABASE: Final = "qzk"
SOURCES: Final = ("marriage", "cremation", "assistance", "adoption")
CHUNK: Final = 20_000
"""Rows held in memory before they are copied."""
HEARTBEAT_S: Final = 1.0
LATE_LIMIT_S: Final = 900
"""How far under the watermark a late commit may lie."""
_PATIENCE_MS: Final = 2_000

_COMMON: Final = ("row_id", "biz_id", "row_state", "upd_time", "dept_code")
_Row = tuple[object, ...]


class CannotDo(Exception):
    """An action has no such row, column or view, or the view is locked."""


@contextmanager
def database_process(port: int) -> Iterator[tuple[int, str]]:
    """Run a PostgreSQL of our own: its port and its superuser's password."""
    password = secrets.token_urlsafe(24)
    module = "adapters.simulators.civil_affairs.keeper"
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", module, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A signal to our group must not end the keeper before it has tidied up.
        start_new_session=True,
    ) as keeper:
        if keeper.stdin is None or keeper.stdout is None:
            raise CannotDo("the keeper of the database has no pipes")
        keeper.stdin.write(password + "\n")
        keeper.stdin.flush()
        line = keeper.stdout.readline()
        if not line:
            raise SystemExit("the front-end database does not start")
        # Leaving closes its input, which ends it; Popen waits until the folder is gone.
        yield int(json.loads(line)["port"]), password


@dataclass(slots=True, kw_only=True)
class FrontEnd:
    """The database and the state the admin port has brought it into."""

    port: int
    password: str = field(repr=False)
    reader: Reader
    clock: VirtualClock
    replicating: bool = True
    waiting: list[tuple[str, _Row]] = field(default_factory=list)
    renamed: list[tuple[str, str, str]] = field(default_factory=list)
    holders: list[asyncpg.Connection] = field(default_factory=list)

    async def create(self, registers: Registers) -> None:
        """Create views and reader, and copy every line of the registers."""
        async with self._connected(SUPERUSER) as connection:
            await connection.execute("CREATE DATABASE qzk")
        text = files("adapters.simulators.civil_affairs").joinpath("front_end.sql").read_text()
        async with self._connected(DATABASE) as connection:
            await connection.execute(text)
            await _Loader(connection).load(registers)
            await connection.execute("SELECT ca.finish($1)", self._now())
            reader = self.reader
            await connection.execute("SELECT ca.admit($1, $2)", reader.user, reader.password)

    async def beat(self) -> None:
        """Tell every second how far the copy has come, until cancelled."""
        async with self._connected(DATABASE) as connection:
            while True:
                if self.replicating:
                    await connection.execute("UPDATE ca.sync_state SET synced_to = $1", self._now())
                await asyncio.sleep(HEARTBEAT_S)

    async def touch(self, source: str, row: int, state: str | None) -> None:
        """Stamp a line as changed now; a state of 0 withdraws it."""
        await self._require_row(source, row)
        await self._commit("SELECT ca.touch($1, $2, $3, $4)", source, row, state, self._now())

    async def copy_row(self, source: str, row: int, *, suffix: str, late_s: int) -> None:
        """Add a copy of a line, stamped `late_s` seconds ago; an empty suffix repeats its id."""
        await self._require_row(source, row)
        at = self._now() - timedelta(seconds=late_s)
        await self._commit("SELECT ca.copy_row($1, $2, $3, $4)", source, row, suffix, at)

    async def rename(self, source: str, column: str) -> None:
        """Rename a column of a view."""
        await self._do("SELECT ca.rename($1, $2, $3)", source, column, f"{column}_new")
        self.renamed.append((source, f"{column}_new", column))

    async def lock(self, source: str) -> None:
        """Lock a view until `reset`: whoever queries it waits."""
        holder = await self._connect(DATABASE)
        self.holders.append(holder)
        # Never committed: the lock ends with the connection.
        await holder.execute("BEGIN")
        try:
            await holder.execute("SELECT ca.hold($1)", source)
        except asyncpg.PostgresError as cause:
            raise CannotDo(f"the database says {cause.sqlstate}") from cause

    async def pause(self) -> None:
        """Let nothing more arrive until `resume`."""
        self.replicating = False

    async def resume(self) -> None:
        """Let the copy catch up with what was committed while it stood still."""
        waiting, self.waiting = self.waiting, []
        for statement, values in waiting:
            await self._do(statement, *values)
        self.replicating = True

    async def forbid(self, source: str) -> None:
        """Take a view away from the reader."""
        await self._do("SELECT ca.forbid($1, $2)", source, self.reader.user)

    async def disconnect(self) -> None:
        """Cut every connection of the reader."""
        await self._do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
            self.reader.user,
        )

    async def reset(self) -> None:
        """Undo everything above."""
        await self.release()
        self.waiting, self.replicating = [], True
        for source, now_named, column in self.renamed:
            await self._do("SELECT ca.rename($1, $2, $3)", source, now_named, column)
        self.renamed = []
        await self._do("SELECT ca.restore($1)", self.reader.user)
        await self._do("UPDATE ca.sync_state SET synced_to = $1", self._now())

    async def release(self) -> None:
        """Let go of every lock."""
        while self.holders:
            await self.holders.pop().close()

    async def _require_row(self, source: str, row: int) -> None:
        async with self._connected(DATABASE) as connection:
            try:
                known = await connection.fetchval("SELECT ca.has_row($1, $2)", source, row)
            except asyncpg.PostgresError as cause:
                raise CannotDo(f"the database says {cause.sqlstate}") from cause
        if not known:
            raise CannotDo("the view has no such row")

    async def _commit(self, statement: str, *values: object) -> None:
        if self.replicating:
            await self._do(statement, *values)
        else:
            self.waiting.append((statement, values))

    async def _do(self, statement: str, *values: object) -> None:
        async with self._connected(DATABASE) as connection:
            try:
                await connection.execute(statement, *values)
            except asyncpg.PostgresError as cause:
                raise CannotDo(f"the database says {cause.sqlstate}") from cause

    @asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await self._connect(database)
        try:
            yield connection
        finally:
            await connection.close()

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            database=database,
            ssl=False,
            # An action on a view that is locked gives up instead of waiting with it.
            server_settings={"lock_timeout": str(_PATIENCE_MS)},
        )

    def _now(self) -> datetime:
        return self.clock.local().replace(tzinfo=None)


class _Loader:
    """Copies lines in chunks, numbering the rows of each table from 1."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._rows: dict[str, list[_Row]] = {source: [] for source in SOURCES}
        self._columns: dict[str, tuple[str, ...]] = {}
        self._counted = dict.fromkeys(SOURCES, 0)

    async def load(self, registers: Registers) -> None:
        for bearer in registers.everyone():
            for source, line in _lines_of(bearer):
                self._add(source, line)
                if len(self._rows[source]) >= CHUNK:
                    await self._copy(source)
        for source in SOURCES:
            await self._copy(source)

    def _add(self, source: str, line: Line) -> None:
        self._counted[source] += 1
        self._columns.setdefault(source, (*_COMMON, *line.business))
        common = (self._counted[source], line.biz_id, "1", line.upd_time, line.dept_code)
        self._rows[source].append((*common, *line.business.values()))

    async def _copy(self, source: str) -> None:
        rows, self._rows[source] = self._rows[source], []
        if rows:
            await self._connection.copy_records_to_table(
                source, schema_name="ca", columns=self._columns[source], records=rows
            )


def _lines_of(bearer: Bearer) -> Iterator[tuple[str, Line]]:
    record, key = bearer.record, bearer.key
    # Registrations belong to the couple: written once, with the household's first member.
    if key.isdigit() and int(key) % MEMBERS == 0:
        yield from (("marriage", line) for _, line in marriage_lines(bearer.home, record.as_of))
    yield from (("cremation", line) for line in cremation_lines(record, key))
    yield from (("assistance", line) for line in assistance_lines(record, key))
    yield from (("adoption", line) for line in child_lines(record, key))
