"""A whole log file: honest ones are proven, and each lie is named with its position."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.evidence import (
    EvidenceError,
    EvidenceReason,
    EvidenceRefused,
    Expected,
    LogKey,
    Malformed,
    Outcome,
    Receipt,
    Unreadable,
    examine_log,
    verify_checkpoint,
    verify_consistency,
    verify_log,
    verify_receipt,
)
from hutong.evidence.exchanges import Unanswered
from hutong.evidence.whole_log import MAX_FINDINGS
from tests.evidence.synthetic_log import (
    ORIGIN,
    REQUEST,
    Signer,
    SyntheticLog,
    naive_path,
    naive_root,
    spell,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

R = EvidenceReason


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log file is stored; the name needs quoting in a URI."""
    return tmp_path / "log of 2026?#%.db"


def clone(log: SyntheticLog) -> SyntheticLog:
    """A second log with the same contents."""
    return SyntheticLog(log.signer, list(log.entries), dict(log.checkpoints))


def found(log: SyntheticLog, path: Path, *receipts: Receipt) -> list[tuple[EvidenceReason, str]]:
    """What is found wrong with a log."""
    report = examine_log(log.store(path), log.signer.log_key, receipts)
    return [(finding.reason, finding.position) for finding in report.findings]


def test_honest_log_is_proven(log: SyntheticLog, path: Path) -> None:
    """Every checkpoint is re-derived, every receipt is inside, and what is open is listed."""
    receipts = [log.receipt(2 * number + 1, number) for number in range(10)]

    report = verify_log(log.store(path), log.signer.log_key, receipts)

    assert report.outcome is Outcome.PROVEN
    assert (report.size, report.signed_size, report.checkpoints) == (22, 22, 22)
    assert report.root_hash == naive_root(log.entries)
    assert report.kinds == {"answer": 10, "ask": 11, "tick": 1}
    assert report.first_wrong is None
    assert report.unanswered == (
        Unanswered(index=21, request_id=f"{10:032x}", item=0, time_ms=1_700_000_000_021),
    )


def test_empty_signed_log_is_proven(signer: Signer, path: Path) -> None:
    """A log of nothing has the root of nothing."""
    log = SyntheticLog(signer)
    log.sign()

    assert verify_log(log.store(path), signer.log_key).size == 0


def test_log_without_checkpoint_cannot_be_judged(signer: Signer, path: Path) -> None:
    """Nothing signed proves nothing, in either direction."""
    report = examine_log(SyntheticLog(signer).store(path), signer.log_key)

    assert report.outcome is Outcome.CANNOT_TELL
    assert report.findings[0].reason is R.LOG_UNSIGNED


def test_proving_a_wrong_log_names_the_first_position(log: SyntheticLog, path: Path) -> None:
    """The error carries reason and position."""
    log.entries[7] = log.entries[7].replace(b"ANSWERED", b"UNHEARD!")

    with pytest.raises(EvidenceRefused) as caught:
        verify_log(log.store(path), log.signer.log_key)

    assert (caught.value.reason, caught.value.position) == (R.ROOT_MISMATCH, "checkpoint 8")


def test_receipt_names_the_altered_entry_exactly(log: SyntheticLog, path: Path) -> None:
    """Between two checkpoints a receipt is what points at the entry."""
    receipt = log.receipt(7, 3)
    log.entries[7] = log.entries[7].replace(b"ANSWERED", b"UNHEARD!")

    assert found(log, path, receipt)[0] == (R.ENTRY_DIFFERS, "entry 7")


def test_later_findings_are_cut_off(signer: Signer, path: Path) -> None:
    """A log that is wrong everywhere is described by its first findings."""
    log = SyntheticLog(signer)
    log.sign()
    for _ in range(MAX_FINDINGS + 5):
        log.entries.append(b"no entry")

    assert len(found(log, path)) == MAX_FINDINGS


def test_missing_entry_stops_the_walk_at_the_gap(log: SyntheticLog, path: Path) -> None:
    """After a gap no root can be derived, so nothing after it is judged."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM entry WHERE idx = 5")

    report = examine_log(path, log.signer.log_key)

    assert [(f.reason, f.position) for f in report.findings] == [(R.ENTRY_ABSENT, "entry 5")]
    connection.close()


@pytest.mark.parametrize("body", ["'text'", "NULL", "zeroblob(2049)", "7"])
def test_entry_that_is_no_bounded_bytes_stops_the_walk(
    log: SyntheticLog, path: Path, body: str
) -> None:
    """A leaf is at most 2,048 bytes."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE entry SET body = {body} WHERE idx = 5")  # noqa: S608  # test's own SQL

    report = examine_log(path, log.signer.log_key)

    assert [(f.reason, f.position) for f in report.findings] == [(R.ENTRY_MALFORMED, "entry 5")]
    connection.close()


