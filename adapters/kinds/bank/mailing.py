"""Many questions asked at once travel in one message; each asker keeps his own time.

INVARIANT: a message never mixes two operations.
INVARIANT: every asker gets an outcome, whatever becomes of the message.
INVARIANT: a question whose message was accepted is never asked again: who comes back finds it here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed, NotSent
from adapters.kinds.bank.documents import MAX_ITEMS
from adapters.kinds.bank.questions import Operation, Question
from adapters.pending import pending_key
from adapters.port import Indeterminate, Query
from adapters.records import RawRecord

# Seconds a question waits for company: small beside a bank's answer time of 50 ms and more.
WINDOW_S: Final = 0.003
# The front keeps reports for an hour (docs/adapters/bank.md, section 7).
KEPT_S: Final = 3600.0
MOST_UNDER_WAY: Final = 256
"""Messages sent and not yet answered; of 100 questions each, more than the front takes in 10 s."""
_MOST_KEPT: Final = 20_000


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """The questions that travel together."""

    operation: Operation
    questions: list["Waiting"] = field(default_factory=list)
    sent: bool = False
    """Whether it has left, or is about to: what becomes of its checks the front knows."""
    attended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while somebody waits for an answer of it."""

    @property
    def idle(self) -> bool:
        """Whether it was accepted, to be answered later, and nobody waits for it now."""
        return not self.attended.is_set() and any(each.accepted for each in self.questions)


@dataclass(slots=True, kw_only=True, eq=False)
class Waiting:
    """One question under way."""

    question: Question
    query: Query = field(repr=False)
    message: Message = field(repr=False)
    answer: asyncio.Future[RawRecord | None] = field(repr=False)
    retry_after_s: float | None = None
    """Set once the front has accepted the message and answers later."""
    askers: int = 0
    """Who waits for this answer now: nobody, its asker, or whoever came back for it."""

    @property
    def accepted(self) -> bool:
        """Whether its message was accepted, to be answered later."""
        return self.retry_after_s is not None

    @contextmanager
    def attend(self) -> Iterator[None]:
        """Have the answer fetched for as long as somebody waits for it."""
        self.askers += 1
        self.message.attended.set()
        try:
            yield
        finally:
            self.askers -= 1
            if not any(each.askers for each in self.message.questions):
                self.message.attended.clear()


Sender = Callable[[Message, Sequence[Waiting]], Awaitable[None]]
"""Sends one message with these of its questions and answers each that it can answer."""


class Mailing:
    """Collects questions by operation and sends them."""

    def __init__(self, send: Sender, most: int = MOST_UNDER_WAY) -> None:
        self._send = send
        self._most = most
        self._open: dict[str, Message] = {}
        self._running: dict[asyncio.Task[None], Message] = {}

    def post(self, question: Question, query: Query) -> Waiting:
        """Join the next message of this operation.

        Raises:
            NotSent: PROVIDER_UNAVAILABLE: too many are under way, and somebody waits for each.
        """
        key = question.operation.request
        message = self._open.get(key)
        if message is None:
            self._make_room()
            message = self._open[key] = Message(operation=question.operation)
            task = asyncio.create_task(self._send_later(message))
            # The event loop keeps weak references only: an unheld task may vanish in the middle.
            self._running[task] = message
            task.add_done_callback(self._running.pop)
        waiting = Waiting(
            question=question,
            query=query,
            message=message,
            answer=asyncio.get_running_loop().create_future(),
        )
        # Read once, so that an answer whose asker has left is no error of the event loop.
        waiting.answer.add_done_callback(_note)
        message.questions.append(waiting)
        if len(message.questions) >= MAX_ITEMS:
            # Full: the next question opens another message, and this one leaves at its own time.
            self._open.pop(key, None)
        return waiting

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _make_room(self) -> None:
        under_way = [task for task in self._running if not task.cancelling()]
        if len(under_way) < self._most:
            return
        # The oldest that nobody waits for: who comes back for it is told that there is no answer.
        idle = next((task for task in under_way if self._running[task].idle), None)
        if idle is None:
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE)
        idle.cancel()

    async def _send_later(self, message: Message) -> None:
        try:
            await asyncio.sleep(WINDOW_S)
            self._shut(message)
            # Who left meanwhile is not asked about.
            present = [each for each in message.questions if not each.answer.done()]
            message.sent = True
            if present:
                await self._send(message, present)
        except AdapterError as failed:
            _fail(message.questions, failed)
        finally:
            # Also on cancellation: an asker whose message died would wait until his deadline, and
            # who asks next would join it.
            self._shut(message)
            _fail(message.questions, DepartmentFailed(Indeterminate.PROVIDER_FAULT))

    def _shut(self, message: Message) -> None:
        # A full message is no longer the open one; the next must not be closed in its name.
        if self._open.get(message.operation.request) is message:
            del self._open[message.operation.request]


class Kept:
    """Questions answered later, for whoever comes back; the oldest is forgotten first.

    A key is a digest (`pending_key`), so that an answer is handed out only to the system and for
    the matter, case and question it was begun for.
    """

    def __init__(self, clock: Callable[[], float], life_s: float = KEPT_S) -> None:
        self._clock = clock
        self._life_s = life_s
        self._timer: asyncio.TimerHandle | None = None
        self._kept: OrderedDict[bytes, tuple[Waiting, float]] = OrderedDict()

    def find(self, query: Query) -> Waiting | None:
        """Return the question this query continues, if one is known."""
        if query.pending_request_id is None:
            return None
        self._purge()
        waiting, _ = self._kept.get(pending_key(query, query.pending_request_id), (None, 0.0))
        return waiting

    def remember(self, query: Query, waiting: Waiting) -> None:
        """Keep a question under the id of this query and of the one it continues."""
        until = self._clock() + self._life_s
        # Under both: an asker who lost our last answer comes back with the id he knows.
        for request_id in {query.request_id, query.pending_request_id or query.request_id}:
            key = pending_key(query, request_id)
            self._kept[key] = (waiting, until)
            # In order of their end, by which they are purged.
            self._kept.move_to_end(key)
        self._purge()
        self._set_timer()

    def _purge(self) -> None:
        while self._kept and (
            len(self._kept) > _MOST_KEPT or next(iter(self._kept.values()))[1] <= self._clock()
        ):
            self._kept.popitem(last=False)

    def _set_timer(self) -> None:
        """Have the oldest purged at its time, though nobody asks any more."""
        if self._timer is None and self._kept:
            left_s = next(iter(self._kept.values()))[1] - self._clock()
            self._timer = asyncio.get_running_loop().call_later(max(left_s, 0.0), self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        self._purge()
        self._set_timer()

    def forget(self, waiting: Waiting) -> None:
        """Drop a question whose answer was handed out: nothing of a bank is kept any longer."""
        for key in [key for key, (kept, _) in self._kept.items() if kept is waiting]:
            del self._kept[key]

    def wipe(self) -> None:
        """Forget everything."""
        self._kept.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _note(answer: asyncio.Future[RawRecord | None]) -> None:
    if not answer.cancelled():
        answer.exception()


def _fail(group: Sequence[Waiting], cause: AdapterError) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(cause)
