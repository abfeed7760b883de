"""Every way a call can fail, as a closed list.

    GatewayError
    ├── Refusal   your request is not allowed as it stands
    └── Fault     ours, a provider's or a trust service's doing; the request may be right

`TEXTS` holds, per reason, whose side it lies on and what to do, in Chinese and English;
docs/reasons.md is compared with it. The wording never names a field, a dataset, a subject or
whether a record exists. `rpc/status.py` alone maps reasons to gRPC codes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Whose side a failure lies on."""

    REQUESTER = "requester"
    GATEWAY = "gateway"
    PROVIDER = "provider"
    TRUST = "trust"


class Reason(StrEnum):
    """Machine reason of a refusal or fault. Names are wire format: never renamed, never reused."""

    # Step 0: admit.
    MESSAGE_MISSING = "MESSAGE_MISSING"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    GATEWAY_BUSY = "GATEWAY_BUSY"
    # Step 1: channel.
    CHANNEL_REFUSED = "CHANNEL_REFUSED"
    RATE_LIMITED = "RATE_LIMITED"
    # Step 2: envelope.
    ENVELOPE_MALFORMED = "ENVELOPE_MALFORMED"
    PAYLOAD_TYPE_WRONG = "PAYLOAD_TYPE_WRONG"
    SIGNER_UNKNOWN = "SIGNER_UNKNOWN"
    SIGNER_NOT_CURRENT = "SIGNER_NOT_CURRENT"
    SIGNER_REVOKED = "SIGNER_REVOKED"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    TRUST_UNAVAILABLE = "TRUST_UNAVAILABLE"
    # Step 3: binding, freshness, replay.
    STATEMENT_MALFORMED = "STATEMENT_MALFORMED"
    SENDER_MISMATCH = "SENDER_MISMATCH"
    RECEIVER_MISMATCH = "RECEIVER_MISMATCH"
    METHOD_MISMATCH = "METHOD_MISMATCH"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    LIFE_TOO_LONG = "LIFE_TOO_LONG"
    REPLAYED = "REPLAYED"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    # Step 4: statement.
    SUBJECT_INVALID = "SUBJECT_INVALID"
    QUERY_INVALID = "QUERY_INVALID"
    # Step 5: officer.
    ASSERTION_INVALID = "ASSERTION_INVALID"
    ASSERTION_MISMATCH = "ASSERTION_MISMATCH"
    # Step 6: decision and quota.
    AGREEMENT_NOT_APPLICABLE = "AGREEMENT_NOT_APPLICABLE"
    NOTHING_GRANTED = "NOTHING_GRANTED"
    SUBJECT_NAME_NEEDED = "SUBJECT_NAME_NEEDED"
    OFFICER_NEEDED = "OFFICER_NEEDED"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    # Steps 7 and 11: log.
    LOG_UNAVAILABLE = "LOG_UNAVAILABLE"
    CLOCK_BACKWARDS = "CLOCK_BACKWARDS"
    # Anywhere.
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INTERNAL = "INTERNAL"
    # Lookups in the log and catalog.
    RECEIPT_UNAVAILABLE = "RECEIPT_UNAVAILABLE"
    RANGE_INVALID = "RANGE_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonText:
    """Whose side a reason lies on, what it means and the remedy."""

    side: Side
    zh: str
    en: str


class GatewayError(Exception):
    """Base of what may leave the exchange path."""

    def __init__(
        self, reason: Reason, *, diagnostics: str = "", retry_after_s: float | None = None
    ) -> None:
        """Hold the reason.

        `diagnostics` stays in this process and holds no personal data either.
        """
        super().__init__(reason.value)
        self.reason = reason
        self.diagnostics = diagnostics
        self.retry_after_s = retry_after_s


class Refusal(GatewayError):
    """The caller's request is not allowed."""


class Fault(GatewayError):
    """We, a provider or a trust service failed."""


def _text(side: Side, zh: str, en: str) -> ReasonText:
    return ReasonText(side=side, zh=zh, en=en)