@pytest.mark.parametrize("note", ["'text'", "NULL", "zeroblob(131073)"])
def test_checkpoint_that_is_no_bounded_bytes_is_found(
    log: SyntheticLog, path: Path, note: str
) -> None:
    """A stored note is bytes."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE checkpoint SET note = {note} WHERE size = 5")  # noqa: S608  # test's own SQL

    report = examine_log(path, log.signer.log_key)

    expected = [(R.CHECKPOINT_MALFORMED, "checkpoint 5")]
    assert [(f.reason, f.position) for f in report.findings] == expected
    connection.close()


def entry_of(log: SyntheticLog, **changed: object) -> bytes:
    """An answer entry like the last exchange's, with members changed."""
    number = 10
    index = log.answer(number, 21, **changed)
    raw = log.entries.pop()
    assert index == len(log.entries)
    return raw


SPOILED: list[tuple[dict[str, object], EvidenceReason]] = [
    ({"v": 2}, R.ENTRY_MALFORMED),
    ({"v": True}, R.ENTRY_MALFORMED),
    ({"kind": ""}, R.ENTRY_MALFORMED),
    ({"kind": 1}, R.ENTRY_MALFORMED),
    ({"kind": "x" * 33}, R.ENTRY_MALFORMED),
    ({"ts": "1"}, R.ENTRY_MALFORMED),
    ({"ts": True}, R.ENTRY_MALFORMED),
    ({"ts": -1}, R.ENTRY_MALFORMED),
    ({"node": ""}, R.ENTRY_MALFORMED),
    ({"node": 1}, R.ENTRY_MALFORMED),
    ({"item": -1}, R.ENTRY_MALFORMED),
    ({"item": True}, R.ENTRY_MALFORMED),
    ({"item": 2**32}, R.ENTRY_MALFORMED),
    ({"tx": 1}, R.ENTRY_MALFORMED),
    ({"tx": "AB" * 16}, R.ENTRY_MALFORMED),
    ({"request": "ab"}, R.ENTRY_MALFORMED),
    ({"ask": None}, R.ENTRY_MALFORMED),
    ({"ask": True}, R.ENTRY_MALFORMED),
    ({"ask": -1}, R.ENTRY_MALFORMED),
    ({"kind": "ask", "tx": None}, R.ENTRY_MALFORMED),
    ({"kind": "ask", "request": None}, R.ENTRY_MALFORMED),
    ({"ts": 1}, R.TIME_BACKWARDS),
    ({"ask": 20}, R.ASK_ABSENT),  # the tick
    ({"ask": 22}, R.ASK_ABSENT),  # itself
    ({"ask": 400}, R.ASK_ABSENT),
    ({"ask": 0}, R.ANSWER_REPEATED),
    ({"tx": "00" * 16}, R.ASK_DIFFERS),
    ({"item": 1}, R.ASK_DIFFERS),
    ({"request": "00" * 32}, R.ASK_DIFFERS),
    ({"kind": "rumour"}, R.KIND_UNKNOWN),
]


@pytest.mark.parametrize(("changed", "reason"), SPOILED)
def test_entry_that_breaks_a_promise_is_found(
    log: SyntheticLog, path: Path, changed: dict[str, object], reason: EvidenceReason
) -> None:
    """Also where the log signed it: form, time and pairing are judged entry by entry."""
    log.entries.append(entry_of(log, **changed))
    log.sign()

    assert found(log, path) == [(reason, "entry 22")]


def test_answer_pointing_to_bytes_that_are_no_entry_has_no_ask(
    log: SyntheticLog, path: Path
) -> None:
    """What cannot be read is no ask."""
    log.entries.append(b"no entry")
    log.entries.append(entry_of(log, ask=22))
    log.sign()

    assert (R.ASK_ABSENT, "entry 23") in found(log, path)


def test_unknown_kind_alone_cannot_tell(log: SyntheticLog, path: Path) -> None:
    """A newer log may hold kinds this verifier does not know; that is no tampering."""
    log.add(kind="rumour")
    log.sign()

    assert examine_log(log.store(path), log.signer.log_key).outcome is Outcome.CANNOT_TELL


