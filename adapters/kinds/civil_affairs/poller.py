"""Copies views by watermark and knows how far each copy reaches (the page, section 2.3).

A row may be committed up to 15 minutes after the time it bears, so each round begins that long
below the watermark; the copy knows what it has seen.
INVARIANT: `synced_to` is read before the rows: a copy never claims to reach further than it does.
INVARIANT: a round that breaks off moves neither watermark nor `as_of`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs.front_end import PAGE_ROWS, FrontEnd
from adapters.kinds.civil_affairs.sealed_copy import MAX_ROWS, Position, SealedCopy
from adapters.mapping.dates import CHINA_TIME
from adapters.port import Indeterminate

_LOG: Final = logging.getLogger(__name__)

LATEST_COMMIT: Final = timedelta(minutes=15)
"""How long after its `upd_time` a row may be committed."""
MAX_LAG: Final = timedelta(minutes=15)
"""A copy that reaches less far says nothing of what it does not hold."""
# A clock that differs by more than the platform allows is wrong (section 3.1: 300 s).
_MAX_AHEAD: Final = timedelta(minutes=5)
# Above the page's 15 minutes: stamps are cut to milliseconds, and clocks of two machines differ.
_MARGIN: Final = timedelta(minutes=1)
_BEGINNING: Final = datetime.min  # noqa: DTZ901 - the driver's `-infinity`; views have no zone
_FIRST_ROW: Final = -(2**63)
_RETRY_S: Final = 1.0
_PASSING: Final = frozenset({Indeterminate.PROVIDER_TIMEOUT, Indeterminate.PROVIDER_UNAVAILABLE})
# Each row of a full copy, pushed twice.
_MAX_PAGES: Final = 2 * MAX_ROWS // PAGE_ROWS


@dataclass(slots=True, kw_only=True)
class CopiedView:
    """The copy of one view and how far it reaches."""

    name: str
    copy: SealedCopy = field(default_factory=SealedCopy, repr=False)
    watermark: datetime = _BEGINNING
    as_of: datetime | None = None
    """China time up to which the department's commits stand here; None before the first round."""
    failure: Indeterminate | None = None
    """Why the last round broke off."""
    tried: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set once a round has ended; the first may be lost to what passes by itself."""
    rounds: int = 0

    def reaches(self, now: datetime, within: timedelta) -> bool:
        """Tell whether the copy is younger than that; one never wholly read is of no age."""
        # Below as well: to a clock that was set back, any copy is from the future and never ages.
        return self.as_of is not None and -_MAX_AHEAD <= now - self.as_of < within

    def find_lag(self, now: datetime) -> Indeterminate | None:
        """Return why absence from this copy means nothing now; None where it does."""
        if self.reaches(now, MAX_LAG):
            return None if not self.copy.unreadable else Indeterminate.PROVIDER_MALFORMED
        # Without a failure of ours it is the department's replication that stands still.
        return self.failure or Indeterminate.PROVIDER_UNAVAILABLE


class Poller:
    """Keeps the copies of some views up to date while it runs; one connection, one event loop."""

    def __init__(
        self,
        front_end: FrontEnd,
        views: Iterable[str],
        *,
        now_ms: Callable[[], int],
        interval_s: float,
    ) -> None:
        self._front_end = front_end
        self._views = {name: CopiedView(name=name) for name in views}
        self._now_ms = now_ms
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None

    @property
    def views(self) -> Mapping[str, CopiedView]:
        """Copies by name of their view."""
        return self._views

    def now(self) -> datetime:
        """Return the time in China, without a zone as the views have it."""
        return (datetime.fromtimestamp(self._now_ms() / 1000, CHINA_TIME)).replace(tzinfo=None)

    def start(self) -> None:
        """Begin to copy, unless it runs; needs a running event loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(_report_end)

    async def close(self) -> None:
        """End copying, release the connection and forget every row."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._front_end.close()
        for view in self._views.values():
            view.copy.wipe()
            view.as_of, view.watermark = None, _BEGINNING

    async def poll(self) -> bool:
        """Read every view once and return whether all could be."""
        for view in self._views.values():
            try:
                await self._poll_view(view)
                view.failure = None
            except DepartmentFailed as failed:
                view.failure = failed.reason
                _LOG.warning("view %s: %s", view.name, failed.reason)
            except AdapterError as failed:
                view.failure = Indeterminate.PROVIDER_MALFORMED
                _LOG.warning("view %s: %s", view.name, failed)
            view.rounds += 1
            # A gateway and its database may start together: one silence is no reason to answer
            # "cannot be told" to whoever can still wait for the next round.
            if view.failure not in _PASSING or view.rounds > 1:
                view.tried.set()
        return not any(view.failure for view in self._views.values())

    async def _run(self) -> None:
        retry = _RETRY_S
        while True:
            # A database that restarts is asked again soon, one that stays away ever less often.
            if await self.poll():
                retry, pause = _RETRY_S, self._interval_s
            else:
                retry, pause = retry * 2, min(retry, self._interval_s)
            await asyncio.sleep(pause)

    async def _poll_view(self, view: CopiedView) -> None:
        now = self.now()
        synced = await self._front_end.fetch_synced(view.name)
        if synced > now + _MAX_AHEAD:
            # Believed, it would hide that replication stands still.
            raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
        reached = min(synced, now)
        after: Position = (_below(view.watermark), _FIRST_ROW)
        last = view.watermark
        for _ in range(_MAX_PAGES):
            page = await self._front_end.fetch_page(view.name, after)
            view.copy.apply(page)
            if page:
                after = page[-1].position
                last = max(last, after[0])
            if len(page) < PAGE_ROWS:
                break
        else:
            raise AnswerMalformed("a view does not end")
        # A stamp from the future must not lift the watermark over rows that are still to come.
        view.watermark, view.as_of = min(last, reached), reached


def _below(watermark: datetime) -> datetime:
    overlap = LATEST_COMMIT + _MARGIN
    return watermark - overlap if watermark - _BEGINNING > overlap else _BEGINNING


def _report_end(task: asyncio.Task[None]) -> None:
    # An unforeseen end shows as a copy that grows old; the type is what operators need.
    if not task.cancelled() and (cause := task.exception()) is not None:
        _LOG.error("copying ended: %s", type(cause).__name__)
