"""What each reason of `Unproven` means: something came back and is not what it claims to be."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hutong.client.reasons import ClientReason, ReasonText, of_gateway, of_provider, of_requester

_C = ClientReason

UNPROVEN_REMEDY: Final = of_gateway(
    "收到的内容不可信，一律不交出。请保留回执，联系网关管理单位。",
    "Nothing of what came back is given. Keep the receipts and call the gateway's operator.",
)
"""What to do about each reason of `Unproven`."""

UNPROVEN_TEXTS: Final[Mapping[ClientReason, ReasonText]] = MappingProxyType(
    {
        _C.RESPONSE_MALFORMED: of_gateway(
            "应答消息不是约定的编码。",
            "The response is not the contract's message in its one spelling.",
        ),
        _C.ENVELOPE_MALFORMED: of_gateway(
            "应答中没有合格的签名信封。",
            "The response holds no well-formed envelope with one signature.",
        ),
        _C.SIGNER_UNKNOWN: of_requester(
            "签名密钥不在入网资料包中。", "The key id is none of those pinned for the gateway."
        ),
        _C.SIGNER_NOT_CURRENT: of_requester(
            "网关证书尚未生效或已过期：请更换入网资料包。",
            "The gateway's pinned certificate is not current: ask for a new bundle.",
        ),
        _C.SIGNATURE_INVALID: of_gateway(
            "信封签名不成立。", "The signature is not of the pinned key over these bytes."
        ),
        _C.PAYLOAD_TYPE_WRONG: of_gateway(
            "载荷类型不是答复（或拒绝）。", "The payload is not of the type due."
        ),
        _C.PAYLOAD_MALFORMED: of_gateway(
            "签名内容不是唯一规范写法。",
            "Signed content is not in its one spelling, or a member of it is out of form.",
        ),
        _C.BODY_TYPE_WRONG: of_gateway(
            "答复正文属于另一种消息。", "The answer's body is another message than the method's."
        ),
        _C.REQUEST_ID_MISMATCH: of_gateway(
            "答复属于另一请求。", "The answer belongs to another request."
        ),
        _C.REQUEST_DIGEST_MISMATCH: of_gateway(
            "答复所指的请求字节与发出的不同。",
            "The answer names other request bytes than those sent.",
        ),
        _C.SENDER_MISMATCH: of_gateway(
            "答复不是由本网关发出。", "The answer is not from the gateway of the identity."
        ),
        _C.RECEIVER_MISMATCH: of_requester(
            "答复是给另一系统的；请核对 system_id 与 TLS 证书是否同属一个系统。",
            "The answer is meant for another system; see that `system_id` is that of "
            "the TLS certificate.",
        ),
        _C.ITEM_MISMATCH: of_gateway(
            "答复属于事项中的另一项。", "The answer belongs to another query of the matter."
        ),
        _C.QUERY_MISMATCH: of_gateway(
            "答复所用协议或数据集与所问不同。",
            "Another agreement or dataset was answered than asked.",
        ),
        _C.FIELDS_MISMATCH: of_gateway(
            "答复的数据项与所问不一致（缺、多、换序或未写明）。",
            "The fields answered are not those asked: one missing, one more, another "
            "order, or not stated.",
        ),
        _C.STATE_INCONSISTENT: of_gateway(
            "状态、原因与数源记录相互矛盾。", "State, reason and record contradict each other."
        ),
        _C.RECEIPT_MISSING: of_gateway("没有回执。", "There is no receipt."),
        _C.RECEIPT_MALFORMED: of_gateway(
            "回执不合格式。", "The receipt or its entry is not in its form."
        ),
        _C.CHECKPOINT_UNSIGNED: of_gateway(
            "检查点不是由登记的日志密钥签署。",
            "The checkpoint is not signed by the pinned log key for its origin.",
        ),
        _C.CHECKPOINT_STALE: of_gateway(
            "检查点早于发问前已见过的：日志被回退。",
            "The checkpoint is older than one seen before the question: the log was rolled back.",
        ),
        _C.CHECKPOINT_FORKED: of_gateway(
            "同一大小有两个根：日志分叉，请立即联系审计方。",
            "One size with two roots: the log has forked; tell an auditor at once, "
            "with both receipts.",
        ),
        _C.ENTRY_NOT_INCLUDED: of_gateway("包含证明不成立。", "The inclusion proof does not hold."),
        _C.ENTRY_MISMATCH: of_gateway(
            "日志条目属于另一交换。", "The entry is of another exchange, kind or reason."
        ),
        _C.ENTRY_STALE: of_gateway(
            "日志条目早于发问前已见过的检查点。",
            "The entry stands before the checkpoint that was seen before the question.",
        ),
        _C.REQUEST_NOT_COMMITTED: of_gateway(
            "条目承诺的不是本请求。", "The entry does not commit to this request under our salt."
        ),
        _C.ANSWER_NOT_COMMITTED: of_gateway(
            "条目承诺的不是本答复。", "The entry does not commit to this answer."
        ),
        _C.OPENING_INVALID: of_gateway(
            "回执打开的内容与条目不符。", "An opening in the receipt does not open its commitment."
        ),
        _C.CONSISTENCY_INVALID: of_gateway(
            "新日志不是旧日志的延续。", "The newer tree does not extend the older one."
        ),
        _C.RECORD_MISSING: of_provider(
            "已答复却没有数源部门的签名记录。", "Answered, and no record of the source department."
        ),
        _C.RECORD_UNEXPECTED: of_provider(
            "无法判断却带有记录。",
            "It cannot be told, and a record stands in the answer all the same.",
        ),
        _C.RECORD_MALFORMED: of_provider(
            "记录不合格式。", "The record or a disclosure is not in its form."
        ),
        _C.RECORD_SIGNER_UNKNOWN: of_requester(
            "记录密钥不在入网资料包中。",
            "The record's key is none of those pinned for the provider.",
        ),
        _C.RECORD_SIGNER_NOT_CURRENT: of_requester(
            "记录密钥的证书尚未生效或已过期。", "The record's pinned certificate is not current."
        ),
        _C.RECORD_ALGORITHM_UNAVAILABLE: of_requester(
            "本机的密码库算不了记录所用的国密算法。",
            "This machine's library cannot compute the record's algorithm (SM2).",
        ),
        _C.RECORD_SIGNATURE_INVALID: of_provider(
            "记录签名不成立。", "The record's signature does not hold."
        ),
        _C.RECORD_ISSUER_WRONG: of_provider(
            "记录不是由所述部门签发。", "The record names another issuer than the answer."
        ),
        _C.RECORD_AUDIENCE_WRONG: of_provider(
            "记录是给另一系统的。", "The record is for another system."
        ),
        _C.RECORD_NONCE_WRONG: of_provider(
            "记录属于另一请求或另一项。", "The record is of another request or item."
        ),
        _C.RECORD_DATASET_WRONG: of_provider(
            "记录属于另一数据集。", "The record is of another dataset."
        ),
        _C.RECORD_SUBJECT_WRONG: of_provider(
            "记录属于另一当事人。", "The record is of another subject."
        ),
        _C.RECORD_NOT_CURRENT: of_provider(
            "记录不在有效期内，或有效期过长。",
            "The record is not yet or no longer valid, or lives too long.",
        ),
        _C.DISCLOSURE_UNASKED: of_provider(
            "披露了未问或不予提供的数据项。",
            "A field is disclosed that was not asked or is withheld.",
        ),
        _C.DISCLOSURE_MISSING: of_provider(
            "称有值，却没有披露。", "A value or finding is stated, and nothing is disclosed."
        ),
        _C.DISCLOSURE_DIFFERS: of_provider(
            "披露的方式或结果与答复所述不同。",
            "A disclosure has another effect or outcome than the answer states.",
        ),
        _C.ITEMS_MISSING: of_gateway(
            "事项的答复缺项。", "A matter's response has not one outcome per query."
        ),
        _C.ANSWER_UNASKED: of_gateway(
            "流中出现未问的答复。", "A stream answered a question that is not under way."
        ),
        _C.ANSWER_MISSING: of_gateway(
            "流已结束，此问没有答复。", "The stream ended before this question was answered."
        ),
        _C.REFUSAL_UNSIGNED: of_gateway(
            "拒绝没有签名，且不属于可不签名的原因。",
            "The refusal is not signed, and its reason demands it.",
        ),
        _C.REFUSAL_DIFFERS: of_gateway(
            "签名的拒绝原因与所示不同。", "The reason signed is another one than the reason told."
        ),
    }
)
