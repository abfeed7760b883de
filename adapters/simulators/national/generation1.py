"""The face of generation 1: the secret, and calls carried as they are (the page, 3 and 4)."""

import json
from base64 import b64encode
from typing import Final

from aiohttp import web

from adapters.simulators.national.faults import Fault
from adapters.simulators.national.forwarding import Answer, Call, NoAnswer, forward
from adapters.simulators.national.platform import MESSAGES, Platform
from adapters.simulators.two_step_key import Credentials, PlatformRefused, encrypt_secret

_NAMES: Final = ("rid", "sid", "rtime", "sign")
_MEMBERS: Final = {f"gjgxjhpt_{name}": name for name in _NAMES}
_REST: Final = "/gjgxjhpt/rest"


def routes(platform: Platform) -> list[web.RouteDef]:
    """Wire the face."""
    pages = _Pages(platform)
    return [
        web.post("/gjgxjhpt/secret", pages.refresh),
        web.get(_REST + "/{path:.*}", pages.call),
        web.post(_REST + "/{path:.*}", pages.call),
    ]


class _Pages:
    """The answers of the face."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def refresh(self, request: web.Request) -> web.Response:
        """Give a secret."""
        platform = self._platform
        try:
            credentials = parse_credentials(await request.read())
            self._refuse_by_fault()
            text, ends_ms = platform.keys.refresh(credentials, platform.judging_ms())
        except PlatformRefused as refused:
            return _json({"code": refused.code, "message": MESSAGES[refused.code], "data": None})
        if platform.board.strikes(Fault.BAD_SECRET):
            text = encrypt_secret("another-key", b64encode(bytes(32)).decode(), bytes(16))
        secret = {"secret": text, "secretEndTime": str(ends_ms)}
        return _json({"code": "0", "message": MESSAGES["0"], "data": secret})

    async def call(self, request: web.Request) -> web.Response:
        """Carry one call."""
        rid = request.headers.get("gjgxjhpt_rid", "")
        try:
            answer = await self._carried(request)
        except PlatformRefused as refused:
            code = refused.code
            body = {"code": code, "message": MESSAGES[code], "data": None}
            # Headers are ASCII; what stands in the body of a strange code stays there.
            mark = code.encode("ascii", "replace").decode()
            return _json(body, {"gjgxjhpt_code": mark, "gjgxjhpt_rid": rid})
        return self._answer(answer, rid)

    async def _carried(self, request: web.Request) -> Answer:
        platform = self._platform
        now_ms = platform.judging_ms()
        self._refuse_by_fault()
        if platform.board.strikes(Fault.SECRET_EXPIRED):
            platform.keys.expire_all(now_ms)
        values = {name: request.headers.get(f"gjgxjhpt_{name}", "") for name in _NAMES}
        app = platform.keys.require_caller(Credentials(**values), now_ms)
        path = request.path_qs.removeprefix(_REST)
        if not app.covers(path):
            raise PlatformRefused("E-110")
        if platform.board.strikes(Fault.PLATFORM_FAILED):
            raise PlatformRefused("-1")
        call = Call(
            method=request.method,
            path=path,
            headers=tuple(request.headers.items()),
            body=await request.read(),
        )
        try:
            return await forward(app, call)
        except NoAnswer as cause:
            raise PlatformRefused("-1") from cause

    def _answer(self, answer: Answer, rid: str) -> web.Response:
        board = self._platform.board
        body = answer.body
        if board.strikes(Fault.REWRAPPED_BODY):
            body = b'{"code":"0","data":' + body + b"}"
        mark = {"gjgxjhpt_code": "0", "gjgxjhpt_rid": rid}
        if board.strikes(Fault.WRONG_RID):
            mark["gjgxjhpt_rid"] = "0" * 32
        if board.strikes(Fault.NO_MARK):
            mark = {}
        return web.Response(
            status=answer.status, body=body, headers={**dict(answer.headers), **mark}
        )

    def _refuse_by_fault(self) -> None:
        code = self._platform.refusal()
        if code is not None:
            raise PlatformRefused(code)


def parse_credentials(body: bytes) -> Credentials:
    """Read the four members of a request for a secret.

    Raises:
        PlatformRefused: E-105.
    """
    try:
        members = json.loads(body)
    except ValueError as cause:
        raise PlatformRefused("E-105") from cause
    if not isinstance(members, dict) or members.keys() != _MEMBERS.keys():
        raise PlatformRefused("E-105")
    if not all(isinstance(text, str) for text in members.values()):
        raise PlatformRefused("E-105")
    return Credentials(**{_MEMBERS[name]: text for name, text in members.items()})


def _json(body: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )
