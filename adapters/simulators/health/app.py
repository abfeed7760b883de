"""The HTTP face of the certificates: WSDL and calls."""

from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from aiohttp import web

from adapters.simulators.faults import FaultBoard
from adapters.simulators.health.apps import App
from adapters.simulators.health.distortions import (
    INNER,
    OUTER,
    Asked,
    distort,
    hostile_envelope,
    hostile_message,
    spoil_base64,
)
from adapters.simulators.health.envelope import Call, encode_answer, parse_call
from adapters.simulators.health.faults import SPOILS, Fault
from adapters.simulators.health.message import (
    QuestionRefused,
    encode_refusal,
    encode_rows,
    parse_question,
)
from adapters.simulators.health.quota import Quota
from adapters.simulators.health.register import Register, require_asker
from adapters.simulators.health.signatures import CallRefused, Gate
from adapters.simulators.loopback import record_into, refuse_strangers
from adapters.simulators.recorder import Recorder
from adapters.simulators.soap import encode_fault, spoil_calls, xml_answer
from adapters.simulators.virtual_clock import VirtualClock

PATH: Final = "/ws/medicalCertificate"
BODY_LIMIT: Final = 64 * 1024
"""Octets of a request (manual, section 2): one person, with room to spare."""
SKEW_MS: Final = 600_000
"""By how much the clock is wrong under the fault `clock_skew`."""
UNKNOWN_CODE: Final = "99"
"""A `success` that stands in no list."""

_WSDL: Final = files("adapters.simulators.health").joinpath("health.wsdl").read_bytes()
_MESSAGES: Final = {
    "HC-5000": "服务内部错误",
    "HC-4001": "媒体类型、SOAPAction 或信封不合约定",
    "HC-4010": "鉴权头缺失或格式不对",
    "HC-4011": "请求方未登记或签名错误",
    "HC-4012": "时间超出窗口",
    "HC-4013": "nonce 重复",
    "HC-4030": "未获准调用此操作",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Everything the face needs."""

    register: Register
    gate: Gate
    quota: Quota
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
            record_into(department.recorder, department.clock),
            spoil_calls(department.board, PATH, SPOILS, Fault.OVERSIZED_BODY),
        ],
    )
    face.add_routes([web.get(PATH, pages.wsdl), web.post(PATH, pages.call)])
    return face


class _Pages:
    """The answers of the face."""

    def __init__(self, department: Department) -> None:
        self._department = department

    async def wsdl(self, request: web.Request) -> web.Response:
        """Serve the fixed WSDL; only the port in its address differs."""
        if "wsdl" not in request.query:
            raise web.HTTPNotFound
        return xml_answer(_WSDL.replace(b"@ADDRESS@", f"http://{request.host}{PATH}".encode()))

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call."""
        board = self._department.board
        if board.strikes(Fault.SOAP_FAULT):
            return xml_answer(encode_fault("Server", "HC-5000", _MESSAGES["HC-5000"]), 500)
        try:
            call = await _read(request)
            message = self._answer(call)
        except CallRefused as refused:
            return xml_answer(encode_fault("Client", refused.code, _MESSAGES[refused.code]), 500)
        answer = b64encode(message).decode()
        if board.strikes(Fault.BAD_BASE64):
            answer = spoil_base64(answer)
        hostile = board.take(among=OUTER)
        return xml_answer(
            hostile_envelope(hostile) if hostile else encode_answer(call.operation, answer)
        )

    def _answer(self, call: Call) -> bytes:
        """Write the message that answers a call; a refused question says why in its result."""
        board, now_ms = self._department.board, self._now_ms()
        # First the caller, then his question: a stranger learns nothing of messages.
        app = self._department.gate.require_caller(
            call.credentials, call.operation, call.request, now_ms
        )
        hostile = board.take(among=INNER)
        if hostile:
            return hostile_message(hostile)
        try:
            message = self._look_up(call, app, now_ms)
        except QuestionRefused as refused:
            message = encode_refusal(refused.code)
        # The envelope holds base64 alone: only inside it can an encoding be wrong.
        # GB 18030 contains GBK and can also write the rarest of our names.
        return message.decode().encode("gb18030") if board.strikes(Fault.GBK_TEXT) else message

    def _look_up(self, call: Call, app: App, now_ms: int) -> bytes:
        """Judge the question in the order of the manual, section 4, and list the rows."""
        department = self._department
        if not department.quota.take(app.app_id, now_ms):
            raise QuestionRefused("7")
        question = parse_question(call.request)
        require_asker(question, app, now_ms)
        _refuse_when_busy(department.board)
        rows = department.register.answer(call.operation, question)
        asked = Asked(operation=call.operation, question=question, register=department.register)
        return encode_rows(distort(rows, department.board, asked))

    def _now_ms(self) -> int:
        skewed = self._department.board.strikes(Fault.CLOCK_SKEW)
        return self._department.clock.now_ms() + (SKEW_MS if skewed else 0)


async def _read(request: web.Request) -> Call:
    if request.content_type != "text/xml" or "SOAPAction" not in request.headers:
        raise CallRefused("HC-4001")
    return parse_call(await request.read())


def _refuse_when_busy(board: FaultBoard[Fault]) -> None:
    if board.strikes(Fault.NOT_SUCCESS):
        raise QuestionRefused("8")
    if board.strikes(Fault.UNKNOWN_CODE):
        raise QuestionRefused(UNKNOWN_CODE)