def test_refusal_closes_the_ask_it_names(log: SyntheticLog, path: Path) -> None:
    """A refusal after an ask points to it; a rolled-up refusal names no exchange at all."""
    request = log.entries[21].split(b'"request":"')[1][:64].decode()
    log.add(kind="refuse", tx=f"{10:032x}", ask=21, request=request, reason="QUOTA")
    log.add(kind="refuse", count=7, window_ms=10_000, reason="SIGNATURE_INVALID")
    log.sign()

    assert verify_log(log.store(path), log.signer.log_key).unanswered == ()


# The lies of an evil gateway: each takes an honest log whose holder has receipts, and tells
# something else. What catches it: the holder of a receipt, or the examiner of the file.


@dataclass
class Stage:
    """What a liar works with."""

    log: SyntheticLog
    receipt: Receipt
    path: Path

    @property
    def key(self) -> LogKey:
        """The key the holder trusts."""
        return self.log.signer.log_key

    def caught_by_holder(self, receipt: Receipt, known_size: int = 0) -> EvidenceReason:
        """What the holder's verification says of a receipt for exchange 4."""
        expected = Expected(request_id=bytes.fromhex(f"{4:032x}"), known_size=known_size)
        try:
            verify_receipt(receipt, self.key, request_payload=REQUEST, expected=expected)
        except EvidenceRefused as refused:
            return refused.reason
        raise AssertionError("the lie was believed")

    def caught_by_examiner(self, log: SyntheticLog) -> EvidenceReason:
        """What the examination of the whole file says first."""
        first = examine_log(log.store(self.path), self.key, [self.receipt]).first_wrong
        assert first is not None
        return first.reason


def lie_forked_view(stage: Stage) -> EvidenceReason:
    """The file shows the examiner another history than the one the receipt was cut from."""
    other = SyntheticLog(stage.log.signer)
    other.sign()
    for number in range(11):
        asked = other.ask(number + 100)
        other.answer(number + 100, asked)
        other.sign()
    other.entries[9:10] = [stage.receipt.entry]  # the receipt's own entry is left in place
    other.checkpoints = {0: other.checkpoints[0]}
    other.sign()
    reasons = {
        finding.reason
        for finding in examine_log(other.store(stage.path), stage.key, [stage.receipt]).findings
    }
    return next(iter(reasons & {R.VIEW_FORKED}))


def lie_truncated_tail(stage: Stage) -> EvidenceReason:
    """The newest entries and their checkpoints are gone."""
    cut = clone(stage.log)
    del cut.entries[16:]
    cut.checkpoints = {size: note for size, note in cut.checkpoints.items() if size <= 16}
    return stage.caught_by_examiner(cut)


def lie_truncated_entries(stage: Stage) -> EvidenceReason:
    """The newest entries are gone, and their checkpoints are left."""
    cut = clone(stage.log)
    del cut.entries[16:]
    return stage.caught_by_examiner(cut)


def lie_swapped_entry(stage: Stage) -> EvidenceReason:
    """One entry is replaced and everything after it is signed anew."""
    swapped = clone(stage.log)
    swapped.entries[9] = swapped.entries[9].replace(b"ANSWERED", b"UNHEARD!")
    for size in swapped.checkpoints:
        swapped.sign(size)
    return stage.caught_by_examiner(swapped)


def lie_reordered(stage: Stage) -> EvidenceReason:
    """Two entries trade places and everything is signed anew."""
    shuffled = clone(stage.log)
    shuffled.entries[20], shuffled.entries[21] = shuffled.entries[21], shuffled.entries[20]
    for size in shuffled.checkpoints:
        shuffled.sign(size)
    return stage.caught_by_examiner(shuffled)


def lie_wrong_origin(stage: Stage) -> EvidenceReason:
    """The log's key signs the head of another log."""
    root = naive_root(stage.log.entries)
    note = stage.log.signer.checkpoint(22, root, origin="sandbox.invalid/other")
    return stage.caught_by_holder(dataclasses.replace(stage.receipt, checkpoint=note))


def lie_replayed_receipt(stage: Stage) -> EvidenceReason:
    """The true receipt of another exchange is handed out."""
    return stage.caught_by_holder(stage.log.receipt(5, 2))


def lie_foreign_proof(stage: Stage) -> EvidenceReason:
    """The proof is of another entry."""
    proof = tuple(naive_path(8, stage.log.entries))
    return stage.caught_by_holder(dataclasses.replace(stage.receipt, inclusion_proof=proof))


def lie_size_0(stage: Stage) -> EvidenceReason:
    """The head is that of the empty log."""
    receipt = dataclasses.replace(
        stage.receipt, index=0, inclusion_proof=(), checkpoint=stage.log.checkpoints[0]
    )
    return stage.caught_by_holder(receipt)