_R, _G, _T = Side.REQUESTER, Side.GATEWAY, Side.TRUST

TEXTS: Final[dict[Reason, ReasonText]] = {
    Reason.MESSAGE_MISSING: _text(
        _R,
        "调用中没有消息。请在调用中发送一个签名信封。",
        "The call carried no message. Send one signed envelope.",
    ),
    Reason.MESSAGE_TOO_LARGE: _text(
        _R,
        "消息超过大小上限。请减少数据项或分次查询。",
        "The message exceeds the size limit. Ask for less at once.",
    ),
    Reason.GATEWAY_BUSY: _text(
        _G, "网关繁忙，请按建议时间重试。", "The gateway is busy. Retry after the stated time."
    ),
    Reason.CHANNEL_REFUSED: _text(
        _R,
        "此连接的证书未登记或当前无效。请使用登记的系统证书，或联系网关管理单位。",
        "The certificate of this channel is not registered or not current. Use the registered one.",
    ),
    Reason.RATE_LIMITED: _text(
        _R, "调用过于频繁，请按建议时间重试。", "Too many calls. Retry after the stated time."
    ),
    Reason.ENVELOPE_MALFORMED: _text(
        _R,
        "消息不是一个签名信封。请按 proto 定义编码。",
        "The message is not a signed envelope. Encode it as the proto file says.",
    ),
    Reason.PAYLOAD_TYPE_WRONG: _text(
        _R, "载荷类型与所调方法不符。", "The payload type does not belong to the method called."
    ),
    Reason.SIGNER_UNKNOWN: _text(
        _R,
        "信封密钥未登记给本系统。请使用登记的信封密钥签名。",
        "The envelope key is not registered for this system. Sign with the registered key.",
    ),
    Reason.SIGNER_NOT_CURRENT: _text(
        _R,
        "信封证书已过期或尚未生效。请更换证书。",
        "The envelope certificate is expired or not yet valid. Renew it.",
    ),
    Reason.SIGNER_REVOKED: _text(
        _R,
        "信封证书已被吊销。请联系发证机构。",
        "The envelope certificate is revoked. Contact its issuer.",
    ),
    Reason.SIGNATURE_INVALID: _text(
        _R,
        "签名验证不通过：内容被改动，或签名字节不对。请对原样字节签名。",
        "The signature does not verify: the content was changed or other bytes were signed.",
    ),
    Reason.TRUST_UNAVAILABLE: _text(
        _T,
        "信任库或吊销信息不可用或已过期，暂不能验证。请稍后重试。",
        "The trust store or revocation data is missing or out of date. Retry later.",
    ),
    Reason.STATEMENT_MALFORMED: _text(
        _R,
        "签名内容的编码不是唯一规范写法，或必填项缺失。见签名字节说明。",
        "The signed content is not in the one accepted spelling, or lacks a required member.",
    ),
    Reason.SENDER_MISMATCH: _text(
        _R,
        "声明的发送系统与连接的系统不一致。",
        "The stated sender is not the system of this channel.",
    ),
    Reason.RECEIVER_MISMATCH: _text(
        _R, "此请求不是发给本网关的。", "This request is meant for another receiver."
    ),
    Reason.METHOD_MISMATCH: _text(
        _R, "声明的方法与所调方法不一致。", "The stated method is not the method called."
    ),
    Reason.NOT_YET_VALID: _text(
        _R,
        "签发时间在未来。请校准时钟。",
        "The issue time lies in the future. Set your clock right.",
    ),
    Reason.EXPIRED: _text(_R, "请求已过期。请重新签名。", "The request has expired. Sign it anew."),
    Reason.LIFE_TOO_LONG: _text(
        _R, "请求有效期超过 300 秒。", "The request lives longer than 300 seconds."
    ),
    Reason.REPLAYED: _text(
        _R,
        "此请求已执行过，答复不再保留。可凭请求编号索取回执；需要数据请重新签名提问。",
        "This request was executed and its answer is no longer kept. Ask GetReceipt, or sign a new "
        "request.",
    ),
    Reason.REQUEST_ID_REUSED: _text(
        _R,
        "请求编号已用于另一内容。请换新编号。",
        "The request_id was used for other content. Use a new one.",
    ),
    Reason.SUBJECT_INVALID: _text(
        _R,
        "当事人标识不成立：格式、校验位或出生日期不对。请对照证件核对号码和类型，重新签名提问。",
        "The subject's identifier cannot be one: its format, check character or birth date is "
        "wrong. Compare number and type with the document and sign a new request.",
    ),
    Reason.QUERY_INVALID: _text(
        _R,
        "查询内容不合规：数据项和申报值只能用该数据集目录中的名称，逐一列出、不重复、不超限。",
        "The query is not well formed: name fields and claims as the catalog of the dataset does, "
        "each once, within the limits.",
    ),
    Reason.ASSERTION_INVALID: _text(
        _R,
        "经办人断言缺失、过期或验证不通过。请由本单位身份服务重新签发。",
        "The officer assertion is missing, expired or does not verify. Have it issued anew.",
    ),
    Reason.ASSERTION_MISMATCH: _text(
        _R,
        "经办人断言与本次请求（协议、事项、办件、数据项、当事人、通道）不一致。",
        "The officer assertion does not match this request (agreement, matter, case, fields, "
        "subject, channel).",
    ),
    Reason.AGREEMENT_NOT_APPLICABLE: _text(
        _R,
        "所引协议不适用于此系统、角色、事项、数据集或时间。请与入网资料中所列的协议逐项核对。",
        "The named agreement does not apply to this system, role, matter, dataset or time. "
        "Compare each with the agreement as your identity lists it.",
    ),
    Reason.NOTHING_GRANTED: _text(
        _R,
        "按协议，本次请求不予提供任何数据项。请核对办件状态与前提条件。",
        "Under the agreement nothing is provided for this request. Look at the case and the "
        "preconditions.",
    ),
    Reason.SUBJECT_NAME_NEEDED: _text(
        _R,
        "数据提供部门要求同时写明当事人姓名：请求中没有姓名，或含有不能用的字符。请补上姓名，重新签名提问。",
        "The providing department demands the subject's name beside the identifier: it is missing "
        "or holds characters no name has. Give it and sign a new request.",
    ),
    Reason.OFFICER_NEEDED: _text(
        _R,
        "数据提供部门要求写明经办人本人的姓名、公民身份号码、单位和调用事由：断言中缺项或不合格。"
        "请由本单位身份服务补全后重新签发。",
        "The providing department demands the officer's own name, resident identity number, unit "
        "and call reason: the assertion lacks one, or one is not acceptable. Have it issued anew.",
    ),
    Reason.QUOTA_EXHAUSTED: _text(
        _R, "协议约定的频次已用完。", "The quota of the agreement is used up."
    ),
    Reason.LOG_UNAVAILABLE: _text(
        _G,
        "访问日志暂不可写，按规定不提供任何数据。请稍后重试。",
        "The access log cannot be written, so nothing is provided. Retry later.",
    ),
    Reason.CLOCK_BACKWARDS: _text(
        _G,
        "网关时钟倒退，已停止服务。请稍后重试。",
        "The gateway's clock went backwards; service stopped. Retry later.",
    ),
    Reason.DEADLINE_EXCEEDED: _text(
        _G, "在时限内未完成。请重试。", "Not finished within the deadline. Retry."
    ),
    Reason.INTERNAL: _text(
        _G,
        "网关内部故障，未提供任何数据。请稍后重试。",
        "A fault inside the gateway; nothing was provided. Retry later.",
    ),
    Reason.RECEIPT_UNAVAILABLE: _text(
        _R, "没有可向本系统提供的此回执。", "There is no such receipt for this system."
    ),
    Reason.RANGE_INVALID: _text(
        _R, "证明的范围不在日志之内。", "The range asked for does not lie inside the log."
    ),
}
