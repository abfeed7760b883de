"""The access log as the gateway sees it: append and wait until durable, look only after logging it.

Knows nothing of what is exchanged. The order of every call is: prove nothing, release nothing, ask
nobody before `append` has returned.
INVARIANT: entries are read only under an entry that records the look (`view`, or the look's own).
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.access_log.admission import require_terms
from gateway.access_log.apart import WriterApart
from gateway.access_log.checkpoint import Head, sign_head
from gateway.access_log.commit import Committer, LogFile, TreeState, load_state
from gateway.access_log.entry import parse_openings, prepare_entry
from gateway.access_log.errors import NotLogged
from gateway.access_log.genesis import Genesis
from gateway.access_log.intake import Intake, QueueLimits, Waiting
from gateway.access_log.lock import FileLock
from gateway.access_log.merkle import EMPTY_ROOT
from gateway.access_log.note import LogSigner, require_key_name
from gateway.access_log.proof import (
    Proof,
    consistency_proof,
    inclusion_proof,
    require_size,
    stored_leaf_hash,
)
from gateway.access_log.protocol import Begin
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.recovery import Progress, StoredTiles, rederive_all
from gateway.access_log.search import Found, Look, Query, ViewPermit, find_entries, view_draft
from gateway.access_log.store_sqlite import LogStore, StoredEntry, StoredHead
from gateway.access_log.writer import LogWriter
from gateway.clock import Clock
from gateway.model import Claim, EntryDraft, EntryKind, Logged, SearchColumns


def _silent(_derived: int, _size: int) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What may be set; the defaults are safe."""

    limits: QueueLimits = field(default_factory=QueueLimits)
    examine_all: bool = True
    """Re-derive the tree from every entry at start (about 2 s a million), not from its end."""
    progress: Progress = _silent
    apart: Begin | None = None
    """What the process is told that writes, from `start` on; None: a thread writes here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAsk:
    """An `ask` that no `answer` names: the exchange closes it as interrupted at start."""

    index: int
    entry: bytes = field(repr=False)
    search: SearchColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHealth:
    """What operators see of the log."""

    size: int
    queued: int
    stopped: str | None
    """Why nothing is accepted; None while all is well."""


class AccessLog:
    """One log in one file; made by `open`, used from any event loop, ended by `close`."""

    __slots__ = ("_lock", "_node", "_reader", "_writer")

    def __init__(
        self, lock: FileLock, reader: LogReader, writer: LogWriter | WriterApart, node: str
    ) -> None:
        self._lock = lock
        self._reader = reader
        self._writer = writer
        self._node = node

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        origin: str,
        signer: LogSigner,
        clock: Clock,
        node: str,
        options: LogOptions | None = None,
    ) -> "AccessLog":
        """Open or make the log, compare what it holds with what was signed, and begin to write.

        Raises:
            LogRefused: another process writes, or origin, key or format are not this file's.
            LogCorrupted: the entries do not yield the signed tree; names where.
            sqlite3.Error: the file cannot be read or written.
            OSError: the same.
        """
        chosen = options or LogOptions()
        genesis = Genesis(origin=require_key_name(origin), public_key=signer.public_key)
        with contextlib.ExitStack() as undo:
            lock = FileLock(path.with_name(path.name + ".lock"), patience_s=0)
            undo.callback(lock.release)
            store = LogStore.open(path, genesis)
            undo.callback(store.close)
            reader = LogReader(path)
            undo.callback(reader.close)
            file = LogFile(store=store, reader=reader, genesis=genesis, signer=signer)
            state = _open_state(file, chosen)
            writer = _build_writer(file, state, clock, chosen)
            undo.pop_all()
        return cls(lock, reader, writer, node)

    async def start(self) -> None:
        """Start the process that writes, where one is to; a thread has begun with `open`.

        Raises:
            LogRefused: the file is not ours to write, or contradicts itself.
            LogUnavailable: no process could be started, or it cannot read the file.
        """
        if isinstance(self._writer, WriterApart):
            await self._writer.start()

    async def stop(self) -> None:
        """Write what is queued and close the file, without blocking the loop."""
        if isinstance(self._writer, WriterApart):
            # First, so that the process is the last to close the file, and leaves it in one piece.
            self._reader.close()
            await self._writer.stop()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Write what is queued and close the file; a process that writes is ended by `stop`.

        Blocks for one commit.
        """
        self._writer.close()
        self._reader.close()
        self._lock.release()

    @property
    def process_id(self) -> int | None:
        """The process that writes, while one of its own does."""
        return self._writer.process_id if isinstance(self._writer, WriterApart) else None

    async def append(self, draft: EntryDraft) -> Logged:
        """Return the entry once it is durable, with its proof and checkpoint.

        Raises:
            LogUnavailable: not known to be durable: do not act, do not release.
            ClaimTaken: a claim is held; nothing was written.
            ChargeRefused: a counter would exceed its limit; nothing was written.
            EntryMalformed: the draft breaks the table of its kind.
        """
        return await self.begin(draft)

    def begin(self, draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Queue an entry and return what becomes of it: done once durable, or failed as `append`.

        Cancelled before the writer takes it, it is not written; later, nobody is told of it.

        Raises:
            LogUnavailable: not queued: nothing is accepted now.
            EntryMalformed: the draft breaks the table of its kind.
        """
        require_terms(draft)
        prepared = prepare_entry(draft, self._node)
        future: asyncio.Future[Logged] = asyncio.get_running_loop().create_future()
        self._writer.intake.put(Waiting(draft, prepared, future, time.monotonic()))
        return future

    async def tick(self) -> Logged:
        """Append a sign of life, so that a cut tail shows also where nobody asked.

        Raises:
            LogUnavailable: not known to be durable.
        """
        members = {"queue": len(self._writer.intake), "size": self.size}
        return await self.append(EntryDraft(kind=EntryKind.TICK, members=members))

    async def view(self, look: Look, query: Query) -> ViewPermit:
        """Log a look at entries and return the permit for exactly this one.

        Raises:
            LogUnavailable: the look could not be logged, so it does not happen.
        """
        logged = await self.append(view_draft(look, query))
        return ViewPermit(logged=logged, query=query)

    async def search(self, permit: ViewPermit) -> tuple[Found, ...]:
        """Return what a permit allows to see, newest first.

        Raises:
            NotLogged: the permit was used before, or names no `view` of this query in this log.
        """
        return await asyncio.to_thread(find_entries, self._reader, permit)

    async def load_receipts(
        self, request_id: bytes, item: int, *, under: Logged, system: str
    ) -> tuple[Logged, ...]:
        """Return a system's entries of one exchange, proven under the newest checkpoint.

        At most 64, oldest first, asks and answers before refusals. Openings of detached members are
        not there: the parties hold them.

        Raises:
            NotLogged: `under`, the entry of this very look, is not in the log.
        """
        return await asyncio.to_thread(self._load_receipts, request_id, item, under, system)

    def _load_receipts(
        self, request_id: bytes, item: int, under: Logged, system: str
    ) -> tuple[Logged, ...]:
        reader = self._reader
        if reader.entries(under.index, 1) != [(under.index, under.entry)]:
            raise NotLogged("a look must be logged before it happens")
        state = self._writer.state
        tiles = StoredTiles(reader, state.edge)
        return tuple(
            _receipt(stored, tiles, state)
            for stored in reader.of_request(request_id, item, system)
            if stored.index < state.edge.size
        )

    def inclusion_proof(self, index: int, size: int) -> Proof:
        """Prove a leaf in the tree of a size up to the newest (RFC 6962 2.1.1).

        Raises:
            OutOfRange: no such leaf or no such size.
        """
        state = self._writer.state
        require_size(size, state.edge.size)
        return inclusion_proof(StoredTiles(self._reader, state.edge), index, size)

    def consistency_proof(self, first: int, second: int) -> Proof:
        """Prove that the tree only grew between two sizes (RFC 6962 2.1.2).

        Raises:
            OutOfRange: not 1 <= first <= second <= newest.
        """
        state = self._writer.state
        require_size(second, state.edge.size)
        return consistency_proof(StoredTiles(self._reader, state.edge), first, second)

    def leaf_hash(self, index: int) -> bytes:
        """Return the hash of a leaf.

        Raises:
            OutOfRange: no such leaf.
        """
        state = self._writer.state
        require_size(index + 1, state.edge.size)
        return stored_leaf_hash(StoredTiles(self._reader, state.edge), index)

    @property
    def checkpoint(self) -> bytes:
        """The newest checkpoint: a C2SP signed note."""
        return self._writer.state.checkpoint

    @property
    def size(self) -> int:
        """How many entries are durable."""
        return self._writer.state.edge.size

    def health(self) -> LogHealth:
        """Return how the log fares."""
        intake = self._writer.intake
        return LogHealth(size=self.size, queued=len(intake), stopped=intake.stopped)

    def open_asks(self) -> tuple[OpenAsk, ...]:
        """Return asks without answer; meant for the start, before the first new `ask`."""
        return tuple(
            OpenAsk(index=stored.index, entry=stored.entry, search=stored.search)
            for stored in self._reader.open_asks()
        )

    def live_claims(self, space: str, now_ms: int) -> Sequence[Claim]:
        """Return the claims of a space that have not expired."""
        return self._reader.live_claims(space, now_ms)

    def used(self, counter: bytes, period: str) -> int:
        """Return what a calendar counter holds."""
        return self._reader.used(counter, period)


def _build_writer(
    file: LogFile, state: TreeState, clock: Clock, options: LogOptions
) -> LogWriter | WriterApart:
    path = file.store.path
    if options.apart is None:
        intake = Intake(options.limits, path.absolute().parent)
        return LogWriter(Committer(file, state), intake, clock)
    file.store.close()
    return WriterApart(options.apart, state, clock, options.limits)


def _open_state(file: LogFile, options: LogOptions) -> TreeState:
    head = file.reader.head()
    if head is None:
        empty = Head(size=0, root=EMPTY_ROOT)
        checkpoint = sign_head(file.genesis.origin, empty, file.signer)
        head = StoredHead(size=0, timestamp_ms=0, edge=b"", checkpoint=checkpoint)
        file.store.found_head(head)
    if options.examine_all:
        rederive_all(file.reader, file.genesis, head, options.progress)
    return load_state(file)


def _receipt(stored: StoredEntry, tiles: StoredTiles, state: TreeState) -> Logged:
    return Logged(
        index=stored.index,
        entry=stored.entry,
        proof=inclusion_proof(tiles, stored.index, state.edge.size),
        checkpoint=state.checkpoint,
        salted=parse_openings(stored.openings),
    )
