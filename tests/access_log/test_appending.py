"""What `append` promises: durable, proven, in order, bounded, and never before its time."""

import asyncio
import json
import os
import sqlite3
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access_log.errors import (
    ClockBackwards,
    EntryMalformed,
    LogRefused,
    LogUnavailable,
    NotLogged,
    OutOfRange,
)
from gateway.access_log.intake import QueueLimits
from gateway.access_log.log import AccessLog
from gateway.clock import VirtualClock
from gateway.model import EntryDraft, EntryKind, Logged
from tests.access_log import naive_tree
from tests.access_log.drafts import NOW_MS, ORIGIN, LogHome, answer, ask, charge, claim, refuse

Disk = namedtuple("Disk", "f_blocks f_frsize f_bavail")  # noqa: PYI024 - mimics os.statvfs_result


async def many(log: AccessLog, count: int) -> list[Logged]:
    """Append asks at once."""
    return await asyncio.gather(*(log.append(ask()) for _ in range(count)))


def require_proven(logged: Logged) -> None:
    """Follow the proof by hand to the root that the checkpoint states."""
    size, root = naive_tree.stated_head(logged.checkpoint)
    hashed = naive_tree.leaf(logged.entry)
    assert naive_tree.root_from_path(logged.index, size, hashed, logged.proof) == root


async def test_every_entry_comes_back_durable_and_proven(home: LogHome, log: AccessLog) -> None:
    """Concurrent entries get consecutive places, and each proof leads to its checkpoint's root."""
    logged = [each for _ in range(5) for each in await many(log, 130)]

    assert [each.index for each in sorted(logged, key=lambda each: each.index)] == list(range(650))
    for each in logged:
        require_proven(each)
    entries = naive_tree.stored_entries(home.file)
    assert {each.index: each.entry for each in logged} == dict(enumerate(entries))
    root = naive_tree.mth([naive_tree.leaf(entry) for entry in entries])
    assert naive_tree.stored_head(home.file) == (650, root)


async def test_callers_share_a_commit(log: AccessLog) -> None:
    """A hundred callers at once cost far fewer checkpoints than a hundred."""
    logged = await many(log, 100)

    assert len({each.checkpoint for each in logged}) < 10


async def test_tree_goes_on_after_reopening(home: LogHome) -> None:
    """A reopened log proves old entries in the tree that new ones extend."""
    first = home.open()
    await many(first, 300)
    first.close()

    second = home.open(examine_all=False)
    (logged,) = await many(second, 1)
    old = second.inclusion_proof(5, 301)
    proof = second.consistency_proof(300, 301)
    hashed = second.leaf_hash(5)
    second.close()

    leaves = [naive_tree.leaf(entry) for entry in naive_tree.stored_entries(home.file)]
    assert logged.index == 300
    assert list(old) == naive_tree.path(5, leaves)
    assert list(proof) == naive_tree.consistency(300, leaves)
    assert hashed == leaves[5]


async def test_proofs_beyond_the_log_are_refused(log: AccessLog) -> None:
    """Sizes and leaves that do not exist have no proof."""
    await many(log, 2)

    with pytest.raises(OutOfRange):
        log.inclusion_proof(0, 3)
    with pytest.raises(OutOfRange):
        log.consistency_proof(1, 3)
    with pytest.raises(OutOfRange):
        log.leaf_hash(2)


async def test_tick_states_queue_and_size(log: AccessLog) -> None:
    """A tick is an entry like any other."""
    await many(log, 3)

    ticked = await log.tick()

    assert json.loads(ticked.entry) | {"queue": 0, "size": 3, "kind": "tick"} == json.loads(
        ticked.entry
    )


async def test_entry_times_never_fall(home: LogHome, log: AccessLog) -> None:
    """A clock up to five seconds back is smoothed over: the entry gets the newest time."""
    await log.append(refuse())
    home.clock.set(NOW_MS - 5_000)

    second = await log.append(refuse())

    assert json.loads(second.entry)["ts"] == NOW_MS


async def test_clock_further_back_stops_entries_until_it_is_right(
    home: LogHome, log: AccessLog
) -> None:
    """More than five seconds back is a fault; nothing is written, and all is well afterwards."""
    await log.append(refuse())
    home.clock.set(NOW_MS - 5_001)

    with pytest.raises(ClockBackwards):
        await log.append(refuse())
    home.clock.set(NOW_MS + 1)

    assert (await log.append(refuse())).index == 1


