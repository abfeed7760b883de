"""How the education department says no: the codes of docs/adapters/education.md, section 8."""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web

_MESSAGES: Final = {
    "EDU-4000": (400, "请求格式不对"),
    "EDU-4010": (401, "令牌无效"),
    "EDU-4030": (403, "令牌的权限不够"),
    "EDU-4040": (404, "查无记录"),
    "EDU-4041": (404, "没有这个路径或作业"),
    "EDU-4100": (410, "已过期"),
    "EDU-4130": (413, "请求体过大"),
    "EDU-4290": (429, "超过频次"),
    "EDU-5000": (503, "系统繁忙"),
}


class Refused(Exception):
    """The department refuses a request; the code says why."""

    def __init__(self, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.headers = headers or {}


def refusal(refused: Refused) -> web.Response:
    """Answer with the status, code and message of a refusal."""
    status, message = _MESSAGES[refused.code]
    return json_answer({"code": refused.code, "message": message}, status, refused.headers)


def json_answer(
    body: Mapping[str, str], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with JSON as the department writes it."""
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )
