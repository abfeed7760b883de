"""A whole log file: honest ones are proven, and each lie is named with its position."""

from __future__ import annotations

import dataclasses
import sqlite3
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.evidence import (
    EvidenceReason,
    EvidenceRefused,
    Outcome,
    Receipt,
    examine_log,
    verify_checkpoint,
    verify_log,
)
from hutong.evidence.exchanges import Unanswered
from hutong.evidence.whole_log import MAX_FINDINGS
from tests.evidence.synthetic_log import (
    Signer,
    SyntheticLog,
    naive_root,
)

if TYPE_CHECKING:
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


def test_a_wrong_log_key_accuses_nobody(log: SyntheticLog, path: Path) -> None:
    """Whoever holds another log's key learns nothing, and is told so once."""
    other = Signer(log.signer.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))

    report = examine_log(log.store(path), other.log_key)

    assert report.outcome is Outcome.CANNOT_TELL
    told = [(finding.reason, finding.position) for finding in report.findings]
    assert told == [(R.KEY_UNKNOWN, "checkpoint 0")]
    assert (report.checkpoints, report.signed_size) == (22, 0)


def test_a_wrong_log_key_hides_no_entry_that_is_wrong(signer: Signer, path: Path) -> None:
    """More foreign checkpoints than findings are kept leave room for what entries tell."""
    log = SyntheticLog(signer)
    for _ in range(MAX_FINDINGS + 4):
        log.add(kind="tick")
        log.sign()
    log.entries.append(b"no entry")
    log.sign()
    other = Signer(signer.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))

    report = examine_log(log.store(path), other.log_key)

    told = [(finding.reason, finding.position) for finding in report.findings]
    assert told == [
        (R.KEY_UNKNOWN, "checkpoint 1"),
        (R.ENTRY_MALFORMED, f"entry {MAX_FINDINGS + 4}"),
    ]


def test_an_unsigned_tail_after_a_foreign_checkpoint_is_found(
    log: SyntheticLog, path: Path
) -> None:
    """Where the key has signed something, what it did not sign is wrong."""
    other = Signer(log.signer.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    log.checkpoints[22] = other.checkpoint(22, naive_root(log.entries))

    assert found(log, path) == [(R.KEY_UNKNOWN, "checkpoint 22"), (R.ENTRY_UNSIGNED, "entry 20")]


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
