"""A process of its own writes what the thread writes, and its outcomes say the same."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.access_log import intake as gathering
from gateway.access_log.errors import (
    AskAnswered,
    ChargeRefused,
    ClaimTaken,
    ClockBackwards,
    LogHeld,
    LogRefused,
    LogUnavailable,
)
from gateway.access_log.genesis import Genesis
from gateway.access_log.log import AccessLog
from gateway.access_log.note import Ed25519LogSigner
from gateway.access_log.search_index import SEGMENT
from gateway.access_log.store_sqlite import LogStore
from gateway.clock import VirtualClock
from gateway.model import EntryDraft, Logged
from tests.access_log import naive_tree
from tests.access_log.apart import (
    appended,
    begin_of,
    lives,
    lost,
    process_of,
    strike,
    writing,
)
from tests.access_log.drafts import NOW_MS, ORIGIN, LogHome, answer, ask, charge, claim, refuse
from tests.access_log.states import require_whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES = (
    *("genesis", "entries", "side", "tiles", "claims", "charges", "found", "folded", "open_asks"),
    "head",
)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    """The folder of the log that these tests share."""
    return LogHome(tmp_path_factory.mktemp("apart"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(shared_home: LogHome) -> AsyncIterator[AccessLog]:
    """A log that a process of its own writes; starting one takes half a second."""
    async with writing(shared_home) as log:
        yield log


def require_proven(logged: Logged) -> None:
    """Follow the proof by hand to the root that the checkpoint states."""
    size, root = naive_tree.stated_head(logged.checkpoint)
    hashed = naive_tree.leaf(logged.entry)
    assert naive_tree.root_from_path(logged.index, size, hashed, logged.proof) == root


async def test_every_entry_comes_back_durable_and_proven(
    shared: AccessLog, shared_home: LogHome
) -> None:
    """Each has a place of its own, and its proof leads to the root of its checkpoint."""
    size = shared.size

    logged = [
        each
        for _ in range(5)
        for each in await asyncio.gather(*(shared.append(ask()) for _ in range(130)))
    ]

    places = sorted(each.index for each in logged)
    assert places == list(range(size, size + 650))
    for each in logged:
        require_proven(each)
    require_whole(shared_home, logged)


async def test_proofs_are_made_from_what_the_process_wrote(
    shared: AccessLog, shared_home: LogHome
) -> None:
    """The gateway proves old leaves and sizes under the tree it was last told of."""
    await appended(shared, 300)
    size = shared.size

    path = shared.inclusion_proof(7, size)
    consistency = shared.consistency_proof(260, size)

    leaves = [naive_tree.leaf(each) for each in naive_tree.stored_entries(shared_home.file)]
    assert naive_tree.stated_head(shared.checkpoint) == (size, naive_tree.mth(leaves))
    assert list(path) == naive_tree.path(7, leaves)
    assert list(consistency) == naive_tree.consistency(260, leaves)


async def test_callers_share_a_commit(shared: AccessLog) -> None:
    """A hundred callers at once cost far fewer checkpoints than a hundred."""
    logged = await asyncio.gather(*(shared.append(ask()) for _ in range(100)))

    assert len({each.checkpoint for each in logged}) < 10


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ask(claims=(claim(b"k", b"first"),)), ask(claims=(claim(b"k", b"second"),))),
        (ask(charges=(charge(b"c", 3, 4),)), ask(charges=(charge(b"c", 2, 4),))),
        (refuse(), answer(7_777_777, b"\x01" * 16)),
    ],
    ids=["claim", "charge", "ask"],
)
async def test_refusals_arrive_with_what_they_hold(
    shared: AccessLog, home: LogHome, first: EntryDraft, second: EntryDraft
) -> None:
    """Value of a claim, use of a charge, place of an ask: as the thread says them."""
    here = home.open()
    told: list[tuple[type[Exception], dict[str, object], tuple[object, ...]]] = []

    for log in (here, shared):
        await log.append(first)
        with pytest.raises((AskAnswered, ClaimTaken, ChargeRefused)) as refused:
            await log.append(second)
        told.append((type(refused.value), vars(refused.value), refused.value.args))
    here.close()

    assert told[0] == told[1]
    assert all(told[0][1].values())


async def test_others_of_the_batch_are_written(shared: AccessLog) -> None:
    """A refused draft takes no other with it, and each of the others gets its own entry."""
    drafts = [ask(claims=(claim(b"b%d" % (at // 2)),)) for at in range(20)]

    told = await asyncio.gather(*map(shared.append, drafts), return_exceptions=True)

    kinds = [type(each) for each in told]
    assert kinds == [Logged, ClaimTaken] * 10
    for draft, each in zip(drafts[::2], told[::2], strict=True):
        assert isinstance(each, Logged)
        assert str(draft.members["tx"]).encode() in each.entry
        require_proven(each)


def rows_of(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything a log holds but the checkpoints of its batches."""
    with closing(sqlite3.connect(file)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)  # noqa: S608 - names from above
            for table in TABLES
        }


