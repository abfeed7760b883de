"""What `append` promises: durable, proven, in order, bounded, and never before its time."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.access_log import log as log_module
from gateway.access_log.errors import (
    ClockBackwards,
    EntryMalformed,
    LogUnavailable,
    NotLogged,
    OutOfRange,
)
from gateway.access_log.log import AccessLog
from gateway.access_log.proof import Proof, TileSource, inclusion_proof
from gateway.clock import VirtualClock
from gateway.model import EntryDraft, EntryKind, Logged, SearchColumns
from tests.access_log import naive_tree
from tests.access_log.drafts import NOW_MS, SYSTEM, LogHome, answer, ask, charge, claim, refuse

OTHER_SYSTEM = "11370000MB2DEM0105/other"


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


async def test_begun_entry_is_durable_when_its_future_is_done(
    home: LogHome, log: AccessLog
) -> None:
    """Beginning queues at once, without a task; the future brings what `append` returns."""
    begun = [log.begin(ask()) for _ in range(3)]
    queued = log.health().queued
    logged = await asyncio.gather(*begun)

    assert queued == 3
    assert [each.entry for each in logged] == naive_tree.stored_entries(home.file)
    for each in logged:
        require_proven(each)


async def test_what_cannot_be_queued_is_refused_by_beginning(home: LogHome) -> None:
    """A malformed draft, or any draft once the log is closed, gets no future."""
    log = home.open()

    with pytest.raises(EntryMalformed):
        log.begin(EntryDraft(kind=EntryKind.REFUSE, members={}))
    log.close()
    with pytest.raises(LogUnavailable):
        log.begin(ask())


async def test_begun_entry_that_is_cancelled_in_the_queue_is_not_written(
    home: LogHome, log: AccessLog
) -> None:
    """Whoever gives up before the writer takes the draft leaves nothing behind."""
    begun = log.begin(ask())
    begun.cancel()

    await log.append(refuse())

    assert len(naive_tree.stored_entries(home.file)) == 1


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

    receipts = await log.load_receipts(
        request_id, 0, under=await log.append(refuse()), system=SYSTEM
    )

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
        await log.load_receipts(b"\x07" * 16, 0, under=replace(logged, entry=b"{}"), system=SYSTEM)


def refused_under(request_id: bytes, system: str) -> EntryDraft:
    """A system's refusal under a request id."""
    found_by = SearchColumns(request_id=request_id, system=system)
    return replace(refuse("REPLAYED", system=system), search=found_by)


def asked_under(request_id: bytes, system: str) -> EntryDraft:
    """A system's ask under a request id."""
    draft = ask(request_id)
    return replace(
        draft,
        members=dict(draft.members) | {"system": system},
        search=replace(draft.search, system=system),
    )


async def test_flood_under_one_request_id_hides_no_exchange_and_costs_few_proofs(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 2,000 own refusals under one id, those fit in 64 that the ask and its answer leave."""
    request_id = b"\x07" * 16
    flood = [refused_under(request_id, SYSTEM) for _ in range(2_000)]
    for at in range(0, len(flood), 500):
        await asyncio.gather(*map(log.append, flood[at : at + 500]))
    asked = await log.append(ask(request_id))
    await log.append(asked_under(request_id, OTHER_SYSTEM))
    answered = await log.append(answer(asked.index, request_id))
    proven: list[int] = []

    def counting(source: TileSource, index: int, size: int) -> Proof:
        proven.append(index)
        return inclusion_proof(source, index, size)

    monkeypatch.setattr(log_module, "inclusion_proof", counting)
    receipts = await log.load_receipts(
        request_id, 0, under=await log.append(refuse()), system=SYSTEM
    )

    indices = [each.index for each in receipts]
    assert indices == proven
    assert indices == [*range(62), asked.index, answered.index]


async def test_receipts_of_one_system_leave_out_those_of_others(log: AccessLog) -> None:
    """A system named gets its asks, their answers and its refusals, whoever else used the id."""
    request_id = b"\x07" * 16
    theirs = await log.append(asked_under(request_id, OTHER_SYSTEM))
    asked = await log.append(ask(request_id))
    await log.append(answer(theirs.index, request_id))
    answered = await log.append(answer(asked.index, request_id))
    await log.append(refused_under(request_id, OTHER_SYSTEM))
    refused = await log.append(refused_under(request_id, SYSTEM))
    await log.append(replace(refuse(), search=SearchColumns(request_id=request_id)))
    look = await log.append(refuse())

    own = await log.load_receipts(request_id, 0, under=look, system=SYSTEM)
    nobodys = await log.load_receipts(request_id, 0, under=look, system="nobody")

    assert [each.index for each in own] == [asked.index, answered.index, refused.index]
    assert nobodys == ()


async def test_first_ask_of_a_system_is_kept_before_its_later_ones(log: AccessLog) -> None:
    """The answer to the first ask is shown even when it comes after many other asks."""
    request_id = b"\x07" * 16
    asks = [await log.append(ask(request_id)) for _ in range(100)]
    later = await log.append(answer(asks[-1].index, request_id))
    first = await log.append(answer(asks[0].index, request_id))

    receipts = await log.load_receipts(
        request_id, 0, under=await log.append(refuse()), system=SYSTEM
    )

    indices = [each.index for each in receipts]
    assert indices == [*range(32), first.index]
    assert later.index not in indices


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
