"""The HTTP face of the commerce department: routes, signatures, answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators.commerce.changes import Feed
from adapters.simulators.commerce.contract import DRIFTED, drift, load_document
from adapters.simulators.commerce.faults import SPOILS, Fault
from adapters.simulators.commerce.keys import Key, require_key
from adapters.simulators.commerce.questions import (
    CHECKS,
    COMMON,
    Question,
    parse_question,
    require_one,
)
from adapters.simulators.commerce.refusals import (
    Members,
    Refused,
    json_answer,
    refusal,
    success,
)
from adapters.simulators.commerce.register import Answer, Register
from adapters.simulators.commerce.webhooks import Webhooks
from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import record_into, refuse_strangers
from adapters.simulators.recorder import Recorder
from adapters.simulators.spoil import OVERSIZED, spoil
from adapters.simulators.virtual_clock import VirtualClock

BODY_LIMIT: Final = 16 * 1024
"""Octets of a request (docs/adapters/commerce.md, section 1)."""

PAGE_LIMIT: Final = 200
"""Items of one page of the change feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Everything the face needs."""

    keys: dict[str, Key]
    register: Register
    feed: Feed
    webhooks: Webhooks
    board: FaultBoard[Fault]
    clock: VirtualClock
    recorder: Recorder


def build_face(department: Department) -> web.Application:
    """Wire the routes."""
    face = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[
            refuse_strangers,
            _answer_refusals,
            record_into(department.recorder, department.clock),
            _strike(department.board),
        ],
    )
    pages = _Pages(department)
    face.add_routes(
        [
            # aiohttp would answer HEAD by itself; the manual knows no HEAD.
            web.get("/openapi.json", pages.document, allow_head=False),
            web.post("/api/v1/enterprises/Qyxxcx", pages.base),
            web.post("/api/v1/enterprises/Qyxxyz", pages.verify),
            web.post("/api/v1/soletraders/query", pages.trader),
            web.post("/api/v1/positions/query", pages.positions),
            web.get("/api/v1/changes", pages.changes, allow_head=False),
            web.get("/api/v1/webhooks", pages.list_webhooks, allow_head=False),
            web.post("/api/v1/webhooks", pages.add_webhook),
            web.delete("/api/v1/webhooks/{id}", pages.drop_webhook),
        ]
    )
    face.on_shutdown.append(department.webhooks.stop)
    return face


@web.middleware
async def _answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into the department's JSON."""
    try:
        return await handler(request)
    except Refused as refused:
        return refusal(refused)
    except web.HTTPRequestEntityTooLarge:
        return refusal(Refused("4130"))
    except web.HTTPNotFound:
        return refusal(Refused("4040"))
    except web.HTTPMethodNotAllowed as wrong:
        return refusal(Refused("4050", {"Allow": wrong.headers["Allow"]}))


