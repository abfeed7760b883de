"""Everything the two faces of the platform share."""

from dataclasses import dataclass
from typing import Final

from adapters.simulators import signed_form, two_step_key
from adapters.simulators.faults import FaultBoard
from adapters.simulators.national.apps import App
from adapters.simulators.national.faults import Fault
from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock

BODY_LIMIT: Final = 64 * 1024
"""Octets of a request (docs/adapters/national.md, 4 and 5)."""
SKEW_MS: Final = 600_000
"""By how much the clock is wrong under the fault `clock_skew`."""
STRANGE_CODE: Final = "E-999 张伟"
"""A code of no list, with a name in it that must not reach anybody's log."""
MESSAGES: Final = {
    "0": "成功",
    "1": "成功",
    "-1": "平台调用失败",
    "E-101": "签名错误",
    "E-102": "时间超出窗口",
    "E-103": "请求标识重复",
    "E-104": "密钥已失效",
    "E-105": "请求头缺失或格式不对",
    "E-106": "不在授权名单",
    "E-107": "表单签名错误",
    "E-108": "表单不合格",
    "E-109": "表单时间超出窗口",
    "E-110": "没有这个服务",
    STRANGE_CODE: "其他错误",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Registered requesters as both generations judge them, and the switches."""

    keys: two_step_key.Platform[App]
    forms: signed_form.Platform[App]
    board: FaultBoard[Fault]
    clock: VirtualClock
    recorder: Recorder

    def judging_ms(self) -> int:
        """Tell the time calls are judged at."""
        return self.clock.now_ms() + (SKEW_MS if self.board.strikes(Fault.CLOCK_SKEW) else 0)

    def refusal(self) -> str | None:
        """Return the code of a fault that refuses whatever comes."""
        if self.board.strikes(Fault.NOT_AUTHORISED):
            return "E-106"
        return STRANGE_CODE if self.board.strikes(Fault.UNKNOWN_CODE) else None