def lie_stale_checkpoint(stage: Stage) -> EvidenceReason:
    """The head is older than one the holder has seen."""
    receipt = dataclasses.replace(
        stage.receipt,
        inclusion_proof=tuple(naive_path(9, stage.log.entries[:12])),
        checkpoint=stage.log.checkpoints[12],
    )
    return stage.caught_by_holder(receipt, known_size=20)


def lie_key_of_same_id(stage: Stage) -> EvidenceReason:
    """Another key signs under the name and the 4-byte id of the log's key."""
    evil = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"evil").digest())
    forged = dataclasses.replace(stage.log.signer, private=evil)
    text = stage.receipt.checkpoint.partition(b"\n\n")[0].decode() + "\n"
    signature = evil.sign(text.encode())
    honest, lied = forged.log_key.key_id + signature, stage.key.key_id + signature
    encode = base64.b64encode
    note = forged.note(text).replace(encode(honest), encode(lied))
    return stage.caught_by_holder(dataclasses.replace(stage.receipt, checkpoint=note))


def lie_extra_blank_line(stage: Stage) -> EvidenceReason:
    """A blank line splits the text, so that a hasty reader takes the first part for all of it."""
    text = stage.receipt.checkpoint.partition(b"\n\n")[0].decode() + "\n"
    note = stage.log.signer.note(f"{text}\n{text}")
    with pytest.raises(Malformed, match="empty line"):
        verify_checkpoint(note, stage.key)
    lied = clone(stage.log)
    lied.checkpoints[22] = note
    return stage.caught_by_examiner(lied)


def lie_dropped_ask(stage: Stage) -> EvidenceReason:
    """An answer is logged whose ask never was."""
    lied = clone(stage.log)
    lied.answer(77, 20)
    lied.sign()
    return stage.caught_by_examiner(lied)


def lie_unsigned_tail(stage: Stage) -> EvidenceReason:
    """Entries are put after the newest checkpoint."""
    lied = clone(stage.log)
    lied.add(kind="tick")
    return stage.caught_by_examiner(lied)


def lie_misfiled_checkpoint(stage: Stage) -> EvidenceReason:
    """A true checkpoint is filed under another size."""
    lied = clone(stage.log)
    lied.checkpoints[19] = lied.checkpoints[18]
    return stage.caught_by_examiner(lied)


def lie_foreign_checkpoint(stage: Stage) -> EvidenceReason:
    """A checkpoint is signed by somebody else."""
    other = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    lied = clone(stage.log)
    lied.checkpoints[22] = other.checkpoint(22, naive_root(lied.entries))
    return stage.caught_by_examiner(lied)


LIES: list[tuple[Callable[[Stage], EvidenceReason], EvidenceReason]] = [
    (lie_forked_view, R.VIEW_FORKED),
    (lie_truncated_tail, R.LOG_TRUNCATED),
    (lie_truncated_entries, R.LOG_TRUNCATED),
    (lie_swapped_entry, R.ENTRY_DIFFERS),
    (lie_reordered, R.TIME_BACKWARDS),
    (lie_wrong_origin, R.ORIGIN_MISMATCH),
    (lie_replayed_receipt, R.EXCHANGE_MISMATCH),
    (lie_foreign_proof, R.INCLUSION_INVALID),
    (lie_size_0, R.INDEX_OUTSIDE_TREE),
    (lie_stale_checkpoint, R.CHECKPOINT_STALE),
    (lie_key_of_same_id, R.SIGNATURE_INVALID),
    (lie_extra_blank_line, R.CHECKPOINT_MALFORMED),
    (lie_dropped_ask, R.ASK_ABSENT),
    (lie_unsigned_tail, R.ENTRY_UNSIGNED),
    (lie_misfiled_checkpoint, R.CHECKPOINT_MISFILED),
    (lie_foreign_checkpoint, R.KEY_UNKNOWN),
]


@pytest.mark.parametrize(("lie", "reason"), LIES, ids=[lie.__name__ for lie, _ in LIES])
def test_lie_of_an_evil_gateway_is_caught_by_name(
    log: SyntheticLog,
    path: Path,
    lie: Callable[[Stage], EvidenceReason],
    reason: EvidenceReason,
) -> None:
    """Each lie is refused for what it is."""
    stage = Stage(log=log, receipt=log.receipt(9, 4), path=path)

    assert lie(stage) is reason