def _strike(board: FaultBoard[Fault]) -> Middleware:
    """Build the middleware that lets the faults of the interface strike."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        # The document is no answer about anybody.
        if not request.path.startswith("/api/"):
            return await handler(request)
        if board.strikes(Fault.RATE_LIMITED):
            raise Refused("4290", {"Retry-After": "2"})
        if board.strikes(Fault.SERVER_ERROR):
            raise Refused("5000")
        if board.strikes(Fault.CLOCK_SKEW):
            raise Refused("4011")
        if board.strikes(Fault.OVERSIZED_BODY):
            return json_answer(success("2000", [], padding="x" * OVERSIZED))
        struck = board.take(among=SPOILS.keys())
        return await (spoil(request, handler, SPOILS[struck]) if struck else handler(request))

    return strike


class _Pages:
    """The answers of the interface."""

    def __init__(self, department: Department) -> None:
        self._department = department
        self._document = load_document()
        self._drifted = drift(self._document)

    async def document(self, _request: web.Request) -> web.Response:
        """Publish the document; while the department drifts, the one it drifted to."""
        # Looked at, not taken: reading the document is not a strike.
        drifting = self._department.board.list_all()[Fault.SCHEMA_DRIFT] != "off"
        return web.json_response(self._drifted if drifting else self._document)

    async def base(self, request: web.Request) -> web.Response:
        """Find a company."""
        question = await self._question(request, COMMON, ("uniscid", "entname"))
        require_one(question, ("uniscid", "entname"))
        return self._answer(self._department.register.base, question)

    async def verify(self, request: web.Request) -> web.Response:
        """Compare what is declared of a company."""
        question = await self._question(request, COMMON | {"uniscid"}, CHECKS)
        if not question.keys() & set(CHECKS):
            raise Refused("4000")
        return self._answer(self._department.register.verify, question)

    async def trader(self, request: web.Request) -> web.Response:
        """Find a sole trader."""
        question = await self._question(request, COMMON, ("epbno", "traname"))
        require_one(question, ("epbno", "traname"))
        return self._answer(self._department.register.trader, question)

    async def positions(self, request: web.Request) -> web.Response:
        """Find what a person is to which enterprises."""
        question = await self._question(request, COMMON | {"cerno", "name"}, ())
        return self._answer(self._department.register.positions, question)

    async def changes(self, request: web.Request) -> web.Response:
        """Read a page of the change feed."""
        await self._require_key(request)
        cursor, limit = _parse_page(request)
        board, feed = self._department.board, self._department.feed
        if board.strikes(Fault.CURSOR_EXPIRED):
            raise Refused("4100")
        items, following, more = feed.page(cursor, limit)
        # In place of the last one, so that the page keeps to its limit; a page of one has no room.
        if limit > 1 and board.strikes(Fault.CHANGES_REPEATED):
            items, following, more = feed.page(cursor, limit - 1)
            items = feed.repeated(cursor) + items
        return json_answer(success("2000", items, cursor=following, more=more))

    async def add_webhook(self, request: web.Request) -> web.Response:
        """Register a target for changes."""
        key = await self._require_key(request)
        question = parse_question(await _body(request), {"url", "secret", "authcode"})
        _require_authcode(key, question)
        added = self._department.webhooks.add(key.key_id, question["url"], question["secret"])
        return json_answer(success("2000", [added.members()]), 201)

    async def list_webhooks(self, request: web.Request) -> web.Response:
        """List the key's own targets."""
        key = await self._require_key(request)
        found = self._department.webhooks.of_key(key.key_id)
        return json_answer(success("2000", [webhook.members() for webhook in found]))

    async def drop_webhook(self, request: web.Request) -> web.Response:
        """Forget a target."""
        key = await self._require_key(request)
        self._department.webhooks.drop(key.key_id, request.match_info["id"])
        return json_answer(success("2000", []))

    async def _require_key(self, request: web.Request) -> Key:
        now_ms = self._department.clock.now_ms()
        return require_key(request, await request.read(), self._department.keys, now_ms)

    async def _question(
        self, request: web.Request, required: frozenset[str], optional: tuple[str, ...]
    ) -> Question:
        """Admit a request and read what it asks."""
        key = await self._require_key(request)
        drifting = self._department.board.strikes(Fault.SCHEMA_DRIFT)
        needed = required | {DRIFTED} if drifting else required
        question = parse_question(await _body(request), needed, optional)
        _require_authcode(key, question)
        return question

    def _answer(self, ask: Callable[[Question], Answer], question: Question) -> web.Response:
        code, items = ask(question)
        body: Members = success(code, items)
        if self._department.board.strikes(Fault.NUMBER_CODE):
            body["code"] = int(code)
        return json_answer(body)


def _require_authcode(key: Key, question: Question) -> None:
    if question["authcode"] != key.authcode:
        raise Refused("4030")


def _parse_page(request: web.Request) -> tuple[str | None, int]:
    query = request.query
    # Each parameter once, and none the manual does not name.
    if len(query) != len(set(query)) or not set(query) <= {"cursor", "limit"}:
        raise Refused("4000")
    limit = query.get("limit", "")
    if not (limit.isascii() and limit.isdigit()) or limit != str(int(limit[:4])):
        raise Refused("4000")
    if not 1 <= int(limit) <= PAGE_LIMIT:
        raise Refused("4000")
    return query.get("cursor"), int(limit)


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise Refused("4000")
    return await request.read()
