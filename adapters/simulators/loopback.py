"""Runs a simulator as its own process: two loopback ports, one line of JSON, a clean end.

INVARIANT: bound to 127.0.0.1 only; any other peer is refused before a handler sees the request.
Nothing is written to disk; what was received is overwritten at the end.
"""

import asyncio
import json
import os
import secrets
import signal
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock

LOOPBACK: Final = "127.0.0.1"


class Face(Protocol):
    """A face that speaks no HTTP; it refuses strangers and wipes what it holds itself."""

    async def start(self, port: int) -> int:
        """Listen on loopback; return the port."""
        ...

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The two faces of a simulator and what must be wiped when it ends.

    `published` joins the line of JSON: what a client must know before he connects. `tls` is for a
    face of web pages.
    """

    department: str
    face: web.Application | Face
    admin: web.Application
    recorder: Recorder
    published: Mapping[str, str | int] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where to listen; 0 chooses a free port."""

    face: int
    admin: int
    exit_with_stdin: bool


def new_admin_token() -> str:
    """Draw the token that guards the admin port."""
    return secrets.token_urlsafe(32)


@web.middleware
async def refuse_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse peers that are not on this machine."""
    # The bind address already keeps strangers out; this holds if somebody changes it.
    if request.remote != LOOPBACK:
        raise web.HTTPForbidden
    return await handler(request)


def record_into(recorder: Recorder, clock: VirtualClock) -> Middleware:
    """Build the middleware that keeps every request."""

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Read before any handler: also what is refused afterwards was received.
        body = await request.read()
        recorder.keep(
            at_ms=clock.now_ms(),
            request=(request.method, request.path_qs),
            headers=tuple(request.headers.items()),
            body=body,
        )
        return await handler(request)

    return record


def run(server: Server, ports: Ports, token: str) -> None:
    """Serve until SIGTERM, SIGINT or, when asked for, the end of standard input."""
    asyncio.run(_serve(server, ports, token))


async def _serve(server: Server, ports: Ports, token: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if ports.exit_with_stdin:
        # A parent that dies closes the pipe, so no simulator outlives its test.
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, stop)
    face, admin = _over_http(server.face, server.tls), _over_http(server.admin)
    face_port = await face.start(ports.face)
    ready = {
        "department": server.department,
        "host": LOOPBACK,
        "port": face_port,
        "admin_port": await admin.start(ports.admin),
        "admin_token": token,
        **server.published,
    }
    # One line and never another: whoever started us reads exactly this.
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    try:
        await stop.wait()
    finally:
        # Stop listening first: what arrives during the wipe would not be wiped.
        await face.stop()
        await admin.stop()
        server.recorder.wipe()


class _Http:
    """A face of web pages."""

    def __init__(self, app: web.Application, tls: ssl.SSLContext | None) -> None:
        # No access log: its lines would hold paths with verification codes.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        self._tls = tls

    async def start(self, port: int) -> int:
        """Listen on loopback; return the port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, port, ssl_context=self._tls).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        await self._runner.cleanup()


def _over_http(face: web.Application | Face, tls: ssl.SSLContext | None = None) -> Face:
    return _Http(face, tls) if isinstance(face, web.Application) else face


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stop.set()
