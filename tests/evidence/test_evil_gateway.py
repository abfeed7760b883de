"""Sixteen lies of an evil gateway, each caught for what it is by a holder or an examiner."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.evidence import (
    EvidenceReason,
    EvidenceRefused,
    Expected,
    LogKey,
    Malformed,
    Receipt,
    examine_log,
    verify_checkpoint,
    verify_consistency,
    verify_receipt,
)
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
