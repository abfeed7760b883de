"""What it means that a department could not tell, and what a finding means, for people.

In Chinese and English; docs/reasons.md is compared with these tables.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hutong.client.answers import Finding, IndeterminateReason
from hutong.client.reasons import ReasonText, of_gateway, of_provider, of_requester

_I = IndeterminateReason

INDETERMINATE_TEXTS: Final[Mapping[IndeterminateReason, ReasonText]] = MappingProxyType(
    {
        _I.PENDING: of_provider(
            "部门需要更长时间。请在所示时间之后用 GetResult 再问。",
            "The department needs longer. Ask GetResult after the stated time.",
        ),
        _I.PROVIDER_NOT_CONNECTED: of_gateway(
            "网关没有接通此部门，或未为系统任务接通。请向网关管理单位了解何时接通，其"
            "间走原有途径核实。",
            "The gateway has no connection to this department, or none for system "
            "jobs. Ask its operator when there will be one; until then use the way "
            "you had.",
        ),
        _I.PROVIDER_TIMEOUT: of_provider(
            "部门未在时限内答复。请稍后重新提问。",
            "The department did not answer in time. Ask anew later.",
        ),
        _I.PROVIDER_UNAVAILABLE: of_provider(
            "部门连接不上、繁忙，或因连续故障暂停询问。请稍后重新提问。",
            "The department cannot be reached, is busy, or is left alone after "
            "repeated faults. Ask anew later.",
        ),
        _I.PROVIDER_MALFORMED: of_provider(
            "部门的答复不合它自己的协议，未采用。请联系网关管理单位。",
            "The department answered something that is not of its protocol; it was "
            "not used. Call the gateway's operator.",
        ),
        _I.PROVIDER_FAULT: of_provider(
            "部门或其接口报告故障。请稍后重新提问；再次出现请联系网关管理单位。",
            "The department or its interface reported a fault. Ask anew later; if it "
            "stays, call the gateway's operator.",
        ),
        _I.SUBJECT_MISMATCH: of_provider(
            "部门答复的是另一当事人，已丢弃并记录。请勿据此办理，联系网关管理单位。",
            "The department answered for another subject; that was discarded and "
            "noted. Decide nothing on it and call the gateway's operator.",
        ),
        _I.PROVIDER_UNPROVEN: of_provider(
            "收到的内容未通过验证（签名、绑定或时效），已丢弃。请联系网关管理单位。",
            "What came back failed verification (signature, binding or freshness) "
            "and was discarded. Call the gateway's operator.",
        ),
        _I.PROVIDER_QUOTA: of_gateway(
            "部门给网关的频次已用完。请稍后重新提问。",
            "The quota the department grants to this gateway is used up. Ask anew later.",
        ),
        _I.SUBJECT_UNRESOLVED: of_requester(
            "部门分不清是谁的记录：多人同号，或号码与姓名不符。请先核对号码和姓名，仍"
            "不符则人工核查。",
            "The department cannot tell whose records are meant: several people bear "
            "the number, or number and name disagree. Compare both; if they hold, a "
            "person has to look.",
        ),
        _I.QUESTION_REJECTED: of_requester(
            "部门不接受所述的经办人、调用事由、姓名或核验项，未告知当事人的任何情况。请由本单位补正后重新提问。",
            "The department does not take the officer, call reason, name or claims as stated; it "
            "told nothing of the subject. Complete them and ask anew.",
        ),
    }
)
"""Why a department could not tell (exchange.proto); an answer, not a refusal."""

FINDING_TEXTS: Final[Mapping[Finding, tuple[str, str]]] = MappingProxyType(
    {
        Finding.YES: ("成立。", "It holds."),
        Finding.NO: ("不成立。", "It does not hold."),
        Finding.INDETERMINATE: (
            "无法判断，绝不等于“否”。请另行核实，不得据此停发待遇。",
            (
                "It cannot be told; never to be read as no. Verify it another way, and "
                "stop no benefit because of it."
            ),
        ),
        Finding.NOT_APPLICABLE: (
            "不适用：没有可供核对或判断的内容，如未申报证书编号。",
            (
                "It does not apply: there is nothing to compare or judge, e.g. no "
                "certificate number was claimed."
            ),
        ),
        Finding.ERROR: (
            (
                "申报值或号码不成其为值，如证书编号位数不对、关系人只给了一半。请请求方改"
                "正后重新提问。"
            ),
            (
                "What was claimed is no such value, e.g. a certificate number of wrong "
                "length or half a relative. The requester mends it and asks anew."
            ),
        ),
    }
)
"""What a finding means, in Chinese and English."""
