"""Answers looks into the log while the gateway serves, over a Unix socket beside the log.

The socket is this user's alone (0600), and the kernel names the peer of each connection: whoever is
not this user is turned away before a byte of the question is read (docs/adr/0013).
INVARIANT: identifiers travel in bodies only, never in a path, and nothing here logs a request.
"""

import asyncio
import contextlib
import json
import os
import socket
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.access_log.errors import AccessLogError
from gateway.errors import GatewayError
from gateway.looks import MAX_QUESTION, LookMalformed, Looks, Page, page_json, parse_look

PATH: Final = "/v1/looks"
PATIENCE_S: Final = 30.0
"""How long one look may take: a thousand proofs take well below a second."""
ENDING_S: Final = 5.0
"""How long looks under way may take to end when the gateway stops."""
_CREDENTIALS: Final = struct.Struct("3i")
"""`struct ucred` of unix(7): process, user, group."""
_BACKLOG: Final = 8


def socket_beside(database: Path) -> Path:
    """Return where the gateway that writes a log answers looks into it."""
    return database.with_name(database.name + ".look")


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a name for a socket's path that fits into its address, however deep it lies."""
    # sun_path holds 108 bytes (unix(7)), and folders of operators are longer than that.
    folder = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_is_this_user(connection: socket.socket) -> bool:
    """Whether the kernel says that this user is at the other end of a Unix socket."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(raw)
    return bool(user == os.geteuid())


class LookSocket:
    """The socket of one gateway: bound by `start`, taken away by `stop`."""

    def __init__(self, path: Path, looks: Looks) -> None:
        self._path = path
        self._looks = looks
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Bind and listen; whoever holds the log's lock may replace what an earlier one left.

        Raises:
            OSError: something else than a socket lies there, or it cannot be made.
        """
        listening = _listen(self._path)
        app = build_look_app(self._looks)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=ENDING_S)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        """Let looks under way end, and take the socket away."""
        if self._runner is None:
            return
        await self._runner.cleanup()
        self._runner = None
        self._path.unlink(missing_ok=True)


def build_look_app(looks: Looks) -> web.Application:
    """Return the HTTP application of the socket: one path, one method."""
    # One look at a time: a thousand proofs must not stand between an exchange and its entry twice.
    one_at_a_time = asyncio.Lock()

    async def show(request: web.Request) -> web.Response:
        connection = (
            None if request.transport is None else request.transport.get_extra_info("socket")
        )
        if connection is None or not peer_is_this_user(connection):
            return _refused(
                403, "只有网关自己的用户可以查看", "only the gateway's own user may look"
            )
        try:
            asked = parse_look(await request.read())
            async with asyncio.timeout(PATIENCE_S), one_at_a_time:
                page = await looks.show(asked)
        except LookMalformed as error:
            return _refused(400, *str(error).split("\n"))
        except (AccessLogError, GatewayError, sqlite3.Error, OSError, TimeoutError) as error:
            kind = type(error).__name__
            return _refused(503, f"没有显示任何条目：{kind}", f"nothing is shown: {kind}")
        # Beside the loop: a thousand receipts take a tenth of a second, and exchanges go on.
        body = await asyncio.to_thread(_spelled, page)
        return web.Response(body=body, content_type="application/json")

    app = web.Application(client_max_size=MAX_QUESTION)
    app.router.add_post(PATH, show)
    return app


def _listen(path: Path) -> socket.socket:
    if path.is_socket():
        path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    try:
        with short_path(path) as name:
            listening.bind(name)
        # Before it listens: nobody can connect until then, so nobody slips in by a wide umask.
        path.chmod(0o600)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _spelled(page: Page) -> bytes:
    return json.dumps(page_json(page)).encode()


def _refused(status: int, zh: str, en: str) -> web.Response:
    return web.json_response({"zh": zh, "en": en}, status=status)
