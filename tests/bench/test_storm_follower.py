"""A log examined piece by piece: honest growth is proven, and each planted loss is found."""

import copy
import dataclasses
import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bench.storm_follower import LogFollower
from hutong.evidence import EvidenceReason, Receipt, examine_log
from tests.bench.conftest import exchange
from tests.evidence.synthetic_log import SyntheticLog, naive_root

R = EvidenceReason
Found = list[tuple[EvidenceReason, str]]
Lie = Callable[[SyntheticLog], list[Receipt]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log lies; the name needs quoting in a URI."""
    return tmp_path / "log of 2026?#%.db"


def stored(log: SyntheticLog, path: Path) -> Path:
    """Store a log in the place of what was there."""
    path.unlink(missing_ok=True)
    return log.store(path)


def stored_without(log: SyntheticLog, path: Path, index: int) -> None:
    """Store a log, and lose one entry of it from the file alone."""
    with closing(sqlite3.connect(stored(log, path))) as connection, connection:
        connection.execute("DELETE FROM entry WHERE idx = ?", (index,))


def followed(log: SyntheticLog, path: Path) -> LogFollower:
    """Return a follower that has proven all of a log."""
    follower = LogFollower(stored(log, path), log.signer.log_key)
    assert follower.examine(()) == ()
    return follower


def examined(follower: LogFollower, *receipts: Receipt) -> Found:
    """Return what one more examination finds."""
    return [(each.reason, each.position) for each in follower.examine(receipts)]


@pytest.mark.parametrize("cuts", list(itertools.combinations(range(0, 11, 2), 2)))
def test_honest_growth_is_proven_in_pieces(
    log: SyntheticLog, path: Path, cuts: tuple[int, int]
) -> None:
    """Wherever it is cut, each piece adds to the tree and each receipt is held."""
    grown = SyntheticLog(log.signer)
    grown.sign()
    follower = followed(grown, path)
    receipts: list[Receipt] = []

    for begin, end in itertools.pairwise((0, *cuts, 12)):
        receipts += [grown.receipt(exchange(grown, each), each) for each in range(begin, end)]
        stored(grown, path)
        assert examined(follower, *receipts) == []

    assert (follower.size, follower.receipts) == (24, 12)
    assert follower.newest is not None
    assert follower.newest.head.root_hash == naive_root(grown.entries)


def test_receipt_of_an_entry_proven_before_is_held(log: SyntheticLog, path: Path) -> None:
    """A caller may learn of his answer after the examination that met its entry."""
    follower = followed(log, path)

    assert examined(follower, log.receipt(7, 3)) == []
    assert follower.receipts == 1


def test_interrupted_asks_are_counted(log: SyntheticLog, path: Path) -> None:
    """The log itself tells how many exchanges a kill struck between ask and answer."""
    follower = followed(log, path)
    log.answer(10, log.ask(10), state="INTERRUPTED")
    log.sign()
    stored(log, path)

    assert examined(follower) == []
    assert follower.interrupted == 1


def lost_tail(log: SyntheticLog) -> list[Receipt]:
    """Acknowledge an answer, and lose the entry with all that was signed for it."""
    kept = copy.deepcopy(log)
    receipt = log.receipt(exchange(log, 10), 10)
    log.entries, log.checkpoints = kept.entries, kept.checkpoints
    return [receipt]


def replaced_answer(log: SyntheticLog) -> list[Receipt]:
    """Acknowledge an answer, and sign another history in its place."""
    forked = copy.deepcopy(log)
    receipt = log.receipt(exchange(log, 10), 10)
    exchange(forked, 11)
    log.entries, log.checkpoints = forked.entries, forked.checkpoints
    return [receipt]


def answered_twice(log: SyntheticLog) -> list[Receipt]:
    """Answer an ask that was answered before the last examination."""
    second = log.answer(3, 6)
    log.sign()
    return [log.receipt(second, 3)]


def answered_twice_at_once(log: SyntheticLog) -> list[Receipt]:
    """Answer a new ask two times."""
    asked = log.ask(10)
    log.sign()
    first = log.answer(10, asked)
    second = log.answer(10, asked)
    log.sign()
    return [log.receipt(first, 10), log.receipt(second, 10)]


def rewritten_past(log: SyntheticLog) -> list[Receipt]:
    """Change what was proven before, and sign everything after it honestly."""
    log.entries[7] = log.entries[7].replace(b"ANSWERED", b"UNHEARD!")
    return [log.receipt(exchange(log, 10), 10)]


def unsigned_tail(log: SyntheticLog) -> list[Receipt]:
    """Append without signing."""
    log.ask(10)
    return []


def head_beyond_the_end(log: SyntheticLog) -> list[Receipt]:
    """Lose the newest entry and keep the head that was signed for it."""
    log.ask(10)
    log.sign()
    log.entries.pop()
    return []


def foreign_note(log: SyntheticLog) -> list[Receipt]:
    """Store a head nobody can read beside an honest one."""
    exchange(log, 10)
    log.checkpoints[21] = b"no note"
    return []


def misfiled_head(log: SyntheticLog) -> list[Receipt]:
    """Store a head under another size than the one it speaks of."""
    exchange(log, 10)
    log.checkpoints[21] = log.checkpoints[19]
    return []


def forged_head(log: SyntheticLog) -> list[Receipt]:
    """Store a head whose signature was made for another text."""
    exchange(log, 10)
    text, signature = log.checkpoints[22].split(b"\n\n")
    log.checkpoints[22] = text.replace(b"\n22\n", b"\n23\n") + b"\n\n" + signature
    return []


def time_set_back(log: SyntheticLog) -> list[Receipt]:
    """Append an entry older than the newest one proven before."""
    log.add(kind="tick", ts=1_600_000_000_000)
    log.sign()
    return []


def no_entry(log: SyntheticLog) -> list[Receipt]:
    """Append bytes that are no entry."""
    log.entries.append(b"no entry")
    log.sign()
    return []


def broken_receipt(log: SyntheticLog) -> list[Receipt]:
    """Give a receipt of an honest entry for another place."""
    return [dataclasses.replace(log.receipt(exchange(log, 10), 10), index=20)]


def garbled_receipt(log: SyntheticLog) -> list[Receipt]:
    """Give a receipt whose head is none."""
    return [dataclasses.replace(log.receipt(exchange(log, 10), 10), checkpoint=b"no note")]


LIES: list[tuple[Lie, Found]] = [
    (lost_tail, [(R.LOG_TRUNCATED, "receipt 0"), (R.ENTRY_ABSENT, "entry 21")]),
    (replaced_answer, [(R.VIEW_FORKED, "receipt 0"), (R.ENTRY_DIFFERS, "entry 21")]),
    (answered_twice, [(R.ANSWER_REPEATED, "entry 20")]),
    (answered_twice_at_once, [(R.ANSWER_REPEATED, "entry 22")]),
    (unsigned_tail, [(R.ENTRY_UNSIGNED, "entry 20")]),
    (head_beyond_the_end, [(R.LOG_TRUNCATED, "checkpoint 21")]),
    (foreign_note, [(R.CHECKPOINT_MALFORMED, "checkpoint 21")]),
    (misfiled_head, [(R.CHECKPOINT_MISFILED, "checkpoint 21")]),
    (forged_head, [(R.SIGNATURE_INVALID, "checkpoint 22"), (R.ENTRY_UNSIGNED, "entry 21")]),
    (time_set_back, [(R.TIME_BACKWARDS, "entry 20")]),
    (no_entry, [(R.ENTRY_MALFORMED, "entry 20")]),
    (broken_receipt, [(R.INCLUSION_INVALID, "receipt 0")]),
    (garbled_receipt, [(R.CHECKPOINT_MALFORMED, "receipt 0")]),
]


@pytest.mark.parametrize(("lie", "expected"), LIES, ids=[lie.__name__ for lie, _ in LIES])
def test_lie_in_the_new_part_is_found(
    log: SyntheticLog, path: Path, lie: Lie, expected: Found
) -> None:
    """What is planted after an examination is found by the next one."""
    follower = followed(log, path)
    receipts = lie(log)
    stored(log, path)

    assert examined(follower, *receipts) == expected


def test_what_was_found_before_the_log_became_unreadable_is_told(
    log: SyntheticLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries are judged once only, so a finding may not go with the examination it was made in."""
    follower = followed(log, path)
    no_entry(log)
    stored(log, path)

    def fail(_: object) -> None:
        raise sqlite3.OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(follower, "_meet_heads", fail)
        with pytest.raises(sqlite3.OperationalError):
            follower.examine(())

    assert (R.ENTRY_MALFORMED, "entry 20") in examined(follower)


@pytest.mark.parametrize("lie", [lie for lie, _ in LIES])
def test_whole_log_is_found_wrong_for_the_same_reason(
    log: SyntheticLog, path: Path, lie: Lie
) -> None:
    """The examination of the new part accuses no log that the verifier proves, nor otherwise."""
    follower = followed(log, path)
    receipts = lie(log)
    stored(log, path)
    whole = examine_log(path, log.signer.log_key, receipts)

    reasons = {reason for reason, _ in examined(follower, *receipts)}

    assert {finding.reason for finding in whole.findings} <= reasons


def test_new_heads_over_a_rewritten_past_are_found(log: SyntheticLog, path: Path) -> None:
    """Each head that was signed for another past than the proven one is named."""
    follower = followed(log, path)
    receipts = rewritten_past(log)
    stored(log, path)

    assert examined(follower, *receipts) == [
        (R.ROOT_MISMATCH, "checkpoint 21"),
        (R.ROOT_MISMATCH, "checkpoint 22"),
        (R.VIEW_FORKED, "receipt 0"),
    ]


def test_acknowledged_entry_missing_from_the_proven_part_is_found(
    log: SyntheticLog, path: Path
) -> None:
    """A receipt that comes late is held against the file as it is, not as it was."""
    follower = followed(log, path)
    receipt = log.receipt(7, 3)
    stored_without(log, path, 7)

    assert examined(follower, receipt) == [(R.ENTRY_ABSENT, "entry 7")]


def test_lost_end_of_the_proven_part_is_found(log: SyntheticLog, path: Path) -> None:
    """A log that became shorter between two examinations is found without any receipt."""
    follower = followed(log, path)
    del log.entries[18:]
    stored(log, path)

    assert examined(follower) == [(R.LOG_TRUNCATED, "entry 19")]


def test_replaced_end_of_the_proven_part_is_found(log: SyntheticLog, path: Path) -> None:
    """The last entry proven must still be the one that was proven."""
    follower = followed(log, path)
    log.entries[19] = log.entries[19].replace(b"ANSWERED", b"UNHEARD!")
    stored(log, path)

    assert examined(follower) == [(R.ENTRY_DIFFERS, "entry 19")]


def test_gap_in_the_new_part_ends_the_examination(log: SyntheticLog, path: Path) -> None:
    """Nothing can be derived after a gap; the receipts wait for the next examination."""
    follower = followed(log, path)
    receipt = log.receipt(exchange(log, 10), 10)
    stored_without(log, path, 20)

    assert examined(follower, receipt) == [(R.ENTRY_ABSENT, "entry 20")]
    assert follower.receipts == 0


def test_log_that_signed_nothing_is_found(log: SyntheticLog, path: Path) -> None:
    """A storm over an unsigned log proves nothing."""
    log.checkpoints.clear()
    follower = LogFollower(stored(log, path), log.signer.log_key)

    assert examined(follower) == [(R.LOG_UNSIGNED, "checkpoint 0")]
