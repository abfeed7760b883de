"""The face of generation 2: calls as signed forms, two layers of success codes (the page, 5)."""

import json
from typing import Final
from uuid import UUID

from aiohttp import web

from adapters.simulators.form_signing import Business, Members, reply_text
from adapters.simulators.keyed_hash import sign_text
from adapters.simulators.national.apps import App
from adapters.simulators.national.faults import Fault
from adapters.simulators.national.forwarding import Answer, Call, NoAnswer, forward
from adapters.simulators.national.platform import MESSAGES, Platform
from adapters.simulators.signed_form import Call as SignedCall
from adapters.simulators.signed_form import PlatformRefused

_OTHER_REQUEST: Final = str(UUID(int=0x0DD_0000_0000_4000_8000_0000_0000_0000))
_METHODS: Final = frozenset({"GET", "POST"})
_FIXED: Final = frozenset({"method", "path", "body"})
_HEADER: Final = "header."
_INNER: Final = {"1": "biz_content 不合格", "9": "部门没有应答"}


class BadContent(Exception):
    """What lies in the form is no call of a department."""


def routes(platform: Platform) -> list[web.RouteDef]:
    """Wire the face."""
    return [web.post("/gateway/rest", _Pages(platform).call)]


class _Pages:
    """The answers of the face."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def call(self, request: web.Request) -> web.Response:
        """Carry one call."""
        try:
            signed = await self._require_call(request)
            business = await self._business(signed)
        except PlatformRefused as refused:
            return _json(
                {
                    "code": refused.code,
                    "msg": MESSAGES[refused.code],
                    "request_id": refused.request_id,
                    "sign": "",
                    "biz_data": None,
                }
            )
        return self._reply(signed, business)

    async def _require_call(self, request: web.Request) -> SignedCall[App]:
        if request.content_type != "application/x-www-form-urlencoded":
            raise PlatformRefused("E-105")
        code = self._platform.refusal()
        if code is not None:
            raise PlatformRefused(code)
        body, now_ms = await request.read(), self._platform.judging_ms()
        return self._platform.forms.require_call(request.headers, body, now_ms)

    async def _business(self, signed: SignedCall[App]) -> Business:
        try:
            call = parse_content(signed.biz_content)
        except BadContent:
            return _fail("1")
        if not signed.app.covers(call.path):
            raise PlatformRefused("E-110", signed.request_id)
        if self._platform.board.strikes(Fault.PLATFORM_FAILED):
            raise PlatformRefused("-1", signed.request_id)
        try:
            answer = await forward(signed.app, call)
        except NoAnswer:
            return _fail("9")
        result = _result(answer)
        board = self._platform.board
        results = [result, result] if board.strikes(Fault.TWO_RESULTS) else [result]
        if board.strikes(Fault.INNER_FAILED):
            return {"code": "9", "status": "fail", "result": results}
        return {"code": "0", "status": "success", "result": results}

    def _reply(self, signed: SignedCall[App], business: Business) -> web.Response:
        board = self._platform.board
        sent = json.loads(json.dumps(business))
        if "result" in sent and board.strikes(Fault.REWRAPPED_BODY):
            # Signed as it is: the platform's own doing, not somebody's on the way.
            sent["result"][0]["body"] = {"code": "0", "data": sent["result"][0]["body"]}
        request_id = _OTHER_REQUEST if board.strikes(Fault.WRONG_RID) else signed.request_id
        code = "-1" if board.strikes(Fault.OUTER_FAILED) else "1"
        text = reply_text(request_id, code, sent)
        if board.strikes(Fault.BAD_SIGN):
            text += "0"
        return _json(
            {
                "code": code,
                "msg": MESSAGES[code],
                "request_id": request_id,
                "sign": sign_text(signed.app.app_key, text, signed.app.mac),
                "biz_data": sent,
            }
        )


def parse_content(text: str) -> Call:
    """Read the call that lies in `biz_content`.

    Raises:
        BadContent: no JSON object of texts, or not the documented members.
    """
    try:
        members = json.loads(text)
    except ValueError as cause:
        raise BadContent from cause
    if not isinstance(members, dict) or not all(isinstance(each, str) for each in members.values()):
        raise BadContent
    others = members.keys() - _FIXED
    if members.keys() < _FIXED or not all(name.startswith(_HEADER) for name in others):
        raise BadContent
    if members["method"] not in _METHODS or not members["path"].startswith("/"):
        raise BadContent
    headers = tuple((name.removeprefix(_HEADER), members[name]) for name in sorted(others))
    if not all(name.isascii() and name.islower() and text.isprintable() for name, text in headers):
        raise BadContent
    try:
        body = members["body"].encode()
    except UnicodeEncodeError as cause:
        raise BadContent from cause
    return Call(method=members["method"], path=members["path"], headers=headers, body=body)


def _result(answer: Answer) -> Members:
    headers = {_HEADER + name.lower(): text for name, text in answer.headers}
    body = answer.body.decode("utf-8", "replace")
    return {"status": str(answer.status), "body": body, **headers}


def _fail(code: str) -> Business:
    return {"code": code, "status": "fail", "msg": _INNER[code]}


def _json(body: dict[str, object]) -> web.Response:
    return web.Response(
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
