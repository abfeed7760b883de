"""What each department's adapter serves and how it answers: `/departments` and ListDepartments.

The health port lies on loopback and tells an operator everything. Partners ask over their channel,
and learn of the departments they have agreements with, never how much others ask of them: a count
beside the time of day tells what another authority is working at.
"""

from collections.abc import Collection, Iterable
from typing import Final

from aiohttp import web

from adapters.port import BreakerState, DatasetName, ProviderAdapter
from gateway.board import WINDOW_S, Recent
from gateway.metrics import Metrics
from gateway.rooms import Rooms
from gateway.statement.listing import DepartmentCounts, DepartmentFigures, DepartmentListing
from signing.encoding import JsonValue

OPENNESS: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
"""The value of `hutong_provider_breaker`."""
LEAST_TOLD: Final = 20
"""Questions in the window from which on partners are told figures (catalog.proto)."""


class Departments:
    """Tells of every connected department."""

    def __init__(self, adapters: Iterable[ProviderAdapter], metrics: Metrics, rooms: Rooms) -> None:
        """Keep the adapters in the order in which they are told."""
        self._adapters = tuple(adapters)
        self._metrics = metrics
        self._rooms = rooms

    def gauge(self) -> None:
        """Set the gauges of breakers and rooms to what they are now."""
        for each in self._adapters:
            name = each.organisation
            self._metrics.provider_breaker.of(name).set(OPENNESS[each.breaker_state])
            self._metrics.provider_waiting.of(name).set(self._rooms.inside(name))

    def report(self) -> dict[str, JsonValue]:
        """Return the window in seconds and one member per department."""
        return {
            "window_s": WINDOW_S,
            "departments": [self._department(each) for each in self._adapters],
        }

    def list_all(self) -> tuple[DepartmentListing, ...]:
        """Return every department with its counts, as the operator may know it."""
        return tuple(
            self._listing(each, each.datasets, counted=True)
            for each in sorted(self._adapters, key=lambda adapter: adapter.organisation)
        )

    def list_of(self, names: Collection[DatasetName]) -> tuple[DepartmentListing, ...]:
        """Return the departments that provide some of these datasets, without counts."""
        return tuple(
            self._listing(each, each.datasets.intersection(names), counted=False)
            for each in sorted(self._adapters, key=lambda adapter: adapter.organisation)
            if not each.datasets.isdisjoint(names)
        )

    def _listing(
        self, adapter: ProviderAdapter, names: Iterable[DatasetName], *, counted: bool
    ) -> DepartmentListing:
        organisation = adapter.organisation
        recent = self._metrics.board.recent(organisation)
        counts = DepartmentCounts(
            asked=recent.asked,
            answered=recent.answered,
            waiting=self._rooms.inside(organisation),
            room=self._rooms.limit,
        )
        return DepartmentListing(
            organisation=organisation,
            datasets=tuple(sorted(names)),
            breaker=adapter.breaker_state,
            figures=_figures(recent),
            counts=counts if counted else None,
        )

    def _department(self, adapter: ProviderAdapter) -> JsonValue:
        recent = self._metrics.board.recent(adapter.organisation)
        return {
            "organisation": adapter.organisation,
            "datasets": [str(name) for name in sorted(adapter.datasets)],
            "breaker": adapter.breaker_state.value,
            "waiting": self._rooms.inside(adapter.organisation),
            "room": self._rooms.limit,
            "asked": recent.asked,
            "answered": recent.answered,
            "p50_us": _us(recent.p50_s),
            "p95_us": _us(recent.p95_s),
        }


def _figures(recent: Recent) -> DepartmentFigures | None:
    if recent.asked < LEAST_TOLD:
        return None
    return DepartmentFigures(
        answered_percent=recent.answered * 100 // recent.asked,
        p50_s=recent.p50_s,
        p95_s=recent.p95_s,
    )


def _us(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)


def add_departments(app: web.Application, departments: Departments) -> None:
    """Let the health port tell of departments."""

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(departments.report())

    app.router.add_get("/departments", tell)
