"""Looks the rows of a subject up and turns them into a record.

Knows no HTTP. Rows are looked up on the event loop, because a lookup by index costs less than the
way to a thread and back; one that is not done at once (the file is locked, or the statement has to
walk) goes to a thread and waits there.
INVARIANT: no row is ever taken at random: rows of two people under one number are told apart by
name or not at all.
"""

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.hrss.reading import TABLES, Question, Row, Table
from adapters.mapping.dates import day_of_ms
from adapters.mapping.names import is_held_name
from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    Subject,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, dataset_of, settle, settle_at_once

# Two cards, two contracts, and the rows of a second person under one number; more is an accident.
_MAX_ROWS: Final = 32
# SQLite virtual-machine steps between two looks at the deadline.
_STEPS_PER_LOOK: Final = 10_000
# Steps the event loop gives a lookup before it moves to the thread; the most counted by index: 152.
_STEPS_AT_ONCE: Final = 2_000
# Seconds the thread waits for a lock on the file.
_PATIENCE_S: Final = 5.0


def find_lacking(_query: Query) -> Lacking | None:
    """Return None: our own tables are read by number, a name only tells two people apart."""
    return None


class HrssAdapter:
    """Reads the department's own tables."""

    def __init__(
        self, *, source: RecordSource, datasets: frozenset[DatasetName], database: Path
    ) -> None:
        self._source = source
        self._datasets = datasets
        # Read-only by the address itself, so that no statement can be a mistake that writes.
        self._address = f"{database.resolve().as_uri()}?mode=ro"
        # One thread and a connection for each side: neither needs a lock.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hrss")
        self._at_once: sqlite3.Connection | None = None
        self._patient: sqlite3.Connection | None = None

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self._source.organisation

    @property
    def keyid(self) -> str:
        """Id of the key that signs the department's records."""
        return self._source.signer.keyid

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets this adapter serves."""
        return self._datasets

    @property
    def breaker_state(self) -> BreakerState:
        """Return CLOSED: a file that is away is told at once, and costs nobody a wait."""
        return BreakerState.CLOSED

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return None: our own tables are read by number, a name only tells two people apart."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Read the rows of the subject, apply the effects, sign."""
        outcome = self.fetch_at_once(query)
        return await self.fetch_patiently(query) if outcome is None else outcome

    def fetch_at_once(self, query: Query) -> Outcome | None:
        """Do the same without a wait; None where one is needed."""
        try:
            return settle_at_once(self._source, query, lambda: self._raw_at_once(query))
        except sqlite3.Error:
            # Whatever it was is met again by the thread, which may wait, and is told from there.
            return None

    async def fetch_patiently(self, query: Query) -> Outcome:
        """Do the same where the tables make one wait, up to the deadline."""
        return await settle(self._source, query, self._raw_patiently(query))

    async def examine_health(self) -> AdapterHealth:
        """Read the row that describes the database."""
        try:
            await self._read_patiently(
                "SELECT as_of FROM hr_meta LIMIT ?", (1,), time.monotonic() + 1
            )
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """Close the connection and end the thread."""
        if self._at_once is not None:
            self._at_once.close()
            self._at_once = None
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _raw_at_once(self, query: Query) -> RawRecord | None:
        table = self._table_of(query)
        if table is None:
            return None
        return _record(table, query, self._read_at_once(table.statement, _parameters(query)))

    async def _raw_patiently(self, query: Query) -> RawRecord | None:
        table = self._table_of(query)
        if table is None:
            return None
        parameters = _parameters(query)
        rows = await self._read_patiently(table.statement, parameters, query.deadline)
        return _record(table, query, rows)

    def _table_of(self, query: Query) -> Table | None:
        """Return where the rows are looked for; None where nothing is held of such a subject."""
        table = TABLES.get(dataset_of(query))
        if query.dataset.name not in self._datasets or table is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        return table if query.subject.type is SubjectType.RESIDENT_ID else None

    async def _read_patiently(
        self, statement: str, parameters: tuple[str | int, ...], deadline: float
    ) -> list[Row]:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._read_in_thread, statement, parameters, deadline
            )
        except sqlite3.Error:
            # from None: the cause may quote a statement's values.
            raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE) from None

    def _read_at_once(self, statement: str, parameters: tuple[str | int, ...]) -> list[Row]:
        if self._at_once is None:
            self._at_once = _connect(self._address, patience_s=0.0)
            # True ends the statement: no lookup may hold up everybody else.
            self._at_once.set_progress_handler(lambda: True, _STEPS_AT_ONCE)
        return _rows(self._at_once, statement, parameters)

    def _read_in_thread(
        self, statement: str, parameters: tuple[str | int, ...], deadline: float
    ) -> list[Row]:
        if self._patient is None:
            self._patient = _connect(self._address, patience_s=_PATIENCE_S)
        # A thread cannot be cancelled: the statement itself looks at the deadline and gives up.
        self._patient.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
        return _rows(self._patient, statement, parameters)

    def _disconnect(self) -> None:
        if self._patient is not None:
            self._patient.close()
            self._patient = None


def _connect(address: str, *, patience_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        address, uri=True, timeout=patience_s, check_same_thread=True, isolation_level=None
    )


def _rows(
    connection: sqlite3.Connection, statement: str, parameters: tuple[str | int, ...]
) -> list[Row]:
    cursor = connection.execute(statement, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _parameters(query: Query) -> tuple[str | int, ...]:
    # One row more than allowed is asked for, so that the limit cannot cut silently.
    return query.subject.identifier, _MAX_ROWS + 1


def _record(table: Table, query: Query, rows: list[Row]) -> RawRecord | None:
    if len(rows) > _MAX_ROWS:
        raise AnswerMalformed("more rows than one person can have")
    rows = _rows_of(query.subject, rows)
    if not rows:
        return None
    question = Question(today=day_of_ms(query.issued_at_ms), claims=query.claims)
    return table.read(rows, question)


def _rows_of(subject: Subject, rows: list[Row]) -> list[Row]:
    """Return the rows of the asked person; one number may be two people (historic duplicates).

    Raises:
        DepartmentFailed: SUBJECT_UNRESOLVED when nobody can tell whose rows they are.
    """
    names = {str(row["full_name"]) for row in rows}
    if subject.full_name is None:
        if len(names) > 1:
            raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
        return rows
    asked = subject.full_name
    matching = [row for row in rows if is_held_name(asked, str(row["full_name"]))]
    # Not "not found": the number is held, under a name that is somebody else's.
    if rows and not matching:
        raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
    return matching
