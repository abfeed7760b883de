"""Does jobs in a second process of this program; in this one while that process is away.

Jobs that one turn of the event loop asks for share a frame. While a process says nothing, jobs are
done here; one that ends, or leaves a job lying, is replaced. That is sound because a job may be
done twice.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from typing_extensions import override

from adapters.port import Untold
from certs.quick import quickly_made
from gateway.child import Process, end_wholly, launch
from gateway.compute.here import ComputeHere
from gateway.compute.port import FetchJob, Opened, OpenJob, ProveJob, SealJob
from gateway.compute.protocol import BEGIN_NUMBER, Asked, Begin, Ended, Ending, Job, encode_begin
from gateway.compute.wire_calls import encode_open, parse_opened, parse_refusal
from gateway.compute.wire_records import (
    encode_fetch,
    encode_prove,
    encode_seal,
    parse_distrusted,
    parse_minimised,
    parse_told,
)
from gateway.distrust import Minimised, Proven
from gateway.frames import FrameReader, encode_frame

MODULE: Final = "gateway.compute_process"
START_S: Final = 60.0
"""How long a process may take to begin; it imports the program anew."""
WATCH_S: Final = 0.25
SILENT_S: Final = 0.5
"""A process that has jobs says something every few milliseconds, however many there are."""
STUCK_S: Final = 3.0
"""A job takes a millisecond: one that lies this long lies for ever."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0