async def test_clock_without_floor_is_held_by_the_log(
    home: LogHome, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log compares with its newest entry even if the clock does not."""
    await log.append(refuse())
    monkeypatch.setattr(VirtualClock, "now_ms", lambda _clock: NOW_MS - 60_000)

    with pytest.raises(ClockBackwards):
        await log.append(refuse())

    assert len(naive_tree.stored_entries(home.file)) == 1


async def test_clock_floor_rises_with_the_log(home: LogHome) -> None:
    """Opening a log whose newest entry is newer than the clock raises the clock's floor."""
    first = home.open()
    home.clock.set(NOW_MS + 3_000)
    await first.append(refuse())
    first.close()
    home.clock = VirtualClock(NOW_MS)

    second = home.open()
    reading = home.clock.now_ms()
    second.close()

    assert reading == NOW_MS + 3_000


async def test_malformed_draft_reaches_no_queue(log: AccessLog) -> None:
    """A draft that breaks its table is refused at once and writes nothing."""
    with pytest.raises(EntryMalformed):
        await log.append(EntryDraft(kind=EntryKind.REFUSE, members={}))
    with pytest.raises(EntryMalformed):
        await log.append(ask(charges=(charge(b"c", -1, 5),)))
    with pytest.raises(EntryMalformed):
        await log.append(ask(claims=tuple(claim(b"%d" % at) for at in range(17))))

    assert log.size == 0


async def test_full_queue_refuses_the_next(home: LogHome) -> None:
    """What does not fit the queue is refused, what fits is written."""
    home.limits = QueueLimits(entries=10, reserve_bytes=0)
    log = home.open()

    outcomes = await asyncio.gather(*(log.append(ask()) for _ in range(25)), return_exceptions=True)
    log.close()

    refused = [each for each in outcomes if isinstance(each, LogUnavailable)]
    assert len(refused) == 15
    assert len(naive_tree.stored_entries(home.file)) == 10


async def test_old_queue_refuses_and_fails(home: LogHome) -> None:
    """With an age of nothing, whatever waits is told that it waited too long."""
    home.limits = QueueLimits(age_s=-1.0, reserve_bytes=0)
    log = home.open()

    outcomes = await asyncio.gather(log.append(ask()), log.append(ask()), return_exceptions=True)
    log.close()

    assert [type(each) for each in outcomes] == [LogUnavailable, LogUnavailable]
    assert naive_tree.stored_entries(home.file) == []


async def test_commit_that_hangs_refuses_newcomers(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one commit takes longer than the allowed age, nobody else is let in."""
    home.limits = QueueLimits(age_s=0.05, reserve_bytes=0)
    log = home.open()
    first = asyncio.ensure_future(log.append(ask()))
    intake = log._writer.intake
    await first
    monkeypatch.setattr(intake, "_writing_since", -1e9, raising=False)

    with pytest.raises(LogUnavailable):
        await log.append(ask())

    log.close()


async def test_cancelled_caller_leaves_nothing(home: LogHome, log: AccessLog) -> None:
    """A draft whose caller gave up before it was taken is not written."""
    task = asyncio.ensure_future(log.append(ask()))
    await asyncio.sleep(0)
    task.cancel()

    await log.append(refuse())

    assert len(naive_tree.stored_entries(home.file)) == 1


async def test_disk_at_its_reserve_lets_only_ticks_through(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the reserve nothing is written but signs of life."""
    monkeypatch.setattr(os, "statvfs", lambda _path: Disk(1_000, 4_096, 10))
    log._writer.intake._limits = QueueLimits()
    log._writer.intake._disk_asked_at = float("-inf")

    with pytest.raises(LogUnavailable, match="reserve"):
        await log.append(ask())

    assert (await log.tick()).index == 0


async def test_closed_log_accepts_nothing(home: LogHome) -> None:
    """After closing there is no appending."""
    log = home.open()
    log.close()

    with pytest.raises(LogUnavailable):
        await log.append(ask())

    assert log.health().stopped == "the log is closed"


async def test_health_tells_size_and_state(log: AccessLog) -> None:
    """A log that accepts gives no reason for stopping."""
    await many(log, 2)

    health = log.health()

    assert (health.size, health.queued, health.stopped) == (2, 0, None)


def test_second_writer_is_refused(home: LogHome, log: AccessLog) -> None:
    """One process writes."""
    assert log.size == 0

    with pytest.raises(LogRefused, match="another process"):
        home.open()


def test_other_origin_is_refused(home: LogHome) -> None:
    """A file keeps the origin it was made with."""
    home.open().close()

    with pytest.raises(LogRefused, match="origin"):
        home.open(origin="other.invalid/log")


def test_other_key_is_refused(home: LogHome, tmp_path: Path) -> None:
    """A file keeps the key it was made with."""
    home.open().close()
    other = LogHome(tmp_path)
    other.key = Ed25519PrivateKey.from_private_bytes(b"x" * 32)

    with pytest.raises(LogRefused, match="key"):
        other.open()


def test_files_are_closed_to_others(home: LogHome, log: AccessLog) -> None:
    """Nobody but the owner reads the log or holds its lock."""
    assert log.verifier_key.startswith(f"{ORIGIN}+")
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.folder.iterdir()}

    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("table", ["genesis", "entries", "checkpoints", "tiles"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET rowid = 99", "DELETE FROM {0}"])
async def test_what_was_logged_cannot_be_changed(home: LogHome, table: str, act: str) -> None:
    """Triggers refuse every UPDATE and DELETE of what only grows."""
    log = home.open()
    await many(log, 256)
    log.close()
    connection = sqlite3.connect(home.file)

    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute(act.format(table))

    connection.close()


async def test_open_asks_are_listed_until_answered(home: LogHome) -> None:
    """An ask without answer survives a restart as open; an answered one does not."""
    request_id = b"\x07" * 16
    first = home.open()
    asked = await first.append(ask(request_id))
    left = await first.append(ask())
    also = await first.append(ask())
    await asyncio.gather(
        first.append(answer(asked.index, request_id)), first.append(answer(also.index, request_id))
    )
    first.close()

    second = home.open()
    open_asks = second.open_asks()
    second.close()

    assert [(each.index, each.entry) for each in open_asks] == [(left.index, left.entry)]


async def test_receipts_of_an_exchange_verify_under_the_newest_checkpoint(log: AccessLog) -> None:
    """Under an entry of its own, an exchange is shown with fresh proofs and kept openings."""
    request_id = b"\x07" * 16
    asked = await log.append(ask(request_id))
    answered = await log.append(answer(asked.index, request_id))
    await many(log, 300)

    receipts = await log.load_receipts(request_id, 0, under=await log.append(refuse()))

    assert [each.entry for each in receipts] == [asked.entry, answered.entry]
    assert {opening.member for opening in receipts[0].openings} == {
        "subject",
        "officer",
        "case",
        "rules",
    }
    for each in receipts:
        assert each.checkpoint == log.checkpoint
        require_proven(each)


async def test_receipts_without_an_entry_of_the_look_are_refused(log: AccessLog) -> None:
    """An entry that is not in the log covers no look."""
    logged = await log.append(refuse())

    with pytest.raises(NotLogged):
        await log.load_receipts(b"\x07" * 16, 0, under=replace(logged, entry=b"{}"))


def shared_runs(first: str, second: str, length: int) -> set[str]:
    """Runs of characters that two texts share."""
    runs = {first[at : at + length] for at in range(len(first) - length + 1)}
    return {second[at : at + length] for at in range(len(second) - length + 1)} & runs


async def test_receipts_of_one_subject_share_nothing_between_requesters(log: AccessLog) -> None:
    """Two requesters who compare entries about one person find the same structure, no content."""
    base = ask(b"\x02" * 16)
    own_salt = replace(base.committed[0], salt=b"t" * 32)
    theirs = replace(base, committed=(own_salt, *base.committed[1:]))

    first = (await log.append(ask(b"\x01" * 16))).entry.decode()
    second = (await log.append(theirs)).entry.decode()

    sensitive = ("request", "subject", "officer", "case", "rules")
    mine = [json.loads(first)[name] for name in sensitive]
    structure = first
    for value in mine:
        structure = structure.replace(value, "")
    yours = "".join(json.loads(second)[name] for name in sensitive)
    assert not any(shared_runs(value, yours, 16) for value in mine)
    assert not any(value[:16] in structure for value in mine)


async def test_closed_loop_is_forgotten(home: LogHome) -> None:
    """A caller whose event loop ended does not disturb the writer."""
    log = home.open()

    async def ask_and_leave() -> None:
        asyncio.ensure_future(log.append(ask()))  # noqa: RUF006 - nobody waits for it: the point
        await asyncio.sleep(0)

    def run() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(ask_and_leave())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()

    await asyncio.to_thread(run)
    logged = await log.append(refuse())
    log.close()

    assert logged.index <= 1
