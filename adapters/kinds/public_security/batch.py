"""Many questions asked at once travel in one package.

Questions of one officer about one matter that arrive within a few milliseconds are sent together;
each asker waits for his own record and his own deadline.
INVARIANT: a package never mixes two officers, matters or operations.
INVARIANT: every asker gets an outcome, whatever becomes of the package.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed
from adapters.kinds.public_security.package import MAX_RECORDS
from adapters.kinds.public_security.reading import Question
from adapters.port import EndUser, Indeterminate
from adapters.records import RawRecord

# Seconds a question waits for company: small beside a register's answer time of 50 ms and more.
WINDOW_S: Final = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageKey:
    """What the records of one package have in common."""

    operation: str
    end_user: EndUser
    matter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One asker."""

    question: Question
    now_ms: int
    deadline: float
    answer: asyncio.Future[RawRecord | None] = field(repr=False)


Sender = Callable[[PackageKey, Sequence[Waiting]], Awaitable[None]]
"""Sends one package and answers each waiting one that it can answer."""


class Batcher:
    """Collects questions by key and sends them."""

    def __init__(self, send: Sender) -> None:
        self._send = send
        self._open: dict[PackageKey, list[Waiting]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def ask(
        self, key: PackageKey, question: Question, now_ms: int, deadline: float
    ) -> RawRecord | None:
        """Join the next package of this key and await one's own record."""
        waiting = Waiting(
            question=question,
            now_ms=now_ms,
            deadline=deadline,
            answer=asyncio.get_running_loop().create_future(),
        )
        group = self._open.setdefault(key, [])
        group.append(waiting)
        if len(group) == 1:
            task = asyncio.create_task(self._flush_later(key, group))
            # The event loop keeps weak references only: an unheld task may vanish in the middle.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(group) >= MAX_RECORDS:
            # Full: the next question opens another package, and this one leaves at its own time.
            self._open.pop(key, None)
        return await waiting.answer

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _flush_later(self, key: PackageKey, group: list[Waiting]) -> None:
        try:
            await asyncio.sleep(WINDOW_S)
            # A full package is no longer the open one; the next one must not be closed in its name.
            if self._open.get(key) is group:
                del self._open[key]
            # Who left meanwhile is not asked about.
            present = [waiting for waiting in group if not waiting.answer.done()]
            if present:
                await self._send(key, present)
        except AdapterError as failed:
            _fail(group, failed)
        finally:
            # Also on cancellation: an asker whose package died would wait until his deadline.
            _fail(group, DepartmentFailed(Indeterminate.PROVIDER_FAULT))


def _fail(group: Sequence[Waiting], cause: AdapterError) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(cause)
