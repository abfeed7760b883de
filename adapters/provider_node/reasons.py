"""Why a provider node does not ask its department: a closed list, the same at both ends.

`TEXTS` holds, per reason, whose side it lies on and what to do, in Chinese and English;
docs/adapters/provider-node.md is compared with it. They are for operators of the two ends: a
requester is told what stands in `told`, and nothing of how gateway and node came to disagree.
INVARIANT: no text names a field, a dataset, a subject, or whether a record exists.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.port import Indeterminate


class NodeReason(StrEnum):
    """Machine reason of a node's refusal. Names are wire format: never renamed, never reused."""

    MESSAGE_INVALID = "MESSAGE_INVALID"
    NODE_BUSY = "NODE_BUSY"
    CHANNEL_REFUSED = "CHANNEL_REFUSED"
    ENVELOPE_REFUSED = "ENVELOPE_REFUSED"
    QUERY_MALFORMED = "QUERY_MALFORMED"
    BINDING_WRONG = "BINDING_WRONG"
    NOT_FRESH = "NOT_FRESH"
    REQUESTER_REFUSED = "REQUESTER_REFUSED"
    OFFICER_REFUSED = "OFFICER_REFUSED"
    REQUEST_DIFFERS = "REQUEST_DIFFERS"
    DATASET_NOT_SERVED = "DATASET_NOT_SERVED"
    AGREEMENT_NOT_APPLICABLE = "AGREEMENT_NOT_APPLICABLE"
    GRANT_TOO_WIDE = "GRANT_TOO_WIDE"
    REPLAYED = "REPLAYED"
    TRUST_UNAVAILABLE = "TRUST_UNAVAILABLE"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReasonText:
    """Whose side a reason lies on, what it means, the remedy, and what the requester is told."""

    side: str
    zh: str
    en: str
    told: Indeterminate = Indeterminate.PROVIDER_FAULT


def _text(side: str, zh: str, en: str) -> NodeReasonText:
    return NodeReasonText(side=side, zh=zh, en=en)


def _later(side: str, zh: str, en: str) -> NodeReasonText:
    return NodeReasonText(side=side, zh=zh, en=en, told=Indeterminate.PROVIDER_UNAVAILABLE)


TEXTS: Final[dict[NodeReason, NodeReasonText]] = {
    NodeReason.MESSAGE_INVALID: _text(
        "gateway",
        "调用中没有消息，或消息超过上限。请核对两端版本。",
        "The call carried no message, or one above the limit. Compare the releases of both ends.",
    ),
    NodeReason.NODE_BUSY: _later(
        "provider",
        "节点繁忙。请稍后重试；经常如此时，请部门调高上限。",
        "The node is busy. Retry; if this is frequent, have the department raise its limit.",
    ),
    NodeReason.CHANNEL_REFUSED: _text(
        "gateway",
        "此连接的证书未登记、当前无效，或不属于本节点信任的网关。请核对网关的客户端证书与节点的 "
        "gateways。",
        "The certificate of this channel is not registered, not current, or of no gateway this "
        "node trusts. Compare the gateway's client certificate with the node's `gateways`.",
    ),
    NodeReason.ENVELOPE_REFUSED: _text(
        "gateway",
        "网关的信封验证不通过，或签名密钥不是此连接所属网关的。请核对节点信任库中网关的信封证书。",
        "The gateway's envelope does not verify, or its key is not of the channel's gateway. "
        "Compare the gateway's envelope certificate in the node's trust store.",
    ),
    NodeReason.QUERY_MALFORMED: _text(
        "gateway",
        "查询的编码不是唯一规范写法，或缺项、超限。请核对两端版本。",
        "The query is not in its one spelling, lacks a member or exceeds a limit. Compare the "
        "releases of both ends.",
    ),
    NodeReason.BINDING_WRONG: _text(
        "gateway",
        "查询的发送方不是此连接的网关，或不是发给本节点、本方法的。请核对网关所配置的节点。",
        "The query's sender is not the channel's gateway, or it is meant for another node or "
        "method. Compare the node the gateway is configured with.",
    ),
    NodeReason.NOT_FRESH: _text(
        "gateway",
        "查询已过期、尚未生效、有效期过长，或查询、请求方的提问签于本节点启动之前。请重新签名提问；"
        "仍不通过时核对各方时钟。",
        "The query has expired, is not yet valid, lives too long, or it or the requester's "
        "question was signed before this node started. Sign a new request; if that fails too, "
        "compare the clocks of all sides.",
    ),
    NodeReason.REQUESTER_REFUSED: _text(
        "gateway",
        "请求方的信封在本节点验证不通过：系统未登记、签名不对、已过期，或不是发给此网关的提问。"
        "请核对两端信任库。",
        "The requester's envelope does not verify here: system unknown, signature wrong, expired, "
        "or no question to this gateway. Compare the trust stores of both ends.",
    ),
    NodeReason.OFFICER_REFUSED: _text(
        "requester",
        "经办人断言在本节点验证不通过、已过期，或与请求不一致。请由请求方重新签发；仍不通过时核对"
        "两端信任库。",
        "The officer assertion does not verify here, has expired, or does not match the request. "
        "Have it issued anew; if that fails too, compare the trust stores of both ends.",
    ),
    NodeReason.REQUEST_DIFFERS: _text(
        "gateway",
        "网关所问与请求方所签不同（请求编号、序号、数据集或经办人断言）。请网关管理单位查明原因。",
        "What the gateway asks is not what the requester signed (request id, item, dataset or "
        "officer assertion). The gateway's operator has to find out why.",
    ),
    NodeReason.DATASET_NOT_SERVED: _text(
        "gateway",
        "本节点不提供此数据集。请核对网关所配置的节点。",
        "This node does not serve the dataset. Compare the node the gateway is configured with.",
    ),
    NodeReason.AGREEMENT_NOT_APPLICABLE: _text(
        "gateway",
        "按本节点所持协议，此提问不适用。请核对两端策略包的摘要。",
        "Under the agreements this node holds, the question does not apply. Compare the digests "
        "of both policy bundles.",
    ),
    NodeReason.GRANT_TOO_WIDE: _text(
        "gateway",
        "网关所要的超过本节点所持协议最多能给的。请核对两端策略包的摘要。",
        "The gateway asks for more than the agreement this node holds can give. Compare the "
        "digests of both policy bundles.",
    ),
    NodeReason.REPLAYED: _text(
        "gateway",
        "请求方的这一提问已在本节点执行过。请重新签名提问。",
        "This question of the requester was executed here before. Sign a new request.",
    ),
    NodeReason.TRUST_UNAVAILABLE: _later(
        "trust",
        "本节点的信任库或吊销信息不可用或已过期。请部门更新信任库。",
        "The node's trust store or revocation data is missing or out of date. The department has "
        "to renew it.",
    ),
    NodeReason.INTERNAL: _text(
        "provider",
        "节点内部故障，未提供任何数据。请部门查看节点日志。",
        "A fault inside the node; nothing was provided. The department has to look at its log.",
    ),
}


def parse_reason(text: str) -> NodeReason | None:
    """Return a reason of the list; None for text that is none, which nobody may pass on."""
    return NodeReason(text) if text in NodeReason.__members__ else None
