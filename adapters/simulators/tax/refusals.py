"""The codes of an envelope and why a whole package is refused (docs/adapters/tax.md, section 5)."""

from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """`returnCode` of an envelope."""

    OK = "00000000"
    BAD_FORMAT = "90000001"
    BAD_CODING = "90000002"
    BAD_SIGNATURE = "90000003"
    BAD_MANIFEST = "90000004"
    DUPLICATE = "90000005"
    OTHER_CONTENT = "90000006"
    NOT_AUTHORISED = "90000007"
    TOO_LARGE = "90000008"
    INTERNAL = "99999999"


MESSAGES: Final = {
    Code.OK: "成功",
    Code.BAD_FORMAT: "报文格式不正确",
    Code.BAD_CODING: "内容控制不正确或无法解码",
    Code.BAD_SIGNATURE: "签名不正确",
    Code.BAD_MANIFEST: "清单与文件不符",
    Code.DUPLICATE: "交易流水号重复",
    Code.OTHER_CONTENT: "重发内容与首次不同",
    Code.NOT_AUTHORISED: "服务不存在或未授权",
    Code.TOO_LARGE: "超过上限",
    Code.INTERNAL: "系统内部错误",
}
"""`returnMessage` of each code; never personal data."""


class Refused(Exception):
    """The whole package is refused."""

    def __init__(self, code: Code) -> None:
        super().__init__(MESSAGES[code])
        self.code = code