_log: Final = structlog.get_logger("compute")


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What came back: the ending and what the job yielded."""

    ending: Ending
    data: bytes = field(repr=False)


class ComputeApart:
    """Asks the second process, and does without it."""

    def __init__(
        self, here: ComputeHere, begin: Begin, observe: Callable[[bool], None] = lambda _: None
    ) -> None:
        """`observe` is told whether the second process works, whenever that changes."""
        self._here = here
        self._begin = begin
        self._observe = observe
        self._peer: _Peer | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def process_id(self) -> int | None:
        """The second process, while it takes jobs."""
        return None if self._peer is None else self._peer.process_id

    def start(self) -> None:
        """Start the second process; until it has begun, jobs are done here."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the second process."""
        if self._keeping is None:
            return
        self._keeping.cancel()
        # However it ended, the gateway goes on to close its log.
        await asyncio.gather(self._keeping, return_exceptions=True)
        self._keeping = None

    async def open(self, job: OpenJob) -> Opened:
        """Return what is proven of a call; raises as `Compute.open`."""
        answer = await self._asked(Job.OPEN, encode_open(job))
        if answer is None:
            return await self._here.open(job)
        if answer.ending is Ending.REFUSED:
            raise parse_refusal(answer.data)
        return parse_opened(answer.data)

    async def prove(self, job: ProveJob) -> Minimised:
        """Return what was granted of a record; raises as `Compute.prove`."""
        answer = await self._asked(Job.PROVE, encode_prove(job))
        if answer is None:
            return await self._here.prove(job)
        if answer.ending is Ending.DISTRUSTED:
            raise parse_distrusted(answer.data)
        return parse_minimised(answer.data)

    async def seal(self, job: SealJob) -> bytes:
        """Return the signed answer."""
        answer = await self._asked(Job.SEAL, encode_seal(job))
        return await self._here.seal(job) if answer is None else answer.data

    async def fetch(self, job: FetchJob) -> Untold | Proven | None:
        """Return what the department whose tables lie here tells; None: ask it in this process."""
        answer = await self._asked(Job.FETCH, encode_fetch(job))
        return None if answer is None else parse_told(answer.data)

    async def _asked(self, job: Job, data: bytes) -> _Answer | None:
        """Return what the second process made of a job; None where it has to be done here."""
        peer = self._peer
        answer = None if peer is None else await peer.ask(job, data)
        return None if answer is None or answer.ending is Ending.BROKE else answer

    async def _keep(self) -> None:
        """Keep one process running, with pauses that grow while it does not last."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                await self._run_once()
            except (OSError, RuntimeError) as error:  # no process, no thread
                _log.warning("compute_process_not_started", kind=type(error).__name__)
            lasted = time.monotonic() - began > LONGEST_PAUSE_S
            pause_s = FIRST_PAUSE_S if lasted else min(2 * pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> None:
        """Start a process and give it jobs until it is lost or leaves one lying."""
        peer = await _connect(self._begin)
        try:
            async with asyncio.timeout(START_S):
                begun = await peer.begun
            if begun is None or begun.ending is not Ending.DONE:
                _log.warning("compute_process_not_begun")
                return
            self._peer = peer
            self._observe(True)  # noqa: FBT003 - the port of a gauge
            while not peer.lost and not peer.is_stuck(time.monotonic()):
                await peer.wait_for_end(WATCH_S)
                peer.give_back_if_silent(time.monotonic())
            _log.warning("compute_process_lost", stuck=not peer.lost)
        except TimeoutError:
            _log.warning("compute_process_silent")
        finally:
            self._peer = None
            self._observe(False)  # noqa: FBT003 - the port of a gauge
            await peer.end()


class _Peer(asyncio.Protocol):
    """One second process, and the jobs it has been given."""

    def __init__(self, process: Process, begin: Begin) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader: FrameReader[Ended] = FrameReader()
        self._outgoing: list[Asked] = []
        self._waiting: dict[int, tuple[asyncio.Future[_Answer | None], float]] = {}
        self._number = BEGIN_NUMBER
        self._heard = time.monotonic()
        self._silent_since: float | None = None
        self._ended = asyncio.Event()
        self._first = encode_begin(begin)
        self.begun: asyncio.Future[_Answer | None] = self._loop.create_future()

    @property
    def process_id(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def lost(self) -> bool:
        """Whether it has gone."""
        return self._ended.is_set()

    def begin(self, transport: asyncio.Transport) -> None:
        """Tell the process what it has to know."""
        self._transport = transport
        if self.lost:
            self.begun.set_result(None)
            return
        self._waiting[BEGIN_NUMBER] = (self.begun, time.monotonic() + START_S)
        self._send((BEGIN_NUMBER, Job.BEGIN.value, self._first))

    @override
    def data_received(self, data: bytes) -> None:
        """Tell those who wait."""
        self._heard, self._silent_since = time.monotonic(), None
        for number, ending, yielded in self._reader.feed(data):
            # Before it is taken out: what is not understood closes the socket, and gives it back.
            answer = _Answer(ending=Ending(ending), data=yielded)
            future, _ = self._waiting.pop(number, (None, 0.0))
            if future is not None and not future.done():
                future.set_result(answer)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Give every job back to who asked."""
        self._ended.set()
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def ask(self, job: Job, data: bytes) -> _Answer | None:
        """Return what became of a job; None when the process was lost or says nothing."""
        if self.lost or self._silent_since is not None:
            return None
        self._number += 1
        future: asyncio.Future[_Answer | None] = self._loop.create_future()
        number = self._number
        # A department has its own deadline, which the query holds: it may take longer than a job.
        began = float("inf") if job is Job.FETCH else time.monotonic()
        self._waiting[number] = (future, began)
        self._send((number, job.value, data))
        try:
            return await future
        except asyncio.CancelledError:
            self._waiting.pop(number, None)
            raise

    def give_back_if_silent(self, now_s: float) -> None:
        """Let jobs be done here while the process says nothing; it still owes what it was given."""
        # Not by the age of a job alone: a process that is slow because all ask at once is at work,
        # and would only be asked again by those who have waited longest.
        late = any(now_s - began > SILENT_S for _, began in self._waiting.values())
        if not late or now_s - self._heard <= SILENT_S:
            return
        if self._silent_since is None:
            self._silent_since = now_s
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_result(None)

    def is_stuck(self, now_s: float) -> bool:
        """Say whether a job has been lying for too long."""
        # Silent for so long: also where nobody waits any more for what it was given.
        silent = self._silent_since is not None and now_s - self._silent_since > STUCK_S
        return silent or any(now_s - began > STUCK_S for _, began in self._waiting.values())

    async def wait_for_end(self, timeout_s: float) -> None:
        """Return when the process is lost, or after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._ended.wait()

    async def end(self) -> None:
        """End the process: it ends with its socket, or is killed."""
        if self._transport is not None:
            self._transport.abort()
        await end_wholly(self._process)

    def _send(self, asked: Asked) -> None:
        if not self._outgoing:
            # After the callers that are ready now: they share the frame.
            self._loop.call_soon(self._flush)
        self._outgoing.append(asked)

    def _flush(self) -> None:
        frame, self._outgoing = encode_frame(self._outgoing), []
        if self._transport is not None and not self.lost:
            self._transport.write(frame)


async def _connect(begin: Begin) -> _Peer:
    transport, peer = await launch(MODULE, lambda process: _Peer(process, begin))
    peer.begin(transport)
    return peer
