"""Why a whole message is not taken (manual, section 6)."""

from typing import Final

STATUSES: Final = {
    "LIM02": (413, "请求体过大"),
    "PTY01": (403, "调用方未登记"),
    "BSY01": (503, "前置忙，请稍后"),
    "QTA01": (429, "请求过于频繁"),
    "MSG01": (404, "没有此报文"),
    "MED01": (415, "内容类型不对"),
    "XML01": (400, "不是本接口接受的 XML"),
    "XSD01": (400, "不合 XSD"),
    "SIG01": (401, "签名不合格"),
    "HDR01": (400, "报文头不一致"),
    "TIM01": (400, "时间超出窗口"),
    "LIM01": (400, "条数超限或条目标识重复"),
    "PRF01": (400, "不合要素约定"),
    "DUP01": (409, "报文标识重复"),
}
"""Code → HTTP status and what a person reads; nothing that was asked stands in it."""

RETRY_AFTER: Final = {"BSY01": "2", "QTA01": "1"}
"""Seconds after which it is worth asking again."""


class Refused(Exception):
    """The message is refused with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
