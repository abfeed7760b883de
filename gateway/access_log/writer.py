"""The one writer: a thread that commits what queued while its last commit ran.

Knows nothing of what entries mean.
INVARIANT: a caller is told of success only after COMMIT returned; of everything else it is told
that nothing is known to be durable.
INVARIANT: a checkpoint is signed only for a tree grown from the last committed one, never at an
earlier time, never by another key than the genesis names.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.access_log.admission import admit
from gateway.access_log.checkpoint import Head, sign_head
from gateway.access_log.errors import (
    ClockBackwards,
    LogCorrupted,
    LogRefused,
)
from gateway.access_log.genesis import Genesis
from gateway.access_log.intake import Intake, Outcome, Waiting, settle
from gateway.access_log.merkle import Growth, TreeEdge, grow, leaf_hash
from gateway.access_log.note import LogSigner
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.recovery import rederive_tail
from gateway.access_log.search_index import GatheredKeys
from gateway.access_log.store_sqlite import Batch, LogStore, StoredHead
from gateway.clock import BACKWARDS_TOLERANCE_MS, Clock
from gateway.errors import Fault
from gateway.model import EntryKind, Logged

RETRY_FIRST_S = 0.05
RETRY_MAX_S = 5.0
"""Pauses between attempts to resume after a storage error: doubled up to the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeState:
    """The tree as last committed; replaced whole, so readers need no lock."""

    edge: TreeEdge
    checkpoint: bytes
    timestamp_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """The file from both sides, and whose log it is."""

    store: LogStore
    reader: LogReader
    genesis: Genesis
    signer: LogSigner


class LogWriter:
    """Owns the store; everything that writes goes through its intake."""

    __slots__ = ("_clock", "_file", "_thread", "intake", "state")

    def __init__(self, file: LogFile, intake: Intake, clock: Clock, state: TreeState) -> None:
        self._file = file
        self._clock = clock
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self.intake = intake
        self.state = state

    def start(self) -> None:
        """Begin to accept and write."""
        self._clock.raise_floor(self.state.timestamp_ms)
        self.intake.resume()
        self._thread.start()

    def close(self) -> None:
        """Write what is queued, then end."""
        self.intake.close()
        self._thread.join()

    def _run(self) -> None:
        why = "the writer ended by a fault of its own"
        try:
            while batch := self.intake.take():
                self._write(batch)
            why = self.intake.stopped or "the log is closed"
        except (LogCorrupted, LogRefused) as refused:
            why = str(refused)
        finally:
            # Whatever ended the writer, a MemoryError too, may have left the last batch untold.
            self.intake.stop(why)

    def _write(self, batch: Sequence[Waiting]) -> None:
        try:
            outcomes = self._commit(batch)
        except ClockBackwards as refused:
            settle((waiting, ClockBackwards(str(refused))) for waiting in batch)
        except (sqlite3.Error, OSError) as fault:
            self._stop(fault)
            self._recover()
        except LogRefused as refused:
            self._stop(refused)
            raise
        else:
            settle(zip(batch, outcomes, strict=True))

    def _stop(self, fault: Exception) -> None:
        why = f"the store failed ({type(fault).__name__}): nothing is known to be durable"
        self.intake.stop(why)

    def _commit(self, batch: Sequence[Waiting]) -> Sequence[Outcome]:
        now_ms = self._entry_time()
        store = self._file.store
        state = self.state
        logged: list[Logged] = []
        with store.transaction():
            admission = admit([waiting.draft for waiting in batch], store.terms, now_ms)
            refused = admission.refused
            admitted = batch
            if refused:
                admitted = [each for at, each in enumerate(batch) if at not in refused]
            if admitted:
                store.take(admission, now_ms)
                state, logged = self._add(admitted, now_ms)
        self.state = state
        self._clock.raise_floor(state.timestamp_ms)
        if not refused:
            return logged
        written = iter(logged)
        return [
            refused[position] if position in refused else next(written)
            for position in range(len(batch))
        ]

    def _add(self, batch: Sequence[Waiting], now_ms: int) -> tuple[TreeState, list[Logged]]:
        first = self.state.edge.size
        timestamp = b"%d" % now_ms
        leaves = [waiting.prepared.at(timestamp) for waiting in batch]
        growth = grow(self.state.edge, [leaf_hash(leaf) for leaf in leaves])
        state = self._sign(growth, now_ms)
        self._file.store.add(_batch(batch, leaves, growth, state, self._file.store.keys))
        return state, [
            Logged(
                index=index,
                entry=leaf,
                proof=proof,
                checkpoint=state.checkpoint,
                salted=waiting.prepared.salted,
            )
            for index, (waiting, leaf, proof) in enumerate(
                zip(batch, leaves, growth.proofs, strict=True), first
            )
        ]

    def _entry_time(self) -> int:
        """Return the time of the next entries: never before the newest entry.

        Raises:
            ClockBackwards: the clock lies further back than may be smoothed over.
        """
        newest = self.state.timestamp_ms
        try:
            now_ms = self._clock.now_ms()
        except Fault as fault:
            raise ClockBackwards("the clock went back") from fault
        if newest - now_ms > BACKWARDS_TOLERANCE_MS:
            raise ClockBackwards("the clock went back")
        return max(now_ms, newest)

    def _sign(self, growth: Growth, now_ms: int) -> TreeState:
        """Sign the grown tree.

        Raises:
            LogRefused: it is no larger than the last signed one, time went back, or the signer's
                key is no longer the one of the genesis.
        """
        file, size = self._file, growth.edge.size
        grown = size > self.state.edge.size and now_ms >= self.state.timestamp_ms
        if not grown or file.signer.public_key != file.genesis.public_key:
            raise LogRefused("this tree must not be signed")
        head = Head(size=size, root=growth.edge.root())
        checkpoint = sign_head(file.genesis.origin, head, file.signer)
        return TreeState(edge=growth.edge, checkpoint=checkpoint, timestamp_ms=now_ms)

    def _recover(self) -> None:
        """Start again from what the file holds; try until it can be read.

        Raises:
            LogCorrupted: what it holds contradicts what was signed.
            LogRefused: the file or its key is another's, or a PRAGMA is no longer taken.
        """
        pause_s = RETRY_FIRST_S
        while not self.intake.closing:
            try:
                self._file.store.reopen()
                self.state = load_state(self._file)
            except (sqlite3.Error, OSError):
                self.intake.pause(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)
            else:
                self.intake.resume()
                return


