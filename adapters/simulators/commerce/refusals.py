"""How the commerce department answers and says no: docs/adapters/commerce.md, section 10."""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Members = dict[str, Json]

MESSAGES: Final = {
    "2000": "成功",
    "2004": "查无",
    "2005": "有此号码，姓名不符",
    "2006": "是个体工商户，请用个体工商户接口",
}
"""Codes of what is answered, with their words."""

_REFUSALS: Final = {
    "4000": (400, "请求格式不对"),
    "4010": (401, "key 或签名不对"),
    "4011": (401, "时间在窗口之外"),
    "4030": (403, "授权码不对"),
    "4040": (404, "没有这个路径或登记"),
    "4050": (405, "方法不对"),
    "4090": (409, "推送登记已满"),
    "4100": (410, "游标不再保留"),
    "4130": (413, "请求体过大"),
    "4290": (429, "超过频次"),
    "5000": (503, "系统繁忙"),
}


class Refused(Exception):
    """The department refuses a request; the code says why."""

    def __init__(self, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.headers = headers or {}


def refusal(refused: Refused) -> web.Response:
    """Answer with the status, code and message of a refusal."""
    status, message = _REFUSALS[refused.code]
    body: Members = {"code": refused.code, "msg": message, "data": []}
    return json_answer(body, status, refused.headers)


def success(code: str, items: list[Members], **more: Json) -> Members:
    """Build the body of an answer."""
    # A new list: lists of JSON are not lists of objects to a type checker.
    return {"code": code, "msg": MESSAGES[code], "data": [*items], **more}


def json_answer(
    body: Members, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with JSON as the department writes it."""
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )
