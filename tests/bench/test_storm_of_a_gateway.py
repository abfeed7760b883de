"""A small storm over a real gateway: nothing is lost, and what is planted in its log is found."""

import io
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from rich.console import Console

from bench.storm import (
    Run,
    build_run,
    end,
    fault,
    fault_without_strace,
    kill_many,
    require_full,
)
from bench.storm_examiner import Examiner, Storm, keep_log
from bench.world import bench_world

if TYPE_CHECKING:
    from hutong.evidence import Receipt

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.timeout(300),
]

KILLS, INJECTED, LIMITED = 2, 3, 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stormed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    """A storm of two kills and of faults by both means, at rest."""
    folder = tmp_path_factory.mktemp("storm")
    console = Console(file=io.StringIO())
    async with bench_world(folder) as world:
        run = await build_run(world, 1, console, time.monotonic())
        async with run.load.calling():
            await kill_many(run, KILLS)
            await fault(run, INJECTED, folder / "trace")
            await fault_without_strace(run, INJECTED + LIMITED)
        await end(run)
        yield run


@pytest.fixture
def planted(stormed: Run, tmp_path: Path) -> tuple[sqlite3.Connection, Examiner, Storm]:
    """A copy of the storm's log that may be written, its examiner, and where losses go."""
    copy = tmp_path / "access.db"
    keep_log(stormed.world.database, copy)
    storm = Storm()
    examiner = Examiner(copy, stormed.load.identity.log_key, storm, tmp_path / "kept")
    connection = sqlite3.connect(copy, isolation_level=None)
    triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection, examiner, storm


async def test_small_storm_is_full_and_loses_nothing(stormed: Run) -> None:
    """Every kill and fault came, callers were answered after each, every receipt is inside."""
    storm = stormed.storm

    require_full(storm, KILLS, INJECTED + LIMITED)

    assert storm.losses == []
    assert storm.struck >= KILLS
    assert len(storm.restart_s) == KILLS
    assert len(storm.resumed_s) >= 1 + LIMITED
    assert storm.acknowledged == len(stormed.load.receipts) > 0
    assert storm.entries >= 2 * storm.acknowledged
    assert storm.examined_whole == 1


async def test_lost_entry_of_an_acknowledged_answer_is_found(
    stormed: Run, planted: tuple[sqlite3.Connection, Examiner, Storm]
) -> None:
    """A real log cut before its last acknowledged answer, signed heads and all."""
    connection, examiner, storm = planted
    newest: Receipt = max(stormed.load.receipts, key=lambda each: each.index)
    with closing(connection):
        connection.execute("DELETE FROM entries WHERE idx >= ?", (newest.index,))
        connection.execute("DELETE FROM checkpoints WHERE size > ?", (newest.index,))

    await examiner.examine_new(stormed.load.receipts)

    assert any(f"entry {newest.index} ENTRY_ABSENT" in loss for loss in storm.losses)


async def test_double_answer_in_a_real_log_is_found(
    planted: tuple[sqlite3.Connection, Examiner, Storm],
) -> None:
    """The last answer once more after the end: no longer the only one to its ask."""
    connection, examiner, storm = planted
    await examiner.examine_new([])
    assert storm.losses == []
    with closing(connection):
        connection.execute(
            "INSERT INTO entries SELECT (SELECT count(*) FROM entries), entry FROM entries"
            ' WHERE instr(CAST(entry AS TEXT), \'"kind":"answer"\') ORDER BY idx DESC LIMIT 1'
        )

    await examiner.examine_new([])

    assert any("ANSWER_REPEATED" in loss for loss in storm.losses)


async def test_answer_to_an_earlier_question_is_no_resumption(stormed: Run) -> None:
    """What was logged before a fault may be told after it; only a later question proves service."""
    load = stormed.load
    load._newest_answered = load._asked

    assert not await load.resumed(0.1)
    load._asked += 1
    before = load.resumed(5.0)
    load._newest_answered = load._asked + 1

    assert await before