def load_state(file: LogFile) -> TreeState:
    """Return the committed tree, re-derived from the end of the file and compared.

    Raises:
        LogCorrupted: the end of the file contradicts the signed head.
        LogRefused: there is no head, or it is another log's.
        sqlite3.Error: the file cannot be read.
    """
    head = file.reader.head()
    if head is None:
        raise LogRefused("the file has no head")
    edge = rederive_tail(file.reader, file.genesis, head)
    return TreeState(edge=edge, checkpoint=head.checkpoint, timestamp_ms=head.timestamp_ms)


def _batch(
    batch: Sequence[Waiting],
    leaves: Sequence[bytes],
    growth: Growth,
    state: TreeState,
    keys: GatheredKeys,
) -> Batch:
    first = growth.edge.size - len(batch)
    timestamp_ms = state.timestamp_ms
    head = StoredHead(
        size=growth.edge.size,
        timestamp_ms=timestamp_ms,
        edge=b"".join(growth.edge.nodes),
        checkpoint=state.checkpoint,
    )
    stored = Batch(first=first, head=head, tiles=growth.tiles)
    entries, side = stored.entries, stored.side
    for index, (waiting, leaf) in enumerate(zip(batch, leaves, strict=True), first):
        draft = waiting.draft
        search, kind, ask = draft.search, draft.kind, None
        if kind is EntryKind.ASK:
            stored.opened.append(index)
        elif kind is EntryKind.ANSWER and isinstance(named := draft.members["ask"], int):
            ask = named
            stored.closed.append(named)
        keys.gather(index, kind, search, ask)
        entries += (index, leaf)
        side += (
            index,
            kind.value,
            timestamp_ms,
            search.request_id,
            search.item,
            search.org,
            search.system,
            search.subject,
            search.officer,
            search.case,
            ask,
            waiting.prepared.kept_openings,
        )
    return stored
