"""Judges a whole log file: every entry, every checkpoint, every receipt that ought to be inside.

Knows what the log promises; re-derives all of it from the stored entries and trusts no stored hash.

1. every receipt given is proven by itself,
2. indices run from 0 without a gap and every entry is well-formed,
3. time never goes back, and every answer closes one existing ask of the same exchange,
4. at each size a checkpoint was signed for, the root derived is the root signed,
5. the newest checkpoint covers the last entry, no more and no less,
6. the entries and tree heads of receipts and of checkpoints kept elsewhere are this log's.

A finding names its position; the first one is where the log starts to be wrong. Entries between two
checkpoints share one root, so an altered entry that is still well-formed is found at the next
checkpoint, or exactly, by a receipt for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hutong.evidence.checkpoint import ProvenCheckpoint, verify_checkpoint
from hutong.evidence.entry import parse_entry
from hutong.evidence.exchanges import ExchangeLedger, Unanswered
from hutong.evidence.merkle import RightEdge
from hutong.evidence.reasons import MEANINGS, EvidenceReason, EvidenceRefused, Malformed, Outcome
from hutong.evidence.receipt import Receipt, verify_receipt
from hutong.evidence.sqlite_log import SqliteLog, open_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from hutong.evidence.note import LogKey

# A log that is wrong everywhere is described well enough by its first findings.
MAX_FINDINGS: Final = 100
_ENTRY, _CHECKPOINT, _RECEIPT, _KEPT = "entry", "checkpoint", "receipt", "kept checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and where: an entry's index, a checkpoint's size, a receipt."""

    reason: EvidenceReason
    place: str
    number: int
    detail: str = ""

    @property
    def position(self) -> str:
        """The position in words, e.g. `entry 7`."""
        return f"{self.place} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What a whole log comes to."""

    outcome: Outcome
    size: int
    root_hash: bytes
    signed_size: int
    checkpoints: int
    receipts: int
    kinds: dict[str, int]
    findings: tuple[Finding, ...]
    unanswered: tuple[Unanswered, ...]

    @property
    def first_wrong(self) -> Finding | None:
        """The first finding in the order of the log, None where nothing is wrong."""
        return self.findings[0] if self.findings else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What somebody outside holds against the log: a tree head, and maybe an entry of it."""

    place: str
    number: int
    size: int
    root_hash: bytes
    index: int = -1
    entry: bytes = b""


def verify_log(
    path: Path,
    log_key: LogKey,
    receipts: Sequence[Receipt] = (),
    kept: Sequence[ProvenCheckpoint] = (),
) -> LogReport:
    """Proves a whole log and returns its report.

    Raises:
        Unreadable: the file cannot be read at all.
        EvidenceRefused: the first wrong position, with its reason.
    """
    report = examine_log(path, log_key, receipts, kept)
    if report.first_wrong is not None:
        raise EvidenceRefused(report.first_wrong.reason, report.first_wrong.position)
    return report


def examine_log(
    path: Path,
    log_key: LogKey,
    receipts: Sequence[Receipt] = (),
    kept: Sequence[ProvenCheckpoint] = (),
) -> LogReport:
    """Examines a whole log and reports everything that is wrong with it.

    `receipts` are of this log; `kept` are checkpoints of it that somebody kept elsewhere.

    Raises:
        Unreadable: the file cannot be read at all.
    """
    claims, refused = _claims_of(receipts, kept, log_key)
    with open_log(path) as log:
        # Findings of the log itself come first: the first one names where the log starts to be
        # wrong.
        walk = _Walk(log, log_key, claims)
        walk.run()
    findings = tuple((walk.findings + refused)[:MAX_FINDINGS])
    return LogReport(
        outcome=_outcome_of(findings),
        size=walk.edge.size,
        root_hash=walk.edge.root(),
        signed_size=walk.signed_size,
        checkpoints=walk.checkpoints,
        receipts=len(receipts),
        kinds=dict(sorted(walk.ledger.kinds.items())),
        findings=findings,
        unanswered=walk.ledger.unanswered(),
    )


class _Walk:
    """One pass over entries and checkpoints, side by side, in the order of the log."""

    def __init__(self, log: SqliteLog, log_key: LogKey, claims: Sequence[_Claim]) -> None:
        self.edge = RightEdge()
        self.ledger = ExchangeLedger(log.entry_at)
        self.findings: list[Finding] = []
        self.signed_size = 0
        self.checkpoints = 0
        self._foreign = 0
        self._log = log
        self._log_key = log_key
        self._by_index: dict[int, list[_Claim]] = {}
        self._by_size: dict[int, list[_Claim]] = {}
        for claim in claims:
            self._by_size.setdefault(claim.size, []).append(claim)
            if claim.index >= 0:
                self._by_index.setdefault(claim.index, []).append(claim)

    def run(self) -> None:
        """Walks the log; stops where an entry is missing, for no root can be derived after it."""
        stored = _Peekable(self._log.checkpoints())
        # Size 0 first: a signed head of the empty log is a promise as well.
        self._meet_heads(stored)
        for index, body in self._log.entries():
            if index != self.edge.size:
                self._find(EvidenceReason.ENTRY_ABSENT, _ENTRY, self.edge.size)
                return
            if body is None:
                self._find(EvidenceReason.ENTRY_MALFORMED, _ENTRY, index)
                return
            # An entry that is wrong still becomes a leaf: the tree is of bytes, and the walk goes
            # on.
            self._take_entry(index, body)
            self.edge.add(body)
            self._meet_heads(stored)
        self._finish(stored)

    def _take_entry(self, index: int, body: bytes) -> None:
        for claim in self._by_index.get(index, ()):
            if claim.entry != body:
                detail = f"{claim.place} {claim.number}"
                self._find(EvidenceReason.ENTRY_DIFFERS, _ENTRY, index, detail)
        try:
            self.ledger.take(index, parse_entry(body))
        except Malformed as cause:
            self._find(EvidenceReason.ENTRY_MALFORMED, _ENTRY, index, cause.what)
        except EvidenceRefused as cause:
            self._find(cause.reason, _ENTRY, index)

    def _meet_heads(self, stored: _Peekable) -> None:
        """Compares the tree so far with every head that was signed for this very size."""
        size = self.edge.size
        while stored.head is not None and stored.head[0] <= size:
            self._meet_checkpoint(*stored.head)
            stored.advance()
        for claim in self._by_size.pop(size, ()):
            if claim.root_hash != self.edge.root():
                self._find(EvidenceReason.VIEW_FORKED, claim.place, claim.number, f"size {size}")

    def _meet_checkpoint(self, size: int, note: bytes | None) -> None:
        self.checkpoints += 1
        proven = self._prove_stored(size, note)
        if proven is None:
            return
        if proven.head.root_hash != self.edge.root():
            detail = f"entries {self.signed_size} to {size - 1}"
            self._find(EvidenceReason.ROOT_MISMATCH, _CHECKPOINT, size, detail)
        # Covered even where the root differs, so that the next mismatch names only what came after.
        self.signed_size = size

    def _prove_stored(self, size: int, note: bytes | None) -> ProvenCheckpoint | None:
        try:
            proven = verify_checkpoint(note or b"", self._log_key)
        except Malformed as cause:
            self._find(EvidenceReason.CHECKPOINT_MALFORMED, _CHECKPOINT, size, cause.what)
            return None
        except EvidenceRefused as cause:
            if cause.reason is EvidenceReason.KEY_UNKNOWN:
                self._note_foreign(size)
            else:
                self._find(cause.reason, _CHECKPOINT, size)
            return None
        if proven.head.size != size:
            self._find(EvidenceReason.CHECKPOINT_MISFILED, _CHECKPOINT, size)
            return None
        return proven

    def _note_foreign(self, size: int) -> None:
        """Notes a checkpoint that the given key did not sign; the first stands for all of them."""
        # One slip with a key must not fill the list and hide what is wrong with the entries.
        if self._foreign == 0:
            self._find(EvidenceReason.KEY_UNKNOWN, _CHECKPOINT, size)
        self._foreign += 1

    def _finish(self, stored: _Peekable) -> None:
        """Compares the end of the entries with what checkpoints and receipts say of it."""
        size = self.edge.size
        while stored.head is not None:
            self.checkpoints += 1
            # Only the log's own signature proves that more entries existed; a forged note proves
            # nothing.
            if self._prove_stored(*stored.head) is not None:
                self._find(EvidenceReason.LOG_TRUNCATED, _CHECKPOINT, stored.head[0])
            stored.advance()
        for claims in self._by_size.values():
            for claim in claims:
                detail = f"size {claim.size}"
                self._find(EvidenceReason.LOG_TRUNCATED, claim.place, claim.number, detail)
        # Unsigned and cut off look alike: no checkpoint at all is "cannot tell", a signed log with
        # an uncovered tail is "wrong".
        if self.checkpoints == 0:
            self._find(EvidenceReason.LOG_UNSIGNED, _CHECKPOINT, 0)
        elif self._foreign == self.checkpoints:
            # Of a log whose signer one does not know, a missing signature proves nothing either.
            return
        elif self.signed_size < size:
            self._find(EvidenceReason.ENTRY_UNSIGNED, _ENTRY, self.signed_size)

    def _find(self, reason: EvidenceReason, place: str, number: int, detail: str = "") -> None:
        # The walk goes on without noting more: size and root of the report stay those of the file.
        if len(self.findings) < MAX_FINDINGS:
            finding = Finding(reason=reason, place=place, number=number, detail=detail)
            self.findings.append(finding)


class _Peekable:
    """The stored checkpoints, of which the walk must see the next before it takes it."""

    def __init__(self, rows: Iterator[tuple[int, bytes | None]]) -> None:
        self._rows = rows
        self.head = next(rows, None)

    def advance(self) -> None:
        self.head = next(self._rows, None)


def _claims_of(
    receipts: Iterable[Receipt], kept: Iterable[ProvenCheckpoint], log_key: LogKey
) -> tuple[list[_Claim], list[Finding]]:
    claims: list[_Claim] = []
    refused: list[Finding] = []
    for number, receipt in enumerate(receipts):
        try:
            # A receipt has to hold by itself before it may accuse the log.
            head = verify_receipt(receipt, log_key).checkpoint.head
        except Malformed as cause:
            reason, detail = EvidenceReason.CHECKPOINT_MALFORMED, cause.what
            refused.append(Finding(reason=reason, place=_RECEIPT, number=number, detail=detail))
        except EvidenceRefused as cause:
            refused.append(Finding(reason=cause.reason, place=_RECEIPT, number=number))
        else:
            claims.append(
                _Claim(
                    place=_RECEIPT,
                    number=number,
                    size=head.size,
                    root_hash=head.root_hash,
                    index=receipt.index,
                    entry=receipt.entry,
                )
            )
    for number, checkpoint in enumerate(kept):
        head = checkpoint.head
        claims.append(_Claim(place=_KEPT, number=number, size=head.size, root_hash=head.root_hash))
    return claims, refused


def _outcome_of(findings: Sequence[Finding]) -> Outcome:
    outcomes = {MEANINGS[finding.reason].outcome for finding in findings}
    # One proven lie outweighs whatever could not be told.
    if Outcome.TAMPERED in outcomes:
        return Outcome.TAMPERED
    return Outcome.CANNOT_TELL if outcomes else Outcome.PROVEN
