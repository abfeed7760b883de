"""The log's writer in a process of its own: sends it what queued, tells those who wait.

Knows nothing of what entries mean. Two batches are under way at a time: one is being committed
while the next lies in the socket and those whom the last answered prepare theirs.
INVARIANT: a caller is told of success only after the process said so, which it says after COMMIT
returned. When it is lost, all who wait are told that nothing is known to be durable, and nothing is
accepted until another process has compared the file with the tree that was told of last.
"""

import asyncio
import contextlib
import time
from collections import deque
from pathlib import Path
from typing import Final

import structlog
from typing_extensions import override

from gateway.access_log.commit import TreeState, entry_row
from gateway.access_log.errors import ClockBackwards, LogRefused, LogUnavailable
from gateway.access_log.intake import Intake, QueueLimits, Waiting, settle
from gateway.access_log.protocol import (
    MODULE,
    Batch,
    Begin,
    BeginRow,
    Report,
    Said,
    begin_row,
    build_committed,
    build_state,
)
from gateway.access_log.writer import CLOSED, outcomes, read_time
from gateway.child import Process, end_wholly, launch
from gateway.clock import Clock
from gateway.frames import FrameReader, encode_frame

UNDER_WAY: Final = 2
"""Batches sent and not yet told of."""
START_S: Final = 60.0
"""How long a process may take to begin: it opens the key and re-derives the newest entries."""
WATCH_S: Final = 1.0
STUCK_S: Final = 15.0
"""A commit takes a millisecond, on a bad disk a second: one that lies this long lies for ever."""
RECOVER_S: Final = 60.0
"""How long a process may try to resume after failed storage, before another one tries."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
LOST: Final = "the process that writes the log was lost: nothing is known to be durable"

_log: Final = structlog.get_logger("log")


class WriterApart:
    """Sends batches to the process that writes, and starts another one when it is lost."""

    def __init__(self, begin: Begin, state: TreeState, clock: Clock, limits: QueueLimits) -> None:
        self._begin = begin
        self._clock = clock
        self._peer: _Peer | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.intake = Intake(limits, Path(begin.database).absolute().parent, self._rouse)
        self.state = state
        clock.raise_floor(state.timestamp_ms)

    @property
    def process_id(self) -> int | None:
        """The process that writes, while one does."""
        return None if self._peer is None else self._peer.process_id

    async def start(self) -> None:
        """Start the process and return when it has the file.

        Raises:
            LogRefused: the file is not ours to write, or contradicts itself.
            LogUnavailable: no process could be started, or it cannot read the file.
        """
        self._loop = asyncio.get_running_loop()
        self._keeping = asyncio.create_task(self._keep(await self._connect()))
        self._keeping.add_done_callback(_say_how)

    async def stop(self) -> None:
        """Write what is queued and end the process."""
        self.intake.close()
        if self._keeping is None:
            return
        if (peer := self._peer) is not None:
            self._go_on(peer)
            await peer.drained.wait()
            peer.why = CLOSED
        self._keeping.cancel()
        # However it ended, the gateway goes on to end.
        await asyncio.gather(self._keeping, return_exceptions=True)
        self._keeping = None

    def close(self) -> None:
        """Accept nothing more; whoever was not told by `stop` is told now."""
        self.intake.stop(self.intake.stopped or CLOSED)

    def hear(self, peer: "_Peer", report: Report) -> None:
        """Take what the process says."""
        said, state_row, proofs, refused, why, for_good = report
        if state_row is not None:
            self.state = build_state(state_row)
            self._clock.raise_floor(self.state.timestamp_ms)
        match Said(said):
            case Said.COMMITTED:
                batch = peer.sent[0]
                told = outcomes(batch, build_committed(self.state, proofs, refused))
                settle(zip(batch, told, strict=True))
                self._forget(peer)
            case Said.CLOCK:
                _tell_backwards(peer.sent[0])
                self._forget(peer)
            case Said.FAILED:
                peer.failures += 1
                peer.failed_at = time.monotonic()
                peer.sent.clear()
                self.intake.stop(why)
            case Said.RESUMED:
                self._peer = peer
                peer.failed_at = None
                peer.begun.set()
                self.intake.resume()
            case Said.ENDED:
                peer.why, peer.for_good = why, for_good
        self._go_on(peer)

    def rouse(self) -> None:
        """Send what waits although nobody said so: the loop that would have may be closed."""
        if len(self.intake):
            self._send_queued()

    def lose(self, peer: "_Peer") -> None:
        """Tell all who wait that nothing is known to be durable."""
        if self._peer is peer:
            self._peer = None
            self.intake.stop(peer.why)
        peer.sent.clear()
        peer.drained.set()

    def _go_on(self, peer: "_Peer") -> None:
        if self.intake.closing:
            self._send_queued()
            if not peer.sent:
                peer.drained.set()
        elif len(peer.sent) < UNDER_WAY:
            self.intake.expect(asyncio.get_running_loop())

    def _rouse(self) -> None:
        """Send what waits, on the loop that the process is heard on."""
        if asyncio.get_running_loop() is self._loop:
            self._send_queued()
        elif self._loop is not None:
            self._loop.call_soon_threadsafe(self._send_queued)

    def _send_queued(self) -> None:
        """Send what waits, as far as there is room for it."""
        if (peer := self._peer) is None:
            return
        with contextlib.ExitStack() as undo:
            # Whether it was sent, and so of which batch the next report is, nobody would know.
            undo.callback(self._give_up, peer)
            while (room := UNDER_WAY - len(peer.sent)) > 0:
                batch = self.intake.take_now(more=room > 1)
                if not batch:
                    break
                self._send(peer, batch)
            undo.pop_all()

    def _send(self, peer: "_Peer", batch: list[Waiting]) -> None:
        try:
            now_ms = read_time(self._clock)
        except ClockBackwards:
            _tell_backwards(batch)
            self.intake.told(batch)
            return
        rows = [entry_row(waiting.draft, waiting.prepared) for waiting in batch]
        peer.sent.append(batch)
        peer.send((peer.failures, now_ms, rows))

    def _give_up(self, peer: "_Peer") -> None:
        peer.abort()
        self.lose(peer)

    def _forget(self, peer: "_Peer") -> None:
        # After they were told: where telling them fails, losing the process tells them.
        self.intake.told(peer.sent.popleft())

    async def _keep(self, peer: "_Peer") -> None:
        """Keep one process writing, until the file is not to be written any more."""
        while True:
            try:
                await peer.wait_for_end()
            finally:
                self.lose(peer)
                await peer.end()
            _log.warning("log_process_lost", why=peer.why)
            try:
                peer = await self._replace(peer)
            except LogRefused as refused:
                self.intake.stop(str(refused))
                _log.error("log_stopped", why=str(refused))
                return

    async def _replace(self, lost: "_Peer") -> "_Peer":
        """Try until another process has the file, with pauses that grow.

        Raises:
            LogRefused: the file is not to be written any more.
        """
        if lost.for_good:
            raise LogRefused(lost.why)
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await self._connect()
            except LogUnavailable as fault:
                _log.warning("log_process_not_started", why=str(fault))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _connect(self) -> "_Peer":
        """Return a process that has the file.

        Raises:
            LogRefused: the file is not to be written any more.
            LogUnavailable: another attempt may succeed.
        """
        try:
            transport, peer = await launch(MODULE, lambda process: _Peer(process, self))
        except (OSError, RuntimeError) as error:  # no process, no thread
            raise LogUnavailable("no process could be started to write the log") from error
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(peer.end)
            peer.begin(transport, begin_row(self._begin, self.state))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(START_S):
                    await peer.begun.wait()
            if self._peer is not peer:
                raise LogRefused(peer.why) if peer.for_good else LogUnavailable(peer.why)
            undo.pop_all()
        return peer


def _say_how(keeping: "asyncio.Task[None]") -> None:
    """Name what nobody foresaw and what leaves the log closed; its text may hold a value."""
    if not keeping.cancelled() and (error := keeping.exception()) is not None:
        _log.error("log_stopped", why=type(error).__name__)


def _tell_backwards(batch: list[Waiting]) -> None:
    settle((waiting, ClockBackwards()) for waiting in batch)


class _Peer(asyncio.Protocol):
    """One process that writes, and the batches it has been given."""

    def __init__(self, process: Process, writer: WriterApart) -> None:
        self._process = process
        self._writer = writer
        self._transport: asyncio.Transport | None = None
        self._frames: FrameReader[Report] = FrameReader()
        self._ended = asyncio.Event()
        self.begun = asyncio.Event()
        """Set once it has the file, or has ended."""
        self.drained = asyncio.Event()
        """Set once nothing is under way any more while the log closes."""
        self.sent: deque[list[Waiting]] = deque()
        self.failures = 0
        self.failed_at: float | None = None
        """Since when its storage fails."""
        self.why = LOST
        self.for_good = False

    @property
    def process_id(self) -> int:
        """The id of the process."""
        return self._process.pid

    def begin(self, transport: asyncio.Transport, row: BeginRow) -> None:
        """Tell the process what it has to know."""
        self._transport = transport
        transport.write(encode_frame([row]))

    def send(self, batch: Batch) -> None:
        """Give it a batch."""
        if self._transport is not None:
            self._transport.write(encode_frame([batch]))

    @override
    def data_received(self, data: bytes) -> None:
        """Hear what it says."""
        with contextlib.ExitStack() as undo:
            undo.callback(self.abort)  # of what was not understood nobody was told
            for report in self._frames.feed(data):
                self._writer.hear(self, report)
            undo.pop_all()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Give every batch back."""
        self._ended.set()
        self.begun.set()
        self._writer.lose(self)

    async def wait_for_end(self) -> None:
        """Return when it is lost, leaves a batch lying, or does not recover."""
        loop = asyncio.get_running_loop()
        while not self._ended.is_set() and not self._is_stuck():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._ended.wait()
            loop.call_soon(self._writer.rouse)

    def _is_stuck(self) -> bool:
        failing_s = 0.0 if self.failed_at is None else time.monotonic() - self.failed_at
        return self._writer.intake.taken_for_s() >= STUCK_S or failing_s >= RECOVER_S

    async def end(self) -> None:
        """End the process: it ends with its socket, or is killed."""
        self.abort()
        await end_wholly(self._process)

    def abort(self) -> None:
        """Hear it no more."""
        if self._transport is not None:
            self._transport.abort()
