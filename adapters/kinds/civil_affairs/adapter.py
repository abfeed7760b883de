"""Civil affairs: each question goes to the source that can answer it (the page, section 6).

An officer's question, and every one about marriages and children, is asked live. A system job's
about a copied dataset is answered from our copy of the front-end database, which also proves to an
officer that there is nothing.
INVARIANT: what the copy does not hold is told as "not held" only while the copy reaches to within
15 minutes of now and every row of it could be read.
INVARIANT: the live check is asked by number and name together, so its silence is "not held" only
where the copy, looked through by number alone, holds nothing of anybody under the number.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed
from adapters.kinds.civil_affairs.asked import Asked, is_name, require_asked
from adapters.kinds.civil_affairs.children import ask_child
from adapters.kinds.civil_affairs.facts import (
    Line,
    ask_assistance,
    ask_cremation,
    read_assistance,
    read_cremation,
)
from adapters.kinds.civil_affairs.front_end import VIEWS
from adapters.kinds.civil_affairs.live import LiveCheck
from adapters.kinds.civil_affairs.marriage import ask_marriage, ask_registrations
from adapters.kinds.civil_affairs.poller import CopiedView, Poller
from adapters.mapping.dates import day_of_ms
from adapters.mapping.names import is_held_name, normalise_dots
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
from adapters.records import RawRecord, RecordSource, dataset_of, settle

_CREMATION: Final = "ca.cremation"
_LASTING: Final = timedelta(hours=24)
"""How long a line of a cremation is told from a copy that no longer reaches to now: a day of their
replication may be lost without stopping a nightly sweep, and no mistake outlives it (the page, 4).
"""
_HEALTH_S: Final = 2.0
_LIVE: Final[Mapping[str, Callable[[LiveCheck, Query], Awaitable[RawRecord | None]]]] = (
    MappingProxyType(
        {
            "ca.marriage_verify": ask_marriage,
            "ca.marriage_record": ask_registrations,
            _CREMATION: ask_cremation,
            "ca.assistance": ask_assistance,
            "ca.adoption_child": ask_child,
        }
    )
)
DATASETS: Final = frozenset(_LIVE)
"""Datasets this kind can serve, without version."""


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME for a person without a name the department takes."""
    if query.subject.type is not SubjectType.RESIDENT_ID:
        return None
    named = is_name(normalise_dots(query.subject.full_name or ""))
    return None if named else Lacking.SUBJECT_NAME


class CivilAffairsAdapter:
    """Asks civil affairs."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        live: LiveCheck,
        poller: Poller | None,
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._live = live
        self._poller = poller

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
        """Whether questions of the live check are let through; the copy has no breaker."""
        return self._live.breaker_state

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return SUBJECT_NAME for a person without a name the department takes."""
        return find_lacking(query)

    def begin(self) -> None:
        """Begin to copy, before the first question needs the copy; needs a running event loop."""
        if self._poller is not None:
            self._poller.start()

    async def fetch(self, query: Query) -> Outcome:
        """Ask the department, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """Ask about nobody, and look whether every copy reaches to now."""
        if self._live.breaker_state is BreakerState.OPEN:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            await self._live.probe(time.monotonic() + _HEALTH_S)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        except AdapterError:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        return self._examine_copies(self._poller)

    async def close(self) -> None:
        """End copying, forget the copies, release connections."""
        if self._poller is not None:
            await self._poller.close()
        await self._live.close()

    def _examine_copies(self, poller: Poller | None) -> AdapterHealth:
        if poller is not None:
            poller.start()
            for view in poller.views.values():
                # A failure shows here at once, before the copy is too old to answer from.
                lag = view.failure or view.find_lag(poller.now())
                if lag is not None:
                    return AdapterHealth(reachable=False, detail=f"FRONT_END_{lag.value}")
        return AdapterHealth(reachable=True, detail="OK")

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        dataset = dataset_of(query)
        ask = _LIVE.get(dataset)
        if query.dataset.name not in self._datasets or ask is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        if query.subject.type is not SubjectType.RESIDENT_ID:
            return None
        # An officer decides now and about one person; a sweep would be the platform's whole quota.
        if not query.by_officer and (kept := await self._find_copy(dataset)) is not None:
            return _read_copy(*kept, dataset, query)
        raw = await ask(self._live, query)
        if raw is None and dataset in VIEWS:
            await self._require_absent(dataset, query.subject.identifier)
        return raw

    async def _find_copy(self, dataset: str) -> tuple[CopiedView, datetime] | None:
        """Return the copy of a dataset, once a round has ended, and China's time; None without."""
        view = VIEWS.get(dataset)
        if self._poller is None or view is None or view not in self._poller.views:
            return None
        self._poller.start()
        copied = self._poller.views[view]
        # Until the first round ends, there is nothing to be fresh or stale; `settle` ends the wait.
        await copied.tried.wait()
        return copied, self._poller.now()

    async def _require_absent(self, dataset: str, identifier: str) -> None:
        """Prove that nothing is held under a number, whatever name stands beside it.

        Raises:
            DepartmentFailed: SUBJECT_UNRESOLVED without a copy, or where it holds a line under the
                number; otherwise why the copy tells no absence.
        """
        kept = await self._find_copy(dataset)
        # Not held, or held under another spelling of the name: the live check says both alike
        # (the page, section 3.4), and the catalog would sign a NO of either.
        if kept is None or kept[0].copy.find(identifier):
            raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
        view, now = kept
        if (lag := view.find_lag(now)) is not None:
            raise DepartmentFailed(lag)


def _read_copy(view: CopiedView, now: datetime, dataset: str, query: Query) -> RawRecord | None:
    asked = require_asked(query)
    lines = _own_lines(asked, view.copy.find(asked.identifier))
    lag = view.find_lag(now)
    # Whoever was cremated stays so, and everything else may have changed in what has not arrived.
    # But a line may be withdrawn as well, which a copy that stands still never learns of.
    lasts = dataset == _CREMATION and view.reaches(now, _LASTING)
    if lag is not None and not (lines and lasts):
        raise DepartmentFailed(lag)
    if dataset == _CREMATION:
        return read_cremation(lines)
    return read_assistance(lines, day_of_ms(query.issued_at_ms))


def _own_lines(asked: Asked, lines: Sequence[Line]) -> Sequence[Line]:
    """Return the lines of this name under the number.

    Raises:
        DepartmentFailed: SUBJECT_UNRESOLVED where only others stand under it: two people of one
            number, or one name written in two ways, and nobody can tell which.
    """
    own = [line for line in lines if is_held_name(asked.name, line["name"])]
    if lines and not own:
        raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
    return own
