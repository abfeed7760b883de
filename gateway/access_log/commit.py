"""Commits one batch: admits it, grows the tree, signs it, stores all of it or nothing.

Knows nothing of who waits or of where it runs: in the gateway's process (`writer`) or in one of its
own (`gateway.log_process`). Entries come as plain tuples, which `marshal` writes.
INVARIANT: a checkpoint is signed only for a tree grown from the last committed one, never at an
earlier time, never by another key than the genesis names.
INVARIANT: after a storage error the file must hold everything that was ever told of.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.access_log.admission import admit
from gateway.access_log.checkpoint import Head, sign_head
from gateway.access_log.entry import PreparedEntry
from gateway.access_log.errors import AccessLogError, ClockBackwards, LogCorrupted, LogRefused
from gateway.access_log.genesis import Genesis
from gateway.access_log.merkle import Growth, TreeEdge, grow, leaf_hash
from gateway.access_log.note import LogSigner
from gateway.access_log.proof import Proof, tree_root
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.recovery import StoredTiles, rederive_tail
from gateway.access_log.rows import EntryRow
from gateway.access_log.store_sqlite import Batch, LogStore, StoredHead
from gateway.clock import BACKWARDS_TOLERANCE_MS
from gateway.model import EntryDraft, EntryKind

RETRY_FIRST_S: Final = 0.05
RETRY_MAX_S: Final = 5.0
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


class Committed(NamedTuple):
    """What became of a batch."""

    state: TreeState
    proofs: Sequence[Proof]
    """Of each admitted entry, in the order of the batch; the last is the newest of the tree."""
    refused: Mapping[int, AccessLogError]
    """By position in the batch."""


class Committer:
    """The one who writes; used by one thread at a time."""

    __slots__ = ("_file", "state")

    def __init__(self, file: LogFile, state: TreeState) -> None:
        self._file = file
        self.state = state

    def close(self) -> None:
        """Close the file from both sides and let another process have it."""
        self._file.reader.close()
        self._file.store.close()

    def commit(self, rows: Sequence[EntryRow], now_ms: int) -> Committed:
        """Return once the batch is durable.

        Raises:
            ClockBackwards: `now_ms` lies further back than may be smoothed over.
            LogRefused: somebody else moved the head, or the key is another.
            sqlite3.Error: not known to be durable; `recover` first.
            OSError: the same.
        """
        newest = self.state.timestamp_ms
        if newest - now_ms > BACKWARDS_TOLERANCE_MS:
            raise ClockBackwards
        now_ms = max(now_ms, newest)
        store, state = self._file.store, self.state
        proofs: Sequence[Proof] = ()
        with store.transaction():
            admission = admit(rows, store.terms, now_ms)
            refused = admission.refused
            admitted = rows
            if refused:
                admitted = [row for at, row in enumerate(rows) if at not in refused]
            if admitted:
                store.take(admission, now_ms)
                state, proofs = self._add(admitted, now_ms)
        self.state = state
        return Committed(state, proofs, refused)

    def recover(self, pause: Callable[[float], bool]) -> bool:
        """Start again from what the file holds; try until it can be read, or `pause` says to stop.

        Raises:
            LogCorrupted: what it holds contradicts what was signed.
            LogRefused: the file or its key is another's, or a PRAGMA is no longer taken.
        """
        pause_s, stopping = RETRY_FIRST_S, False
        while not stopping:
            try:
                self._file.store.reopen()
                self.state = load_state(self._file, self.state)
            except (sqlite3.Error, OSError):
                stopping = pause(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)
            else:
                return True
        return False

    def _add(self, rows: Sequence[EntryRow], now_ms: int) -> tuple[TreeState, Sequence[Proof]]:
        timestamp = b"%d" % now_ms
        leaves = [row[1] + timestamp + row[2] for row in rows]
        growth = grow(self.state.edge, [leaf_hash(leaf) for leaf in leaves])
        state = self._sign(growth, now_ms)
        store = self._file.store
        store.add(_batch(rows, leaves, growth, state))
        store.keys.gather(self.state.edge.size, rows)
        return state, growth.proofs

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


def load_state(file: LogFile, known: TreeState | None = None) -> TreeState:
    """Return the committed tree, re-derived from the end of the file and compared.

    `known` is the tree that was told of before.

    Raises:
        LogCorrupted: the end of the file contradicts the signed head, or the file no longer holds
            the tree that was told of.
        LogRefused: there is no head, or it is another log's.
        sqlite3.Error: the file cannot be read.
    """
    head = file.reader.head()
    if head is None:
        raise LogRefused("the file has no head")
    edge = rederive_tail(file.reader, file.genesis, head)
    if known is not None and known.edge.size:
        _require_grown_from(known.edge, StoredTiles(file.reader, edge))
    return TreeState(edge=edge, checkpoint=head.checkpoint, timestamp_ms=head.timestamp_ms)


def _require_grown_from(known: TreeEdge, tiles: StoredTiles) -> None:
    # A disk that took back what it had called synced would let us sign a second history.
    size = tiles.edge.size
    if size < known.size:
        raise LogCorrupted("the file lost what was durable", first=size, last=known.size - 1)
    if tree_root(tiles, known.size) != known.root():
        raise LogCorrupted("the file holds another history", first=0, last=known.size - 1)


def storage_failed(kind: str) -> str:
    """Say that the store failed, by the name of the error."""
    return f"the store failed ({kind}): nothing is known to be durable"


def entry_row(draft: EntryDraft, prepared: PreparedEntry) -> EntryRow:
    """Return what the writer has to know of an entry."""
    kind, search, ask = draft.kind, draft.search, None
    if kind is EntryKind.ANSWER and isinstance(named := draft.members["ask"], int):
        ask = named
    return (
        kind.value,
        prepared.head,
        prepared.tail,
        prepared.kept_openings,
        search.request_id,
        search.item,
        search.org,
        search.system,
        search.subject,
        search.officer,
        search.case,
        ask,
        tuple([(each.space, each.key, each.value, each.expires_ms) for each in draft.claims]),
        tuple([(each.counter, each.period, each.cost, each.limit) for each in draft.charges]),
    )


def _batch(
    rows: Sequence[EntryRow], leaves: Sequence[bytes], growth: Growth, state: TreeState
) -> Batch:
    first = growth.edge.size - len(rows)
    timestamp_ms = state.timestamp_ms
    head = StoredHead(
        size=growth.edge.size,
        timestamp_ms=timestamp_ms,
        edge=b"".join(growth.edge.nodes),
        checkpoint=state.checkpoint,
    )
    stored = Batch(first=first, head=head, tiles=growth.tiles)
    entries, side = stored.entries, stored.side
    for index, (row, leaf) in enumerate(zip(rows, leaves, strict=True), first):
        kind, _, _, openings, request_id, item, org, system, subject, officer, case, ask, *_ = row
        if kind == EntryKind.ASK:
            stored.opened.append(index)
        if ask is not None:
            stored.closed.append(ask)
        entries += (index, bytearray(leaf))
        side += (
            index,
            kind,
            timestamp_ms,
            request_id and bytearray(request_id),
            item,
            org,
            system,
            subject and bytearray(subject),
            officer and bytearray(officer),
            case and bytearray(case),
            ask,
            bytearray(openings),
        )
    return stored
