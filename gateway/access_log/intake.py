"""The bounded queue before the one writer, and the way back to those who wait.

Knows nothing of entries but their kind. The writer takes what queued while it was busy; where the
event loop is busy too, it gathers for some turns of the loop, so that one commit serves many.
INVARIANT: whoever waits is told exactly once, also when the writer stops.
"""

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gateway.access_log.entry import PreparedEntry
from gateway.access_log.errors import AccessLogError, LogUnavailable
from gateway.model import EntryDraft, EntryKind, Logged

DISK_ASKED_EVERY_S = 1.0
"""How often the free space is read."""

GATHER_TURNS = 8
"""For how many turns of the loop entries gather: with a loop at rest, for no time at all."""
GATHER_S = 0.016
"""How long at most. A loop whose turns take 2 ms lets each call wait ten times as long anyway."""
GATHER_LEAST_S = 0.001
"""Shorter waits gather nothing and cost a timer."""
GATHER_ENOUGH = 32
"""Entries that wait for no more: among them the cost of a commit is the smaller part."""
HALVED_ABOVE = 64
"""Of more than these, half is left for a second batch: one is committed while one is prepared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """How much may wait, and how long, before the log says no (the fail-closed rule)."""

    entries: int = 4_096
    age_s: float = 2.0
    batch: int = 1_024
    """Entries of one commit at most, so that no commit takes much longer than the others."""
    reserve_share: float = 0.10
    reserve_bytes: int = 2 << 30
    """Free disk below both, share and bytes, stops the log while ticks still fit."""


Outcome = Logged | AccessLogError
_Told = tuple[asyncio.Future[Logged], Outcome]


class Waiting(NamedTuple):
    """A draft in the queue and who waits for it."""

    draft: EntryDraft
    prepared: PreparedEntry
    future: asyncio.Future[Logged]
    queued_at: float


class Intake:
    """Where drafts wait; stopped until the writer first resumes it."""

    __slots__ = (
        "_announced",
        "_closing",
        "_directory",
        "_disk_asked_at",
        "_disk_low",
        "_idle",
        "_limits",
        "_lock",
        "_queue",
        "_ready",
        "_stopped",
        "_taken",
        "_wake",
    )

    def __init__(
        self, limits: QueueLimits, directory: Path, ready: Callable[[], None] | None = None
    ) -> None:
        """`ready` is called on the loop when a batch is worth taking; a thread waits instead."""
        self._limits = limits
        self._directory = directory
        self._queue: deque[Waiting] = deque()
        self._taken: deque[tuple[float, list[Waiting]]] = deque()
        self._ready = ready
        # A plain lock: it is taken by every draft, and a condition takes longer.
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._idle = False
        self._announced: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._stopped: str | None = "the log has not started"
        self._disk_asked_at = float("-inf")
        self._disk_low = False

    @property
    def stopped(self) -> str | None:
        """Why nothing is accepted; None while drafts are accepted."""
        return self._stopped

    @property
    def closing(self) -> bool:
        """Whether the log is being closed."""
        return self._closing

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, waiting: Waiting) -> None:
        """Queue a draft.

        Raises:
            LogUnavailable: stopped, the queue is full or too old, or the disk is at its reserve or
                does not say.
        """
        self._require_disk(waiting)
        with self._lock:
            if self._stopped is not None or self._closing:
                raise LogUnavailable(self._stopped or "the log is closing")
            if len(self._queue) >= self._limits.entries or self._is_overdue(waiting.queued_at):
                raise LogUnavailable("too much waits to be written")
            self._queue.append(waiting)
            if self._idle and self._announced is not (loop := waiting.future.get_loop()):
                # After the callers that are ready now: they share the commit, and the writer does
                # not fight the loop for the interpreter lock.
                self._announced = loop
                loop.call_soon(self._announce, loop, waiting.queued_at)

    def take(self) -> list[Waiting]:
        """Wait for drafts and return those still wanted; none once closed and empty."""
        while True:
            with self._wake:
                self._taken.clear()
                self._await_announcement()
                batch = self._take_some(len(self._queue))
            if not batch:
                return batch
            if wanted := self._wanted(batch):
                return wanted

    def take_now(self, *, more: bool) -> list[Waiting]:
        """Return drafts that are still wanted, without waiting; none where none are queued.

        Half of what waits is left for another batch, where that is worth a commit; `more` says
        whether there will be room for one before these are told.
        """
        while True:
            with self._lock:
                batch = self._take_some(max(HALVED_ABOVE, len(self._queue) // 2))
                self._idle = more or not batch
                wanted = self._wanted(batch)
                since, _ = self._taken[-1]
                self._taken[-1] = (since, wanted)
                if not wanted:
                    self._taken.pop()
            if wanted or not batch:
                return wanted

    def told(self, batch: list[Waiting]) -> None:
        """Note that those of a batch that was taken have been told."""
        with self._lock:
            self._taken = deque(each for each in self._taken if each[1] is not batch)

    def taken_for_s(self) -> float:
        """Return how long the oldest batch has been under way; none: zero."""
        taken = self._taken
        return time.monotonic() - taken[0][0] if taken else 0.0

    def expect(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let a loop say when what is queued is worth taking: there is room for a batch."""
        with self._lock:
            self._idle = True
            if self._queue and self._announced is None:
                # Those whom the last batch answered may be about to append as well.
                self._announced = loop
                loop.call_soon(self._announce, loop, time.monotonic())

    def stop(self, why: str) -> None:
        """Accept nothing more and tell all who wait, in the queue or for what was taken last.

        Whoever was told already stays with what was said first.
        """
        with self._wake:
            self._stopped = why
            taken = [waiting for _, batch in self._taken for waiting in batch]
            waiting = [*taken, *self._queue]
            self._taken.clear()
            self._queue.clear()
        fail(waiting, why)

    def resume(self) -> None:
        """Accept drafts again."""
        with self._wake:
            self._stopped = None

    def close(self) -> None:
        """Accept nothing more; what is queued is still written."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()

    def pause(self, seconds: float) -> bool:
        """Wait, or less when the log is closed meanwhile; return whether it is."""
        with self._wake:
            return self._wake.wait_for(lambda: self._closing, seconds)

    def _take_some(self, most: int) -> list[Waiting]:
        batch: list[Waiting] = []
        # Every draft is in the queue or in what was taken, also when memory runs out here: `stop`
        # tells both.
        self._taken.append((time.monotonic(), batch))
        for _ in range(min(len(self._queue), most, self._limits.batch)):
            batch.append(self._queue[0])
            self._queue.popleft()
        return batch

    def _await_announcement(self) -> None:
        """Wait until something is queued and a loop has brought what it had to bring."""
        self._idle = True
        if self._queue and not self._closing:
            # Queued during the commit; those whom it answered may be about to append as well.
            loop = self._queue[0].future.get_loop()
            try:
                loop.call_soon_threadsafe(self._announce, loop, time.monotonic())
                self._announced = loop
            except RuntimeError:
                # That loop is closed: nobody waits there, and it brings nothing more.
                self._announced = None
        while not self._closing and (not self._queue or self._announced is not None):
            patience = self._limits.age_s / 4
            self._wake.wait(patience)
            if self._queue and time.monotonic() - self._queue[0].queued_at > patience:
                # Its loop was closed or hangs. Left here, what it queued would grow too old, and
                # `put` would refuse everybody else for good.
                break
        self._idle = False
        self._announced = None

    def _announce(self, loop: asyncio.AbstractEventLoop, since: float) -> None:
        """Wake the writer, later where a turn of this loop takes long: then more will come."""
        patience = min(GATHER_TURNS * (time.monotonic() - since), GATHER_S)
        if patience < GATHER_LEAST_S or len(self._queue) >= GATHER_ENOUGH:
            self._rouse(loop)
        else:
            loop.call_later(patience, self._rouse, loop)

    def _rouse(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._wake:
            if self._announced is not loop:
                return  # another loop has announced since: it rouses the writer for all
            self._announced = None
            self._wake.notify()
        if self._ready is not None:
            self._ready()

    def _is_overdue(self, now: float) -> bool:
        since = self._queue[0].queued_at if self._queue else now
        if self._taken:
            since = min(since, self._taken[0][0])
        return now - since > self._limits.age_s

    def _require_disk(self, waiting: Waiting) -> None:
        if waiting.queued_at - self._disk_asked_at >= DISK_ASKED_EVERY_S:
            try:
                disk = os.statvfs(self._directory)
            except OSError as fault:
                # Asked again by the next draft: an old answer must not let it pass.
                raise LogUnavailable("the free space cannot be read") from fault
            self._disk_asked_at = waiting.queued_at
            share = int(self._limits.reserve_share * disk.f_blocks * disk.f_frsize)
            reserve = min(share, self._limits.reserve_bytes)
            self._disk_low = disk.f_bavail * disk.f_frsize < reserve
        if self._disk_low and waiting.draft.kind not in {EntryKind.TICK, EntryKind.ADMIN}:
            raise LogUnavailable("the disk is at its reserve")

    def _wanted(self, batch: Sequence[Waiting]) -> list[Waiting]:
        oldest = time.monotonic() - self._limits.age_s
        fail([each for each in batch if each.queued_at < oldest], "waited too long to be written")
        return [each for each in batch if each.queued_at >= oldest and not each.future.cancelled()]


def fail(waiting: Sequence[Waiting], why: str) -> None:
    """Tell all that nothing is known to be durable."""
    settle((each, LogUnavailable(why)) for each in waiting)


def settle(outcomes: Iterable[tuple[Waiting, Outcome]]) -> None:
    """Tell all who wait, with one wake-up per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Told]] = {}
    for waiting, outcome in outcomes:
        by_loop.setdefault(waiting.future.get_loop(), []).append((waiting.future, outcome))
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell, settled)
        except RuntimeError:
            # The loop is closed: nobody waits there any more.
            continue


def _tell(settled: Sequence[_Told]) -> None:
    for future, outcome in settled:
        if future.done():
            continue
        if isinstance(outcome, Logged):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
