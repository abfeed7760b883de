"""Civil affairs: each question goes to the source that can answer it (the page, section 6).

An officer's question, and every one about marriages and children, is asked live. A system job's
about a copied dataset is answered from our copy of the front-end database.
INVARIANT: what the copy does not hold is told as "not held" only while the copy reaches to within
15 minutes of now and every row of it could be read.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
from adapters.kinds.civil_affairs.poller import Poller
from adapters.mapping.dates import day_of_ms
from adapters.mapping.names import compare_names, normalise_dots
from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    Finding,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, dataset_of, settle

_CREMATION: Final = "ca.cremation"
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
        view = VIEWS.get(dataset)
        copied = self._poller is not None and view in self._poller.views
        # An officer decides now and about one person; a sweep would be the platform's whole quota.
        if self._poller is None or view is None or not copied or query.by_officer:
            return await ask(self._live, query)
        return await _read_copy(self._poller, view, dataset, query)


async def _read_copy(
    poller: Poller, view_name: str, dataset: str, query: Query
) -> RawRecord | None:
    asked, view = require_asked(query), poller.views[view_name]
    poller.start()
    # Until the first round ends, there is nothing to be fresh or stale; `settle` ends the wait.
    await view.tried.wait()
    lines = _own_lines(asked, view.copy.find(asked.identifier))
    lag = view.find_lag(poller.now())
    # Whoever was cremated stays so. Everything else may have changed in what has not arrived.
    if lag is not None and not (lines and dataset == _CREMATION):
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
    own = [line for line in lines if compare_names(asked.name, line["name"]) is not Finding.NO]
    if lines and not own:
        raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
    return own
