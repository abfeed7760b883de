"""Many questions asked at once travel in one message; each asker keeps his own time.

INVARIANT: a message never mixes two operations.
INVARIANT: every asker gets an outcome, whatever becomes of the message.
INVARIANT: a question whose message was accepted is never asked again: who comes back finds it here.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed
from adapters.kinds.bank.documents import MAX_ITEMS
from adapters.kinds.bank.questions import Operation, Question
from adapters.port import Indeterminate, Query
from adapters.records import RawRecord
from signing.encoding import encode_canonical_json

# Seconds a question waits for company: small beside a bank's answer time of 50 ms and more.
WINDOW_S: Final = 0.003
# The front keeps reports for an hour (docs/adapters/bank.md, section 7).
KEPT_S: Final = 3600.0
_MOST_KEPT: Final = 20_000


@dataclass(slots=True, kw_only=True, eq=False)
class Waiting:
    """One question under way."""

    question: Question
    deadline: float
    answer: asyncio.Future[RawRecord | None] = field(repr=False)
    retry_after_s: float | None = None
    """Set once the front has accepted the message and answers later."""

    @property
    def accepted(self) -> bool:
        """Whether its message was accepted, to be answered later."""
        return self.retry_after_s is not None


Sender = Callable[[Operation, Sequence[Waiting]], Awaitable[None]]
"""Sends one message and answers each waiting one that it can answer."""


class Mailing:
    """Collects questions by operation and sends them."""

    def __init__(self, send: Sender) -> None:
        self._send = send
        self._open: dict[str, list[Waiting]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def post(self, question: Question, deadline: float) -> Waiting:
        """Join the next message of this operation."""
        waiting = Waiting(
            question=question,
            deadline=deadline,
            answer=asyncio.get_running_loop().create_future(),
        )
        # Read once, so that an answer whose asker has left is no error of the event loop.
        waiting.answer.add_done_callback(_note)
        key = question.operation.request
        group = self._open.setdefault(key, [])
        group.append(waiting)
        if len(group) == 1:
            task = asyncio.create_task(self._send_later(question.operation, group))
            # The event loop keeps weak references only: an unheld task may vanish in the middle.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(group) >= MAX_ITEMS:
            # Full: the next question opens another message, and this one leaves at its own time.
            self._open.pop(key, None)
        return waiting

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _send_later(self, operation: Operation, group: list[Waiting]) -> None:
        try:
            await asyncio.sleep(WINDOW_S)
            # A full group is no longer the open one; the next must not be closed in its name.
            if self._open.get(operation.request) is group:
                del self._open[operation.request]
            # Who left meanwhile is not asked about.
            present = [waiting for waiting in group if not waiting.answer.done()]
            if present:
                await self._send(operation, present)
        except AdapterError as failed:
            _fail(group, failed)
        finally:
            # Also on cancellation: an asker whose message died would wait until his deadline.
            _fail(group, DepartmentFailed(Indeterminate.PROVIDER_FAULT))


class Kept:
    """Questions answered later, for whoever comes back; the oldest is forgotten first.

    A key is a digest bound to request, asker and question, so that an answer is handed out only to
    the system and for the question it was begun for.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[Waiting, float]] = OrderedDict()

    def find(self, query: Query) -> Waiting | None:
        """Return the question this query continues, if one is known."""
        if query.pending_request_id is None:
            return None
        waiting, until = self._kept.get(_key(query, query.pending_request_id), (None, 0.0))
        return waiting if self._clock() < until else None

    def remember(self, query: Query, waiting: Waiting) -> None:
        """Keep a question under the id of this query and of the one it continues."""
        until = self._clock() + KEPT_S
        # Under both: an asker who lost our last answer comes back with the id he knows.
        for request_id in {query.request_id, query.pending_request_id or query.request_id}:
            self._kept[_key(query, request_id)] = (waiting, until)
        while self._kept and (
            len(self._kept) > _MOST_KEPT or next(iter(self._kept.values()))[1] <= self._clock()
        ):
            self._kept.popitem(last=False)

    def forget(self, waiting: Waiting) -> None:
        """Drop a question whose answer was handed out: nothing of a bank is kept any longer."""
        for key in [key for key, (kept, _) in self._kept.items() if kept is waiting]:
            del self._kept[key]

    def wipe(self) -> None:
        """Forget everything."""
        self._kept.clear()


def _key(query: Query, request_id: bytes) -> bytes:
    """Return the key of a question; the item is left out, for GetResult asks for one at a time."""
    subject, claims = query.subject, sorted(query.claims.items())
    question = encode_canonical_json(
        [
            query.audience,
            query.dataset.name,
            subject.identifier,
            subject.full_name,
            [[name, value] for name, value in claims],
        ]
    )
    # The request id is random and so the salt of what could otherwise be tried out.
    return hashlib.sha256(request_id + question).digest()


def _note(answer: asyncio.Future[RawRecord | None]) -> None:
    if not answer.cancelled():
        answer.exception()


def _fail(group: Sequence[Waiting], cause: AdapterError) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(cause)
