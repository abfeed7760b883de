"""A lookup that cannot be done at once waits in a thread: the event loop is everybody's."""

import asyncio
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kinds.hrss import HrssAdapter
from adapters.kinds.hrss import adapter as hrss
from adapters.port import Indeterminate, Record, Untold
from adapters.records import RecordSource
from adapters.simulators.population import hrss_database, planted
from tests.adapters.asking import CLEAR, disclosed, query_of
from tests.adapters.hrss.tables import CONTRIBUTION, NAME, PERSON, SHAPES, Tables

HELD_S = 0.3
TICK_S = 0.01


async def test_a_lookup_by_index_needs_no_thread(
    source: RecordSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In tables as they are published every dataset is done within the steps the loop gives."""
    path = tmp_path / "published.sqlite"
    hrss_database(path, size=500)
    monkeypatch.delattr(HrssAdapter, "_read_in_thread")
    names = frozenset(shape.name for shape in SHAPES)
    adapter = HrssAdapter(source=source, datasets=names, database=path)
    person = planted()[0]

    outcomes = [
        await adapter.fetch(query_of(shape, (person.id_number, person.full_name), {}))
        for shape in SHAPES
    ]

    await adapter.close()
    assert not any(isinstance(outcome, Untold) for outcome in outcomes)


async def test_a_locked_file_holds_up_nobody_else(adapter: HrssAdapter, tables: Tables) -> None:
    """While another program writes, the loop turns; the answer comes once the lock is gone."""
    tables.add("hr_contribution_record", months_paid=12)
    query = query_of(CONTRIBUTION, (PERSON, NAME), {"months_paid": CLEAR})
    writer = sqlite3.connect(tables.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    asking = asyncio.create_task(adapter.fetch(query))
    ticks = await _ticks_during(HELD_S)
    waiting = not asking.done()
    writer.execute("ROLLBACK")
    outcome = await asking

    writer.close()
    assert waiting
    assert ticks > 1  # a lookup that waits on the loop would let it turn once
    assert isinstance(outcome, Record)
    assert disclosed(query, outcome)["months_paid"] == "12"


async def test_a_lookup_that_walks_moves_to_the_thread(
    adapter: HrssAdapter, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended on the loop after its steps, it is done in the thread all the same."""
    tables.add("hr_contribution_record", months_paid=12)
    monkeypatch.setattr(hrss, "_STEPS_AT_ONCE", 1)
    query = query_of(CONTRIBUTION, (PERSON, NAME), {"months_paid": CLEAR})

    outcome = await adapter.fetch(query)

    assert isinstance(outcome, Record)
    assert disclosed(query, outcome)["months_paid"] == "12"


async def test_a_lock_that_stays_ends_with_the_deadline(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """Waiting has the time of the question and no more."""
    tables.add("hr_contribution_record", months_paid=12)
    query = query_of(CONTRIBUTION, (PERSON, NAME), {"months_paid": CLEAR})
    query = replace(query, deadline=time.monotonic() + HELD_S)
    writer = sqlite3.connect(tables.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    outcome = await adapter.fetch(query)

    writer.close()
    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)


async def test_what_is_done_at_once_says_when_it_cannot_be(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """A locked file yields nothing at once; without the lock the answer needs no event loop."""
    tables.add("hr_contribution_record", months_paid=12)
    query = query_of(CONTRIBUTION, (PERSON, NAME), {"months_paid": CLEAR})
    writer = sqlite3.connect(tables.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    locked = adapter.fetch_at_once(query)
    writer.execute("ROLLBACK")
    outcome = adapter.fetch_at_once(query)

    writer.close()
    assert locked is None
    assert isinstance(outcome, Record)
    assert disclosed(query, outcome)["months_paid"] == "12"


async def _ticks_during(seconds: float) -> int:
    ticks, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(TICK_S)
        ticks += 1
    return ticks