def drafts_of_every_kind() -> list[EntryDraft]:
    """More than a segment of the index, of few requests and subjects, with claims and charges."""
    asks: list[EntryDraft] = []
    closing: list[EntryDraft] = []
    for at in range(SEGMENT // 2 + 40):
        request_id = at.to_bytes(16, "big")
        claims = (claim(request_id),) if at % 16 == 0 else ()
        charges = (charge(b"c%d" % (at % 3), 1, 99_999),) if at % 8 == 0 else ()
        subject = bytes([at % 7]) * 16
        asks.append(ask(request_id, claims=claims, charges=charges, subject=subject))
        closing.append(answer(at, request_id) if at % 50 else refuse())
    return asks + closing


async def append_in_turn(log: AccessLog, drafts: Sequence[EntryDraft]) -> None:
    """Append drafts in their order, many at a time."""
    for at in range(0, len(drafts), 1_024):
        await asyncio.gather(*map(log.append, drafts[at : at + 1_024]))


async def test_the_same_drafts_leave_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries, side table, claims, counters, index and tree do not say who wrote them."""
    monkeypatch.setattr("gateway.access_log.entry.os.urandom", lambda length: b"s" * length)
    homes = [LogHome(tmp_path / name) for name in ("here", "apart")]
    for each in homes:
        each.folder.mkdir()
    drafts = drafts_of_every_kind()

    here = homes[0].open()
    await append_in_turn(here, drafts)
    await here.stop()
    async with writing(homes[1]) as log:
        await append_in_turn(log, drafts)

    rows, rows_apart = (rows_of(each.file) for each in homes)
    assert rows.keys() == set(TABLES)
    assert all(rows.values())
    for table, expected in rows.items():
        assert rows_apart[table] == expected, table


async def test_a_clock_that_goes_back_stops_entries_until_it_is_right(
    shared: AccessLog, shared_home: LogHome
) -> None:
    """The gateway's reading refuses; nothing is written, and all is well afterwards."""
    await shared.append(refuse())
    shared_home.clock.set(NOW_MS - 5_001)
    size = shared.size

    told = await appended(shared, 3)
    shared_home.clock.set(NOW_MS)

    assert [type(each) for each in told] == [ClockBackwards] * 3
    assert (await shared.append(refuse())).index == size


async def test_the_process_compares_the_clock_itself(
    shared: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the gateway's clock knows no floor, the newest entry does; what is later is fine."""
    size = (await shared.append(refuse())).index + 1
    process = process_of(shared)

    with monkeypatch.context() as patched:
        patched.setattr(VirtualClock, "now_ms", lambda _clock: NOW_MS - 60_000)
        told = await appended(shared, 3)
    logged = await shared.append(refuse())

    assert [type(each) for each in told] == [ClockBackwards] * 3
    assert logged.index == size
    assert process_of(shared) == process


async def test_a_second_process_on_the_file_is_refused(
    shared: AccessLog, shared_home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock on writing belongs to the process; whoever else would write is turned away."""
    monkeypatch.setattr("gateway.access_log.store_sqlite.LOCK_PATIENCE_S", 0.1)
    signer = Ed25519LogSigner(shared_home.key)
    size = shared.size

    with pytest.raises(LogHeld):
        LogStore.open(shared_home.file, Genesis(origin=ORIGIN, public_key=signer.public_key))

    assert (await shared.append(refuse())).index == size


@pytest.mark.usefixtures("shared")
async def test_files_are_closed_to_others(shared_home: LogHome) -> None:
    """Nobody but the owner reads the log or holds one of its locks."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in shared_home.folder.iterdir()}

    assert {"log.db", "log.db-wal", "log.db.lock", "log.db.writer.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


async def test_the_lock_is_the_gateways_while_nobody_writes(home: LogHome) -> None:
    """Between two processes nobody else gets the log, and is told so at once."""
    async with writing(home) as log:
        strike(log)
        await lost(log)
        began = time.monotonic()

        with pytest.raises(LogHeld):
            home.open()

        assert time.monotonic() - began < 1.0


async def test_what_is_gathering_is_written_when_the_log_stops(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping loses nothing, ends the process, and leaves one file and its locks."""
    monkeypatch.setattr("gateway.access_log.apart.WATCH_S", 3_600.0)
    log = home.open(apart=begin_of(home))
    await log.start()
    process = process_of(log)
    monkeypatch.setattr(gathering, "GATHER_S", 3_600.0)
    monkeypatch.setattr(gathering, "GATHER_TURNS", 3_600_000)
    begun = [log.begin(refuse()) for _ in range(gathering.GATHER_ENOUGH // 2)]
    time.sleep(0.005)  # noqa: ASYNC251 - a turn of the loop that takes long is what this is about
    await asyncio.sleep(0)

    await log.stop()
    left = {path.name for path in home.folder.iterdir()}

    require_whole(home, await asyncio.gather(*begun))
    assert not lives(process)
    assert left == {"log.db", "log.db.lock", "log.db.writer.lock"}
    assert log.health().stopped == "the log is closed"
    with pytest.raises(LogUnavailable, match="is closed"):
        log.begin(refuse())


async def test_a_log_that_was_not_started_accepts_nothing_and_stops(home: LogHome) -> None:
    """Until `start` nobody writes; there is nothing to end, and the lock is let go of."""
    log = home.open(apart=begin_of(home))
    with pytest.raises(LogUnavailable, match="has not started"):
        log.begin(refuse())

    await log.stop()

    home.open().close()


async def test_a_loop_that_is_gone_closes_the_log_to_nobody(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another loop queued before it was closed is sent before it is too old."""
    monkeypatch.setattr("gateway.access_log.apart.WATCH_S", 0.1)
    monkeypatch.setattr(gathering, "GATHER_S", 3_600.0)
    monkeypatch.setattr(gathering, "GATHER_TURNS", 3_600_000)

    async def queue_and_go(log: AccessLog) -> None:
        log.begin(refuse())
        time.sleep(0.005)  # noqa: ASYNC251 - only what a busy loop queued waits for its timer

    home.limits = replace(home.limits, age_s=0.4)
    async with writing(home) as log:
        await asyncio.to_thread(asyncio.run, queue_and_go(log))
        await asyncio.sleep(0.6)

        logged = await log.append(refuse())

    assert logged.index == 1


async def test_another_loop_appends_too(shared: AccessLog) -> None:
    """Who waits in another thread's loop is told there."""
    size = shared.size

    logged = await asyncio.to_thread(asyncio.run, shared.append(refuse()))

    assert logged.index == size


async def test_a_group_that_is_told_to_end_goes_on_writing(shared: AccessLog) -> None:
    """A service manager ends every process of a service: the gateway's calls are logged first."""
    process = process_of(shared)
    os.kill(process, signal.SIGTERM)

    told = await appended(shared, 10)

    assert all(isinstance(each, Logged) for each in told)
    assert process_of(shared) == process


@pytest.mark.parametrize("change", [{"origin": "other.invalid/log"}, {"form": "another"}])
async def test_a_process_told_of_another_log_or_release_does_not_begin(
    home: LogHome, change: dict[str, str]
) -> None:
    """The start fails with what has to be mended, and leaves no process."""
    log = home.open(apart=replace(begin_of(home), **change))

    with pytest.raises(LogRefused, match=r"origin|release"):
        await log.start()

    assert log.process_id is None
    await log.stop()
