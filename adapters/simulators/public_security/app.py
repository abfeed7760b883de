"""The HTTP face of the population register: secrets, WSDL, calls."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from aiohttp import web

from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import record_into, refuse_strangers
from adapters.simulators.public_security.apps import App
from adapters.simulators.public_security.distortions import (
    INNER,
    OTHER_REQUEST,
    OUTER,
    distort,
    hostile_envelope,
    hostile_package,
)
from adapters.simulators.public_security.envelope import (
    BadEnvelope,
    Call,
    encode_answer,
    parse_call,
)
from adapters.simulators.public_security.faults import SPOILS, Fault
from adapters.simulators.public_security.head_rules import require_account, require_head
from adapters.simulators.public_security.package import (
    PackageRefused,
    Reply,
    encode_package,
    parse_package,
)
from adapters.simulators.public_security.register import Register
from adapters.simulators.recorder import Recorder
from adapters.simulators.soap import encode_fault, spoil_calls, xml_answer
from adapters.simulators.two_step_key import Credentials, Platform, PlatformRefused
from adapters.simulators.virtual_clock import VirtualClock

BODY_LIMIT: Final = 2 * 1024 * 1024
"""Octets of a request (manual, section 2): 500 records leave room for portraits of 4 KiB each."""
SKEW_MS: Final = 600_000
"""By how much the clock is wrong under the fault `clock_skew`."""

PATH: Final = "/ws/population"
_WSDL: Final = files("adapters.simulators.public_security").joinpath("population.wsdl").read_bytes()
_MESSAGES: Final = {
    "0": "成功",
    "-1": "平台调用失败",
    "E-101": "签名错误",
    "E-102": "时间超出窗口",
    "E-103": "请求标识重复",
    "E-104": "密钥已过期",
    "E-105": "请求头缺失或格式不对",
    "E-106": "不在授权名单",
}
_MEMBERS: Final = ("gjgxjhpt_rid", "gjgxjhpt_sid", "gjgxjhpt_rtime", "gjgxjhpt_sign")


@dataclass(slots=True, kw_only=True)
class Mode:
    """Whether namespaces are taken strictly; turned over the admin port."""

    lax: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Everything the face needs."""

    register: Register
    platform: Platform[App]
    mode: Mode
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
    face.add_routes(
        [
            web.post("/gjgxjhpt/secret", pages.refresh),
            web.get(PATH, pages.wsdl),
            web.post(PATH, pages.call),
        ]
    )
    return face


class _Pages:
    """The answers of the face."""

    def __init__(self, department: Department) -> None:
        self._department = department

    async def refresh(self, request: web.Request) -> web.Response:
        """Give a new secret."""
        try:
            credentials = _parse_credentials(await request.read())
            secret, ends_ms = self._department.platform.refresh(credentials, self._now_ms())
        except PlatformRefused as refused:
            return _platform_answer(refused.code, None)
        return _platform_answer("0", {"secret": secret, "secretEndTime": str(ends_ms)})

    async def wsdl(self, request: web.Request) -> web.Response:
        """Serve the fixed WSDL; only the port in its address differs."""
        if "wsdl" not in request.query:
            raise web.HTTPNotFound
        address = f"http://{request.host}{PATH}".encode()
        return xml_answer(_WSDL.replace(b"@ADDRESS@", address))

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call."""
        board = self._department.board
        if board.strikes(Fault.SOAP_FAULT):
            return xml_answer(encode_fault("Server", "-1", _MESSAGES["-1"]), 500)
        try:
            call = await self._read(request)
            package = self._answer(call)
        except PlatformRefused as refused:
            return xml_answer(encode_fault("Client", refused.code, _MESSAGES[refused.code]), 500)
        hostile = board.take(among=OUTER)
        return xml_answer(
            hostile_envelope(hostile) if hostile else encode_answer(call.operation, package)
        )

    async def _read(self, request: web.Request) -> Call:
        if request.content_type != "text/xml" or "SOAPAction" not in request.headers:
            raise PlatformRefused("E-105")
        try:
            return parse_call(await request.read(), lax=self._department.mode.lax)
        except BadEnvelope as cause:
            raise PlatformRefused("E-105") from cause

    def _answer(self, call: Call) -> str:
        """Write the package that answers a call; a refused one says why in its head."""
        now_ms = self._now_ms()
        board, platform = self._department.board, self._department.platform
        # Before the caller is judged, so that this very call meets an ended secret.
        if board.strikes(Fault.SECRETS_EXPIRED):
            platform.expire_all(now_ms)
        # First the platform, then the register: a stranger learns nothing of packages.
        app = platform.require_caller(call.credentials, now_ms)
        hostile = board.take(among=INNER)
        if hostile:
            return hostile_package(hostile)
        # Unknown until the head has been read; a refusal before that echoes nothing.
        request_id, at = "", f"{self._department.clock.local():%Y%m%d%H%M%S}"
        try:
            package = parse_package(call.package, call.operation)
            request_id = package.head["FWQQBH"]
            require_account(call, app)
            require_head(package.head, now_ms)
            _refuse_when_busy(board)
        except PackageRefused as refused:
            return encode_package(request_id, at, refused.code, ())
        register = self._department.register
        replies = [
            register.answer(call.operation, number, record)
            for number, record in enumerate(package.records, 1)
        ]
        if board.strikes(Fault.OTHER_REQUEST):
            request_id = OTHER_REQUEST
        return _encode(request_id, at, replies, self._department)

    def _now_ms(self) -> int:
        skewed = self._department.board.strikes(Fault.CLOCK_SKEW)
        return self._department.clock.now_ms() + (SKEW_MS if skewed else 0)


def _refuse_when_busy(board: FaultBoard[Fault]) -> None:
    if board.strikes(Fault.HEAD_NOT_OK):
        raise PackageRefused("30")


def _encode(request_id: str, at: str, replies: list[Reply], department: Department) -> str:
    distorted = distort(replies, department.board, department.register)
    return encode_package(request_id, at, "10", distorted, len(replies))


def _parse_credentials(body: bytes) -> Credentials:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise PlatformRefused("E-105") from cause
    if not isinstance(parsed, dict) or parsed.keys() != set(_MEMBERS):
        raise PlatformRefused("E-105")
    rid, sid, rtime, sign = (parsed[name] for name in _MEMBERS)
    if not all(isinstance(value, str) for value in (rid, sid, rtime, sign)):
        raise PlatformRefused("E-105")
    return Credentials(rid=rid, sid=sid, rtime=rtime, sign=sign)


def _platform_answer(code: str, answer: dict[str, str] | None) -> web.Response:
    body = {"code": code, "message": _MESSAGES[code], "data": answer}
    return web.json_response(body, dumps=lambda value: json.dumps(value, ensure_ascii=False))
