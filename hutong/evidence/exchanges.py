"""The ledger of asks and answers: every answer closes one ask of the same exchange.

Knows entries in the order of the log; knows no tree, no signature and no file.

INVARIANT: holds only the asks that nothing has closed yet, so its size is bounded by what is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hutong.evidence.entry import (
    EXCHANGE_KINDS,
    OTHER_KINDS,
    Entry,
    Exchange,
    parse_ask_index,
    parse_entry,
    parse_exchange,
)
from hutong.evidence.reasons import EvidenceReason, EvidenceRefused, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """An ask that no later entry closes: interrupted, or still under way."""

    index: int
    request_id: str
    item: int
    time_ms: int


class ExchangeLedger:
    """Follows the entries of a log and judges each against what stands before it."""

    __slots__ = ("_entry_at", "_open", "_time_ms", "kinds")

    def __init__(self, entry_at: Callable[[int], bytes | None]) -> None:
        """Takes what reads one earlier entry again; used only where something is wrong."""
        self.kinds: dict[str, int] = {}
        self._entry_at = entry_at
        self._open: dict[int, tuple[Exchange, int]] = {}
        self._time_ms = 0

    def take(self, index: int, entry: Entry) -> None:
        """Judges the next entry.

        Raises:
            Malformed: a member the exchange rests on has another form.
            EvidenceRefused: TIME_BACKWARDS, ASK_ABSENT, ASK_DIFFERS, ANSWER_REPEATED, KIND_UNKNOWN.
        """
        self.kinds[entry.kind] = self.kinds.get(entry.kind, 0) + 1
        # The greatest time seen rules, so that one entry set back does not excuse the next.
        before, self._time_ms = self._time_ms, max(self._time_ms, entry.time_ms)
        if entry.kind in EXCHANGE_KINDS:
            self._take_exchange(index, entry)
        elif entry.kind not in OTHER_KINDS:
            raise EvidenceRefused(EvidenceReason.KIND_UNKNOWN)
        # Judged last: the ask is already in the ledger, or its honest answer would be accused as
        # well.
        if entry.time_ms < before:
            raise EvidenceRefused(EvidenceReason.TIME_BACKWARDS)

    def unanswered(self) -> tuple[Unanswered, ...]:
        """Returns the asks that are still open, oldest first."""
        return tuple(
            Unanswered(
                index=index,
                request_id=exchange.request_id.hex() if exchange.request_id else "",
                item=exchange.item,
                time_ms=time_ms,
            )
            for index, (exchange, time_ms) in self._open.items()
        )

    def _take_exchange(self, index: int, entry: Entry) -> None:
        exchange = parse_exchange(entry)
        if entry.kind == "ask":
            if exchange.request_id is None or exchange.request is None:
                raise Malformed("ask names no exchange")
            self._open[index] = (exchange, entry.time_ms)
            return
        asked = parse_ask_index(entry)
        # A refusal at an early step closes nothing: no ask was written for it.
        if asked is None:
            return
        found = self._open.get(asked)
        if found is None:
            raise EvidenceRefused(self._reason_of_closed(asked, index))
        # Same index is not enough: a log could close one ask with the answer of another.
        if found[0] != exchange:
            raise EvidenceRefused(EvidenceReason.ASK_DIFFERS)
        del self._open[asked]

    def _reason_of_closed(self, asked: int, index: int) -> EvidenceReason:
        # Closed asks are forgotten, which keeps memory small; only an accusation pays for reading
        # again. An ask stands before what closes it, so an index ahead is never looked up.
        raw = self._entry_at(asked) if asked < index else None
        try:
            closed = raw is not None and parse_entry(raw).kind == "ask"
        except Malformed:
            closed = False
        return EvidenceReason.ANSWER_REPEATED if closed else EvidenceReason.ASK_ABSENT
