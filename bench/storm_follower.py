"""Proves a growing log piece by piece: each examination goes on where the last one ended.

Made of the parts of `hutong.evidence`; knows nothing of kills and faults. What it carries from one
examination to the next it derived itself, never read: the right edge of the tree, the root at every
size, the asks still open. So a signed head of the new part that agrees with the derived root also
proves that the log grew from the part proven before.

What it does not do: read the proven part again, except for its last entry and for the entry of each
new receipt. An entry spoiled there afterwards is left to `hutong.evidence.examine_log`.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hutong.evidence import (
    EvidenceReason,
    EvidenceRefused,
    Finding,
    LogKey,
    Malformed,
    ProvenCheckpoint,
    Receipt,
    verify_checkpoint,
    verify_receipt,
)
from hutong.evidence.entry import parse_entry
from hutong.evidence.exchanges import ExchangeLedger
from hutong.evidence.merkle import RightEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """A log file in one read transaction, from any position on."""

    connection: sqlite3.Connection

    def entries(self, first: int) -> Iterator[tuple[int, bytes]]:
        yield from self.connection.execute(
            "SELECT idx, body FROM entry WHERE idx >= ? ORDER BY idx", (first,)
        )

    def heads(self, first: int) -> Iterator[tuple[int, bytes]]:
        yield from self.connection.execute(
            "SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY size", (first,)
        )

    def entry_at(self, index: int) -> bytes | None:
        found: tuple[bytes] | None = self.connection.execute(
            "SELECT body FROM entry WHERE idx = ?", (index,)
        ).fetchone()
        return None if found is None else found[0]


class LogFollower:
    """What is proven of one log so far, and of the receipts handed out for it."""

    def __init__(self, path: Path, log_key: LogKey) -> None:
        """Start with nothing proven."""
        self.newest: ProvenCheckpoint | None = None
        self.receipts = 0
        self.interrupted = 0
        self._path = path
        self._log_key = log_key
        self._edge = RightEdge()
        self._roots = [self._edge.root()]
        self._last = b""
        self._rows: _Rows | None = None
        self._ledger = ExchangeLedger(self._entry_at)
        self._findings: list[Finding] = []

    @property
    def size(self) -> int:
        """How many entries are proven."""
        return self._edge.size

    def examine(self, receipts: Sequence[Receipt]) -> tuple[Finding, ...]:
        """Examine what is new: entries, heads, and the receipts after those given before.

        `receipts` are all of them, in the order they were handed out, taken before this call.

        Raises:
            sqlite3.Error: the log cannot be read.
        """
        with _read(self._path) as rows:
            self._rows = rows
            if self._ends_as_proven(rows) and self._take_entries(rows):
                self._meet_heads(rows)
                for number in range(self.receipts, len(receipts)):
                    self._hold(rows, number, receipts[number])
                self.receipts = len(receipts)
        self._rows = None
        # Given up only now: what was found before a log became unreadable is told the next time.
        findings, self._findings = tuple(self._findings), []
        return findings

    def _ends_as_proven(self, rows: _Rows) -> bool:
        """Whether the log still ends, or goes on, where the last examination left it."""
        if not self.size:
            return True
        stored = rows.entry_at(self.size - 1)
        if stored is None:
            self._find(EvidenceReason.LOG_TRUNCATED, "entry", self.size - 1)
        elif stored != self._last:
            self._find(EvidenceReason.ENTRY_DIFFERS, "entry", self.size - 1, "proven before")
        return stored == self._last

    def _take_entries(self, rows: _Rows) -> bool:
        """Grow the tree by what is new; False where a gap ends all that can be derived."""
        for index, body in rows.entries(self.size):
            if index != self.size:
                self._find(EvidenceReason.ENTRY_ABSENT, "entry", self.size)
                return False
            self._judge(index, body)
            self._edge.add(body)
            self._roots.append(self._edge.root())
            self._last = body
        return True

    def _judge(self, index: int, body: bytes) -> None:
        try:
            entry = parse_entry(body)
            self.interrupted += entry.members.get("state") == "INTERRUPTED"
            self._ledger.take(index, entry)
        except Malformed as cause:
            self._find(EvidenceReason.ENTRY_MALFORMED, "entry", index, cause.what)
        except EvidenceRefused as cause:
            self._find(cause.reason, "entry", index)

    def _meet_heads(self, rows: _Rows) -> None:
        """Compare each head signed since, and the newest one before, with the root derived."""
        before = self.newest.head.size if self.newest is not None else 0
        signed = -1
        for size, note in rows.heads(before):
            proven = self._prove(size, note)
            if proven is None:
                continue
            if size > self.size:
                self._find(EvidenceReason.LOG_TRUNCATED, "checkpoint", size)
                continue
            if proven.head.root_hash != self._roots[size]:
                detail = f"entries {max(signed, 0)} to {size - 1}"
                self._find(EvidenceReason.ROOT_MISMATCH, "checkpoint", size, detail)
            signed, self.newest = size, proven
        if signed < 0:
            self._find(EvidenceReason.LOG_UNSIGNED, "checkpoint", before)
        elif signed < self.size:
            self._find(EvidenceReason.ENTRY_UNSIGNED, "entry", signed)

    def _prove(self, size: int, note: bytes) -> ProvenCheckpoint | None:
        try:
            proven = verify_checkpoint(note, self._log_key)
        except Malformed as cause:
            self._find(EvidenceReason.CHECKPOINT_MALFORMED, "checkpoint", size, cause.what)
            return None
        except EvidenceRefused as cause:
            self._find(cause.reason, "checkpoint", size)
            return None
        if proven.head.size != size:
            self._find(EvidenceReason.CHECKPOINT_MISFILED, "checkpoint", size)
            return None
        return proven

    def _hold(self, rows: _Rows, number: int, receipt: Receipt) -> None:
        """Hold one receipt against the log: its head was this log's, its entry is stored."""
        try:
            head = verify_receipt(receipt, self._log_key).checkpoint.head
        except Malformed as cause:
            self._find(EvidenceReason.CHECKPOINT_MALFORMED, "receipt", number, cause.what)
            return
        except EvidenceRefused as cause:
            self._find(cause.reason, "receipt", number)
            return
        detail = f"size {head.size}"
        if head.size > self.size:
            self._find(EvidenceReason.LOG_TRUNCATED, "receipt", number, detail)
        elif head.root_hash != self._roots[head.size]:
            self._find(EvidenceReason.VIEW_FORKED, "receipt", number, detail)
        stored = rows.entry_at(receipt.index)
        if stored is None:
            self._find(EvidenceReason.ENTRY_ABSENT, "entry", receipt.index)
        elif stored != receipt.entry:
            self._find(EvidenceReason.ENTRY_DIFFERS, "entry", receipt.index, f"receipt {number}")

    def _entry_at(self, index: int) -> bytes | None:
        return None if self._rows is None else self._rows.entry_at(index)

    def _find(self, reason: EvidenceReason, place: str, number: int, detail: str = "") -> None:
        finding = Finding(reason=reason, place=place, number=number, detail=detail)
        self._findings.append(finding)


@contextmanager
def _read(path: Path) -> Iterator[_Rows]:
    """Open the log read-only, at one moment of itself."""
    location = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(location, uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield _Rows(connection=connection)
