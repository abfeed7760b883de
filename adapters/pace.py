"""When a question gets a place among the calls in flight, and how often a call may begin.

Knows no HTTP. Places are waited for in order and by so many only; whoever finds the queue full is
told at once that the department is busy.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from adapters.causes import Cause
from adapters.errors import NotSent
from adapters.limits import TransportLimits
from adapters.port import Indeterminate


class Places:
    """Calls in flight, and who waits to be one. One event loop, no lock."""

    def __init__(self, limits: TransportLimits, clock: Callable[[], float]) -> None:
        self._free = asyncio.Semaphore(limits.concurrency)
        self._queue = limits.queue
        self._waiting = 0
        self._clock = clock

    @property
    def has_free(self) -> bool:
        """Whether a place is free and nobody waits for it."""
        return not self._free.locked()

    @asynccontextmanager
    async def waited_for(self, ends: float) -> AsyncIterator[None]:
        """Hold a place, waited for until a moment of the clock.

        Raises:
            NotSent: PROVIDER_UNAVAILABLE: nobody gave a place up in time, or too many wait.
        """
        if self._free.locked():
            await self._wait(ends)
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[None]:
        """Hold a place that is free.

        Raises:
            NotSent: PROVIDER_UNAVAILABLE: none is.
        """
        if self._free.locked():
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.RATE_LIMITED)
        async with self.waited_for(self._clock()):
            yield

    async def _wait(self, ends: float) -> None:
        if self._waiting >= self._queue:
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.RATE_LIMITED)
        self._waiting += 1
        try:
            async with asyncio.timeout(ends - self._clock()):
                await self._free.acquire()
        except TimeoutError:
            # Busy with our own calls, so not the breaker's business.
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.RATE_LIMITED) from None
        finally:
            self._waiting -= 1


class Pace:
    """Lets so many calls begin in a second: a token bucket, kept as one time (GCRA)."""

    def __init__(self, limits: TransportLimits, clock: Callable[[], float]) -> None:
        self._interval = 1.0 / limits.per_second if limits.per_second else 0.0
        self._tolerance = self._interval * (limits.burst - 1)
        self._clock = clock
        self._next = clock()

    @property
    def wait_s(self) -> float:
        """Seconds until another call may begin."""
        return max(0.0, self._next - self._tolerance - self._clock())

    def take(self) -> float:
        """Let one call begin, after the seconds returned."""
        wait_s = self.wait_s
        self._next = max(self._next, self._clock()) + self._interval
        return wait_s

    async def keep(self, ends: float) -> None:
        """Wait until a call may begin.

        Raises:
            NotSent: PROVIDER_QUOTA: not before a moment of the clock.
        """
        # Looked at before it is taken: a call that never begins must cost no other one its turn.
        if self._clock() + self.wait_s >= ends:
            raise NotSent(Indeterminate.PROVIDER_QUOTA, cause=Cause.RATE_LIMITED)
        wait_s = self.take()
        if wait_s:
            await asyncio.sleep(wait_s)
