"""The HTTPS face of the banks: who asks, how often, and where answers are fetched."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators.bank.faults import SPOILS, Fault
from adapters.simulators.bank.front import NOBODY, Front, Request, Taken
from adapters.simulators.bank.limits import Rate
from adapters.simulators.bank.mailbox import Kept, Mailbox
from adapters.simulators.bank.refusals import RETRY_AFTER, STATUSES, Refused
from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import record_into, refuse_strangers
from adapters.simulators.recorder import Recorder
from adapters.simulators.spoil import OVERSIZED, spoil
from adapters.simulators.virtual_clock import VirtualClock

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from adapters.simulators.bank.callers import Caller

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Octets of a request (manual, section 1): 500 checks take less than one."""
PATH: Final = "/bank/v1/messages"
LATE_S: Final = 0.3
"""Real seconds after which the front goes on with a message whose sender was told nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Above how many items an answer is fetched later, and after how long."""

    above: int
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Everything the face needs; `callers` by the digest of their TLS certificate."""

    front: Front
    callers: "Mapping[str, Caller]"
    delay: Delay
    board: FaultBoard[Fault]
    clock: VirtualClock
    recorder: Recorder


def build_face(department: Department) -> web.Application:
    """Wire the routes."""
    pages = _Pages(department)
    face = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[
            refuse_strangers,
            _answer_refusals(department),
            record_into(department.recorder, department.clock),
            _admit(department),
            _strike(department.board),
        ],
    )
    face.add_routes([web.post(PATH, pages.post), web.get(f"{PATH}/{{id}}", pages.fetch)])
    return face


def _answer_refusals(department: Department) -> Middleware:
    """Build the middleware that turns refusals into signed messages."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        request["taken"] = taken = Taken()
        try:
            return await handler(request)
        except Refused as refused:
            code = refused.code
        except web.HTTPRequestEntityTooLarge:
            code = "LIM02"
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            code = "MSG01"
        caller = _caller(request, department)
        body = department.front.refuse(code, caller.id if caller else NOBODY, taken.message_id)
        headers = {"Retry-After": RETRY_AFTER[code]} if code in RETRY_AFTER else {}
        return _xml(body, STATUSES[code][0], headers)

    return answer


def _admit(department: Department) -> Middleware:
    """Build the middleware that knows the caller and how much he may ask."""
    rate = Rate()

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        caller = _caller(request, department)
        if caller is None:
            raise Refused("PTY01")
        if department.board.strikes(Fault.BUSY):
            raise Refused("BSY01")
        within = rate.admits(caller.id, department.clock.now_ms())
        if department.board.strikes(Fault.QUOTA) or not within:
            raise Refused("QTA01")
        request["caller"] = caller
        return await handler(request)

    return admit


def _strike(board: FaultBoard[Fault]) -> Middleware:
    """Build the middleware that spoils answers."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if board.strikes(Fault.OVERSIZED_BODY):
            return _xml(b"<padding>" + b"x" * OVERSIZED + b"</padding>")
        struck = board.take(among=SPOILS.keys())
        return await (spoil(request, handler, SPOILS[struck]) if struck else handler(request))

    return strike


class _Pages:
    """The answers of the face."""

    def __init__(self, department: Department) -> None:
        self._department = department
        self._mailbox = Mailbox()

    async def post(self, request: web.Request) -> web.Response:
        """Take a message and answer it now or later."""
        department, caller = self._department, request["caller"]
        charset = (request.charset or "utf-8").lower()
        if request.content_type != "application/xml" or charset != "utf-8":
            raise Refused("MED01")
        body = await request.read()
        if department.board.strikes(Fault.LATE_ACCEPT):
            # Somebody between loses patience; the message reaches the front all the same.
            self._after(lambda: self._answer(department.front.take(body, caller, Taken()), caller))
            return _gateway_timeout()
        taken = department.front.take(body, caller, request["taken"])
        if department.board.strikes(Fault.LATE_ANSWER):
            self._after(lambda: self._answer(taken, caller))
            return _gateway_timeout()
        return self._answer(taken, caller)

    def _after(self, work: "Callable[[], object]") -> None:
        """Do something later, whoever is still connected; a refusal reaches nobody."""

        def do() -> None:
            with suppress(Refused):
                work()

        asyncio.get_running_loop().call_later(LATE_S, do)

    def _answer(self, taken: Request, caller: "Caller") -> web.Response:
        department = self._department
        now_ms = department.clock.now_ms()
        slow = department.board.strikes(Fault.SLOW_REPLY)
        later = slow or len(taken.items) > department.delay.above
        ready_ms = now_ms + (department.delay.milliseconds if later else 0)
        body, message_id = department.front.answer(taken), taken.header.message_id
        kept = Kept(body=body, ready_ms=ready_ms)
        self._mailbox.put(caller.id, message_id, kept)
        return _pending(message_id) if later else _xml(body)

    async def fetch(self, request: web.Request) -> web.Response:
        """Give an answer again, or for the first time."""
        now_ms = self._department.clock.now_ms()
        message_id = request.match_info["id"]
        kept = self._mailbox.find(request["caller"].id, message_id, now_ms)
        if kept is None:
            raise Refused("MSG01")
        return _pending(message_id) if now_ms < kept.ready_ms else _xml(kept.body)


def _caller(request: web.Request, department: Department) -> "Caller | None":
    """Tell who stands at the other end of the TLS connection."""
    if request.transport is None:
        return None
    connection: ssl.SSLObject | None = request.transport.get_extra_info("ssl_object")
    certificate = connection.getpeercert(binary_form=True) if connection else None
    if certificate is None:
        return None
    return department.callers.get(sha256(certificate).hexdigest())


def _gateway_timeout() -> web.Response:
    return web.Response(status=504, text="Gateway Timeout")


def _pending(message_id: str) -> web.Response:
    headers = {"Location": f"{PATH}/{message_id}", "Retry-After": "2"}
    return web.Response(status=202, headers=headers)


def _xml(
    body: bytes, status: int = 200, headers: "Mapping[str, str] | None" = None
) -> web.Response:
    kind = {"Content-Type": "application/xml; charset=UTF-8"}
    return web.Response(status=status, body=body, headers={**kind, **(headers or {})})
