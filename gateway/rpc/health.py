"""Health for probes and metrics for scrapers, over plain HTTP on a loopback port of their own.

`/healthz` says the process lives; `/readyz` does the real operations: appends a `tick` to the
access log, looks at the trust store's expiry, at SM2, and asks each department's adapter;
`/metrics` is Prometheus text; `/departments` tells of the last ten minutes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web
from prometheus_client import Gauge

from gateway.metrics import Labelled, Metrics
from gateway.rpc.departments import Departments, add_departments

PATIENCE_S: Final = 5.0
"""How long one part may take over its real operation."""
FRESH_S: Final = 5.0
"""A result younger than this is given again, so that probes cannot load the gateway."""

Look = Callable[[], Awaitable[str | None]]
"""Does the real operation of a part; None when it worked, else a code for operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the gateway; `essential` parts decide readiness."""

    look: Look
    essential: bool


class Gauged(Protocol):
    """Whoever has a gauge per part."""

    @property
    def health(self) -> Labelled[Gauge]:
        """1 when the part worked at the last look."""
        ...


class Health:
    """Looks at the parts, at most once per `FRESH_S`."""

    def __init__(self, parts: Mapping[str, Part], metrics: Gauged) -> None:
        self._parts = parts
        self._metrics = metrics
        self._looked = -FRESH_S
        self._found: dict[str, str | None] = {}
        self._looking = asyncio.Lock()

    async def report(self) -> tuple[bool, dict[str, str]]:
        """Return readiness and a code per part."""
        # One look at a time: probes that come meanwhile wait and share what it finds.
        async with self._looking:
            if time.monotonic() - self._looked >= FRESH_S:
                await self._look()
        ready = all(
            self._found.get(name) is None for name, part in self._parts.items() if part.essential
        )
        return ready, {name: found or "ok" for name, found in self._found.items()}

    async def _look(self) -> None:
        found = await asyncio.gather(*(_looked_at(part) for part in self._parts.values()))
        self._found = dict(zip(self._parts, found, strict=True))
        self._looked = time.monotonic()
        for name, code in self._found.items():
            self._metrics.health.of(name).set(code is None)


async def _looked_at(part: Part) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await part.look()
    except TimeoutError:
        return "timeout"


def build_health_app(health: Health, metrics: Metrics, departments: Departments) -> web.Application:
    """Return the HTTP application of the health port."""

    # Looks at nothing: restarting us because a department is down would only make it worse.
    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_request: web.Request) -> web.Response:
        is_ready, parts = await health.report()
        status = 200 if is_ready else 503
        return web.json_response({"ready": is_ready, "parts": parts}, status=status)

    async def exposition(_request: web.Request) -> web.Response:
        departments.gauge()
        return web.Response(body=metrics.exposition(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", exposition)
    add_departments(app, departments)
    return app
