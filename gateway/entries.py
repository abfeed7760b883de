"""Steps 7 and 11 towards the log: each `ask` gets exactly one `answer`, whoever goes away.

An append that has begun cannot be taken back, so nobody who waits for one may cancel it: its
outcome is awaited behind the caller's back, and what it comes to decides whether an ask is still to
be closed.

INVARIANT: an ask is closed as INTERRUPTED only after its own answer is known not to be durable.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Protocol

from gateway.access_log.errors import (
    AccessLogError,
    ChargeRefused,
    ClaimTaken,
    ClockBackwards,
)
from gateway.errors import Fault, Reason, Refusal
from gateway.interrupted import Appender, Interrupted, LeftAsk, close_ask
from gateway.model import EntryDraft, Logged


class Log(Appender, Protocol):
    """What appending for exchanges needs of the access log."""

    def begin(self, draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Return what becomes of the entry; raises and fails as `append`."""
        ...


class Entries:
    """Appends for exchanges; one per gateway, on one event loop."""

    __slots__ = ("_behind", "_interrupted", "_log")

    def __init__(self, log: Log, interrupted: Interrupted) -> None:
        self._log = log
        self._interrupted = interrupted
        self._behind: set[asyncio.Future[None]] = set()

    async def append(self, draft: EntryDraft) -> Logged:
        """Return once an entry is durable.

        Raises:
            Refusal: `QUOTA_EXHAUSTED`, `REPLAYED`.
            Fault: `LOG_UNAVAILABLE`, `CLOCK_BACKWARDS`.
        """
        appending = self._begin(draft)
        # Somebody has to look at the outcome when the caller is gone.
        appending.add_done_callback(_looked_at)
        return await _durable(appending)

    async def ask(self, draft: EntryDraft) -> LeftAsk:
        """Return once an `ask` is durable; raises as `append`."""
        appending = self._begin(draft)
        try:
            logged = await _durable(appending)
        except asyncio.CancelledError:
            self._go_on(self._close_if_durable(appending, draft))
            raise
        return LeftAsk(index=logged.index, entry=logged.entry, search=draft.search)

    async def answer(self, asked: LeftAsk, draft: EntryDraft) -> Logged:
        """Return once the `answer` of an ask is durable; raises as `append`."""
        appending = self._begin(draft)
        answered = False
        try:
            logged = await _durable(appending)
            answered = True
        finally:
            if not answered:
                self._go_on(self._close_unless(appending, asked))
        return logged

    def give_up(self, asked: LeftAsk) -> None:
        """Close an ask whose exchange ended before it had an answer to append."""
        self._go_on(self._close(asked))

    async def drain(self) -> None:
        """Wait until everything that goes on behind its callers has ended."""
        while self._behind:
            await asyncio.gather(*self._behind, return_exceptions=True)

    def _begin(self, draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Begin an append; what is not even queued looks like what the writer refused."""
        try:
            return self._log.begin(draft)
        except AccessLogError as error:
            failed: asyncio.Future[Logged] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    def _go_on(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def _close(self, asked: LeftAsk) -> None:
        # What cannot be closed now stays open in the log, where the next start finds it.
        with contextlib.suppress(AccessLogError):
            await close_ask(self._log, asked, self._interrupted)

    async def _close_if_durable(
        self, appending: "asyncio.Future[Logged]", draft: EntryDraft
    ) -> None:
        with contextlib.suppress(AccessLogError):
            logged = await appending
            left = LeftAsk(index=logged.index, entry=logged.entry, search=draft.search)
            await self._close(left)

    async def _close_unless(self, appending: "asyncio.Future[Logged]", asked: LeftAsk) -> None:
        try:
            await appending
        except AccessLogError:
            await self._close(asked)


def _looked_at(appending: "asyncio.Future[Logged]") -> None:
    if not appending.cancelled():
        appending.exception()


async def _durable(appending: "asyncio.Future[Logged]") -> Logged:
    """Wait for an append without being able to cancel it."""
    try:
        return await asyncio.shield(appending)
    except ChargeRefused as error:
        raise Refusal(Reason.QUOTA_EXHAUSTED) from error
    except ClaimTaken as error:
        raise Refusal(Reason.REPLAYED) from error
    except ClockBackwards as error:
        raise Fault(Reason.CLOCK_BACKWARDS) from error
    except AccessLogError as error:
        raise Fault(Reason.LOG_UNAVAILABLE, diagnostics=type(error).__name__) from error
