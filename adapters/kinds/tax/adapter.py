"""The conversation with the tax department: ask, wait as long as the deadline lets, come back.

INVARIANT: no answer yet is PENDING, whatever the cause, and never a finding.
"""

import time
from collections.abc import Callable
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed
from adapters.kinds.tax.desk import Desk
from adapters.kinds.tax.envelope import TaxIdentity
from adapters.kinds.tax.packages import Waiting
from adapters.kinds.tax.pending import PendingQuestions
from adapters.kinds.tax.questions import SERVICES, build_question
from adapters.kinds.tax.sftp import SftpTransport
from adapters.kinds.tax.window import left_of_window
from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, settle
from adapters.transport import RESERVE_S

DATASETS: Final = frozenset(SERVICES)
"""Datasets this kind can serve, without version."""

# Earlier than `settle` gives up: who is told to come back must be told so.
_LEAVE_S: Final = 2 * RESERVE_S
_SOONEST_S, _LATEST_S = 5.0, 900.0
_HEALTH_S: Final = 2.0


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME for a person without one."""
    named = query.subject.type is not SubjectType.RESIDENT_ID or query.subject.full_name
    return None if named else Lacking.SUBJECT_NAME


class TaxAdapter:
    """Asks the tax department."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        transport: SftpTransport,
        identity: TaxIdentity,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._transport = transport
        self._now_ms = now_ms
        self._clock = clock
        self._desk = Desk(transport, identity, now_ms, clock)
        self._pending = PendingQuestions()

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self._source.organisation

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets this adapter serves."""
        return self._datasets

    @property
    def breaker_state(self) -> BreakerState:
        """Whether questions are let through."""
        return self._transport.breaker.state

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return SUBJECT_NAME for a person without one."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the department, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """List the results: the cheapest operation that proves both sides' keys."""
        if self._transport.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            await self._transport.names("/out", self._clock() + _HEALTH_S, lambda _: False)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """End what is under way, forget it, and release the connection."""
        await self._desk.close()
        self._pending.clear()
        await self._transport.close()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        if query.dataset.name not in self._datasets:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        question = build_question(query)
        waiting = self._pending.find(query)
        if waiting is None:
            if self._transport.breaker.is_open:
                # No package that cannot be dropped: its questions would wait for nothing.
                raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE)
            waiting = self._desk.ask(question)
        return await self._await(query, waiting)

    async def _await(self, query: Query, waiting: Waiting) -> RawRecord | None:
        answered = False
        try:
            answered = await self._desk.wait(waiting, query.deadline - _LEAVE_S - time.monotonic())
        finally:
            waiting.left = not answered
        if answered:
            self._pending.forget(waiting)
            settled = waiting.answer.result()
            if isinstance(settled, AdapterError):
                raise settled
            return settled
        if waiting.package.submitted_at is None:
            # It may still be dropped, but nobody can promise that.
            raise waiting.package.trouble or DepartmentFailed(Indeterminate.PROVIDER_TIMEOUT)
        self._pending.remember(query, waiting)
        raise DepartmentFailed(Indeterminate.PENDING, retry_after_s=self._retry_after(waiting))

    def _retry_after(self, waiting: Waiting) -> float:
        """Return when to come back: after as long again as it has taken, or after month's end."""
        again = min(max(self._desk.age(waiting), _SOONEST_S), _LATEST_S)
        acknowledged = waiting.package.acknowledged
        return again if acknowledged else max(again, left_of_window(self._now_ms()))
