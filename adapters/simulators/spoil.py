"""Answers that are broken below the department's dialect: bytes, lengths, silence.

Knows HTTP only; each simulator maps names of its own faults to these.
"""

import asyncio
from enum import Enum, auto
from typing import Final, assert_never

from aiohttp import web
from aiohttp.typedefs import Handler

OVERSIZED: Final = 8 * 1024 * 1024
"""Octets of an oversized body: a hundred times what any honest answer has."""

_PAGE: Final = (
    "<html><head><title>系统维护</title></head><body>系统正在维护，请稍后再试</body></html>"
)


class Spoil(Enum):
    """How an answer is spoiled."""

    HANG = auto()
    SERVER_ERROR = auto()
    HTML_PAGE = auto()
    EMPTY_BODY = auto()
    HALF_BODY = auto()
    GBK_BODY = auto()
    REDIRECT = auto()


async def spoil(request: web.Request, handler: Handler, how: Spoil) -> web.StreamResponse:
    """Answer in this broken way; the handler still works where its answer is needed."""
    match how:
        case Spoil.HANG:
            await asyncio.Event().wait()  # ends when the peer goes away or the simulator stops
            raise web.HTTPInternalServerError
        case Spoil.SERVER_ERROR:
            return web.Response(status=503, text="Service Unavailable")
        # Gateways and firewalls answer so: a success code, a page for people.
        case Spoil.HTML_PAGE:
            return web.Response(text=_PAGE, content_type="text/html")
        case Spoil.EMPTY_BODY:
            return _like(await handler(request), b"")
        case Spoil.HALF_BODY:
            return await _send_half(request, await handler(request))
        # GB 18030 contains GBK and can also write the rarest of our names.
        case Spoil.GBK_BODY:
            answer = await handler(request)
            text = _body(answer).decode()
            return _like(answer, text.encode("gb18030"))
        case Spoil.REDIRECT:
            return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/login"})
        case _:
            assert_never(how)


def _body(answer: web.StreamResponse) -> bytes:
    # A stream has no body to spoil; no handler of ours streams.
    if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
        return answer.body
    return b""


def _like(answer: web.StreamResponse, body: bytes) -> web.Response:
    headers = {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
    return web.Response(status=answer.status, body=body, headers=headers)


async def _send_half(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """Declare the whole length, send half of it, cut the connection."""
    body = _body(answer)
    headers = {"Content-Type": answer.headers["Content-Type"], "Content-Length": str(len(body))}
    cut = web.StreamResponse(status=answer.status, headers=headers)
    # The length is sent before the body, so the peer knows that half is missing.
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut
