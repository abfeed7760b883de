"""`/departments` of the health port: what each department's adapter serves and how it answers."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from adapters.port import BreakerState, ProviderAdapter
from gateway.board import WINDOW_S
from gateway.metrics import Metrics
from gateway.rooms import Rooms
from signing.encoding import JsonValue

OPENNESS: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
"""The value of `hutong_provider_breaker`."""


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


def _us(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)


def add_departments(app: web.Application, departments: Departments) -> None:
    """Let the health port tell of departments."""

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(departments.report())

    app.router.add_get("/departments", tell)