def test_two_heads_of_a_forked_log_are_inconsistent(log: SyntheticLog) -> None:
    """Two holders who compare heads of one size see the fork."""
    other = clone(log)
    other.entries[3] = spell({"kind": "tick", "node": "gw-1", "ts": 1_700_000_000_003, "v": 1})
    mine = verify_checkpoint(log.checkpoints[22], log.signer.log_key)
    yours = verify_checkpoint(other.sign(22), log.signer.log_key)

    with pytest.raises(EvidenceRefused) as caught:
        verify_consistency(mine.head, yours.head, [])

    assert caught.value.reason is R.VIEW_FORKED


def test_checkpoint_kept_elsewhere_proves_truncation(log: SyntheticLog, path: Path) -> None:
    """A holder of a later head needs no receipt to see that the tail is gone."""
    kept = verify_checkpoint(log.checkpoints[22], log.signer.log_key)
    cut = clone(log)
    del cut.entries[16:]
    cut.checkpoints = {size: note for size, note in cut.checkpoints.items() if size <= 16}

    report = examine_log(cut.store(path), log.signer.log_key, kept=[kept])

    assert report.first_wrong is not None
    assert report.first_wrong.reason is R.LOG_TRUNCATED
    assert report.first_wrong.position == "kept checkpoint 0"


def test_receipt_that_does_not_hold_is_reported_beside_the_log(
    log: SyntheticLog, path: Path
) -> None:
    """A broken receipt is told by number, and the log itself is still judged."""
    broken = dataclasses.replace(log.receipt(9, 4), index=8)
    garbled = dataclasses.replace(log.receipt(9, 4), checkpoint=b"no note")

    assert found(log, path, log.receipt(9, 4), broken, garbled) == [
        (R.INCLUSION_INVALID, "receipt 1"),
        (R.CHECKPOINT_MALFORMED, "receipt 2"),
    ]


def test_broken_checkpoint_past_the_end_is_told_as_broken(log: SyntheticLog, path: Path) -> None:
    """Only a checkpoint that holds proves that more existed."""
    log.checkpoints[40] = b"no note"

    assert found(log, path) == [(R.CHECKPOINT_MALFORMED, "checkpoint 40")]


def test_log_in_use_is_read_without_being_written(log: SyntheticLog, path: Path) -> None:
    """A log in write-ahead mode is read as of its last commit."""
    log.store(path)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    log.add(kind="tick")
    log.sign()
    with writer:
        writer.execute("INSERT INTO entry VALUES (22, ?)", (log.entries[22],))
        writer.execute("INSERT INTO checkpoint VALUES (23, ?)", (log.checkpoints[23],))

    report = verify_log(path, log.signer.log_key)

    assert report.size == 23
    writer.close()


def test_views_serve_as_well_as_tables(log: SyntheticLog, path: Path) -> None:
    """A writer with other names gives the two as views."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE entry RENAME TO leaves")
        connection.execute("CREATE VIEW entry AS SELECT idx, body FROM leaves")

    assert verify_log(path, log.signer.log_key).size == 22
    connection.close()


def test_view_without_numbers_is_unreadable(log: SyntheticLog, path: Path) -> None:
    """Rows are numbered by integers."""
    log.store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE entry RENAME TO leaves")
        connection.execute("CREATE VIEW entry AS SELECT 'one' AS idx, body FROM leaves")

    with pytest.raises(Unreadable):
        examine_log(path, log.signer.log_key)
    connection.close()


def test_damaged_database_is_unreadable(log: SyntheticLog, path: Path) -> None:
    """A page that is no page is not taken for a shorter log."""
    for number in range(200):
        log.ask(number + 50)
    raw = bytearray(log.store(path).read_bytes())
    raw[4096 * 3 :] = b"\xff" * (len(raw) - 4096 * 3)
    path.write_bytes(raw)

    with pytest.raises(Unreadable):
        examine_log(path, log.signer.log_key)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_file_that_is_no_log_is_unreadable(signer: Signer, path: Path, content: bytes) -> None:
    """Neither an empty file nor another format is an empty log."""
    path.write_bytes(content)

    with pytest.raises(Unreadable):
        examine_log(path, signer.log_key)


def test_file_with_a_write_ahead_log_is_never_read_past_it(log: SyntheticLog, path: Path) -> None:
    """Entries in a write-ahead log are not passed over by reading the main file alone."""
    path.write_bytes(b"no database at all" * 100)
    path.with_name(path.name + "-wal").write_bytes(b"")

    with pytest.raises(Unreadable):
        examine_log(path, log.signer.log_key)


def test_absent_file_is_unreadable_and_not_created(signer: Signer, path: Path) -> None:
    """Looking for a log makes none."""
    with pytest.raises(EvidenceError):
        examine_log(path, signer.log_key)

    assert not path.exists()
