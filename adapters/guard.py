"""Lets questions through to one department, whatever carries them: places, breaker, time.

Knows no HTTP, no gRPC and no SFTP. One question takes one place and passes the breaker once,
however many calls it takes, and its end is counted once (docs/operations/resilience.md). Where
questions travel together in files, what passes is an operation upon a folder instead.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from adapters.breaker import Breaker, Verdict
from adapters.causes import Cause
from adapters.errors import DepartmentFailed, NotSent
from adapters.limits import TransportLimits
from adapters.pace import Places
from adapters.port import Indeterminate

T = TypeVar("T")

RESERVE_S: Final = 0.020
"""Seconds kept back of the deadline for effects, signature and log."""
# What says that the department itself is in trouble, rather than this one question.
_BREAKING: Final = frozenset(
    {
        Indeterminate.PROVIDER_TIMEOUT,
        Indeterminate.PROVIDER_UNAVAILABLE,
        Indeterminate.PROVIDER_FAULT,
    }
)


class Guard:
    """The guard of one department; belongs to the event loop it is first used in."""

    def __init__(self, limits: TransportLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self.breaker = Breaker(limits, clock)
        self.places = Places(limits, clock)

    async def run(self, ask: Callable[[float], Awaitable[T]], deadline: float) -> T:
        """Return what `ask` yields; it is told the time by which it has to have ended.

        Raises:
            DepartmentFailed: as `ask` does.
            NotSent: PROVIDER_TIMEOUT or PROVIDER_UNAVAILABLE; `ask` was not called.
        """
        ends = self._ends(deadline)
        if self._clock() >= ends:
            raise NotSent(Indeterminate.PROVIDER_TIMEOUT, cause=Cause.ANSWER_LATE)
        # Nobody queues for what is not asked.
        if self.breaker.is_open:
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.BREAKER_OPEN)
        async with self.places.waited_for(ends):
            # After the wait for a place: the breaker may have opened meanwhile.
            passage = self.breaker.require_passage()
            began, verdict = self._clock(), Verdict.NOTHING
            try:
                answer = await ask(ends)
                verdict = Verdict.ANSWERS
            except DepartmentFailed as failed:
                verdict = self._judge(failed, ends - began)
                raise
            finally:
                # Also where the asker left, or a mistake of ours ended it: a probe must end once.
                self.breaker.settle(passage, verdict)
        return answer

    def _ends(self, deadline: float) -> float:
        """Return when a question has to have ended."""
        ends, patience_s = deadline - RESERVE_S, self._limits.patience_s
        return ends if patience_s is None else min(ends, self._clock() + patience_s)

    def _judge(self, failed: DepartmentFailed, allowed_s: float) -> Verdict:
        """Say what a failure tells of the department, which had so many seconds."""
        if isinstance(failed, NotSent):
            return Verdict.NOTHING
        # A department that refuses or mumbles is there; only silence and faults count against it.
        if failed.reason not in _BREAKING:
            return Verdict.ANSWERS
        hurried = allowed_s < self._limits.fair_timeout_s
        if failed.reason is Indeterminate.PROVIDER_TIMEOUT and hurried:
            # An asker in a hurry must not close the department to everybody else.
            return Verdict.NOTHING
        return Verdict.FAILS
