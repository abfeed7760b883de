"""The REST face of civil affairs: one route, two layers of success codes."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators.civil_affairs.apps import App
from adapters.simulators.civil_affairs.distortions import FLOOD, distort
from adapters.simulators.civil_affairs.faults import SPOILS, Fault
from adapters.simulators.civil_affairs.questions import (
    VERIFYING,
    BadQuestion,
    Question,
    Service,
    parse_question,
)
from adapters.simulators.civil_affairs.register import Registers, result_of
from adapters.simulators.faults import FaultBoard
from adapters.simulators.form_signing import Business, Members, reply_text
from adapters.simulators.keyed_hash import sign_text
from adapters.simulators.loopback import record_into, refuse_strangers
from adapters.simulators.recorder import Recorder
from adapters.simulators.signed_form import Call, Platform, PlatformRefused
from adapters.simulators.spoil import OVERSIZED, spoil
from adapters.simulators.virtual_clock import VirtualClock

BODY_LIMIT: Final = 16 * 1024
"""Octets of a request (docs/adapters/civil_affairs.md, 3.1)."""
SKEW_MS: Final = 600_000
"""By how much the clock is wrong under the fault `clock_skew`."""

_OTHER_REQUEST: Final = str(UUID(int=0x0DD_0000_0000_4000_8000_0000_0000_0000))
_MESSAGES: Final = {
    "1": "成功",
    "-1": "平台调用失败",
    "E-101": "请求头签名错误",
    "E-102": "请求头时间超出窗口",
    "E-103": "请求标识重复",
    "E-105": "请求头缺失或格式不对",
    "E-106": "不在授权名单",
    "E-107": "表单签名错误",
    "E-108": "表单不合格",
    "E-109": "表单时间超出窗口",
    "E-110": "没有这个服务",
}
_INNER: Final = {"1": "查询条件不合格", "9": "业务库忙"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Everything the face needs."""

    registers: Registers
    platform: Platform[App]
    board: FaultBoard[Fault]
    clock: VirtualClock
    recorder: Recorder


def build_face(department: Department) -> web.Application:
    """Wire the route."""
    face = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[
            refuse_strangers,
            record_into(department.recorder, department.clock),
            _strike(department.board),
        ],
    )
    pages = _Pages(department)
    face.add_routes([web.post("/gateway/ca/{service}", pages.call)])
    return face


def _strike(board: FaultBoard[Fault]) -> Middleware:
    """Build the middleware that spoils answers below the dialect."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if board.strikes(Fault.OVERSIZED_BODY):
            return _json({"code": "1", "padding": "x" * OVERSIZED})
        struck = board.take(among=SPOILS.keys())
        return await (spoil(request, handler, SPOILS[struck]) if struck else handler(request))

    return strike


class _Pages:
    """The answers of the face."""

    def __init__(self, department: Department) -> None:
        self._department = department

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call."""
        try:
            call = await self._require_call(request)
            service = _parse_service(request.match_info["service"], call)
            _refuse_when_failed(self._department.board, call)
        except PlatformRefused as refused:
            return _json(
                {
                    "code": refused.code,
                    "msg": _MESSAGES[refused.code],
                    "request_id": refused.request_id,
                    "sign": "",
                    "biz_data": None,
                }
            )
        return self._succeed(call, self._answer(service, call.biz_content))

    async def _require_call(self, request: web.Request) -> Call[App]:
        if request.content_type != "application/x-www-form-urlencoded":
            raise PlatformRefused("E-105")
        skewed = self._department.board.strikes(Fault.CLOCK_SKEW)
        now_ms = self._department.clock.now_ms() + (SKEW_MS if skewed else 0)
        body = await request.read()
        return self._department.platform.require_call(request.headers, body, now_ms)

    def _answer(self, service: Service, biz_content: str) -> Business:
        board = self._department.board
        try:
            question = parse_question(service, biz_content)
        except BadQuestion:
            return _fail("1")
        if board.strikes(Fault.REGISTER_BUSY):
            return _fail("9")
        rows = self._rows(service, question)
        if service in VERIFYING:
            result = result_of(service, question, rows)
            # "No match" has nothing a fault could change.
            results = distort(service, [result], board) if rows else [result]
            return {"code": "0", "status": "success", "result": results}
        return self._page(distort(service, rows, board), question)

    def _rows(self, service: Service, question: Question) -> list[Members]:
        registers, board = self._department.registers, self._department.board
        if board.strikes(Fault.NO_MATCH):
            return []
        if board.strikes(Fault.OTHER_PERSON):
            return registers.other_rows(service, question)
        return registers.rows(service, question)

    def _page(self, rows: list[Members], question: Question) -> Business:
        board = self._department.board
        start = 0 if board.strikes(Fault.PAGE_REPEATS) else question.start
        page, total = rows[start : start + question.limit], len(rows)
        if board.strikes(Fault.MANY_ROWS):
            page, total = rows[:1] * FLOOD, FLOOD
        if board.strikes(Fault.COUNT_MISMATCH):
            total += 1
        return {
            "code": "0",
            "status": "success",
            "returncount": str(len(page)),
            "recordcount": str(total),
            "rows": page,
        }

    def _succeed(self, call: Call[App], business: Business) -> web.Response:
        board = self._department.board
        request_id = _OTHER_REQUEST if board.strikes(Fault.OTHER_REQUEST) else call.request_id
        text = reply_text(request_id, "1", business)
        # A signature of the right form, over something else.
        signed = text + "0" if board.strikes(Fault.BAD_SIGN) else text
        return _json(
            {
                "code": "1",
                "msg": _MESSAGES["1"],
                "request_id": request_id,
                "sign": sign_text(call.app.app_key, signed),
                "biz_data": business,
            }
        )


def _parse_service(text: str, call: Call[App]) -> Service:
    try:
        return Service(text)
    except ValueError as cause:
        raise PlatformRefused("E-110", call.request_id) from cause


def _refuse_when_failed(board: FaultBoard[Fault], call: Call[App]) -> None:
    if board.strikes(Fault.PLATFORM_FAILED):
        raise PlatformRefused("-1", call.request_id)


def _fail(code: str) -> Business:
    return {"code": code, "status": "fail", "msg": _INNER[code]}


def _json(body: "dict[str, str | Business | None]") -> web.Response:
    return web.Response(
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
