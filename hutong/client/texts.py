"""What each reason of the client means, whose side it lies on and what to do about it.

For people, in Chinese and English; docs/clients/reasons.md is compared with this table.
INVARIANT: a text names no value of a question and no subject.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hutong.client.reasons import ClientReason, ReasonText, of_gateway, of_requester
from hutong.client.unproven_texts import UNPROVEN_REMEDY, UNPROVEN_TEXTS

_C = ClientReason


def _whole(meaning: ReasonText) -> ReasonText:
    """Return the meaning of an unproven answer with its remedy, which is the same for all."""
    remedy = UNPROVEN_REMEDY
    return ReasonText(side=meaning.side, zh=meaning.zh + remedy.zh, en=f"{meaning.en} {remedy.en}")


REASON_TEXTS: Final[Mapping[ClientReason, ReasonText]] = MappingProxyType(
    {
        _C.SUBJECT_INVALID: of_requester(
            "当事人号码不对：公民身份号码 18 位、校验位正确，或一代证 15 位数字；统一"
            "社会信用代码 18 位。请核对号码和类型。",
            "The subject's identifier is wrong: a resident identity number has 18 "
            "characters with a right check character, or 15 digits; a USCC has 18. "
            "Compare number and type.",
        ),
        _C.SUBJECT_NAME_INVALID: of_requester(
            "当事人姓名超过 60 个字符。请核对。",
            "The subject's name has more than 60 characters. Look at it.",
        ),
        _C.MATTER_INVALID: of_requester(
            "事项代码缺失或不合规。请写 1 到 16 个字母、数字或连字符，如 M2。",
            "The code of the matter is missing or out of form. Give 1 to 16 letters, "
            "digits or hyphens, e.g. M2.",
        ),
        _C.LEGAL_BASIS_INVALID: of_requester(
            "使用依据缺失或超过 200 个字符。请照协议所列的依据填写。",
            "The legal basis is missing or longer than 200 characters. Give it as "
            "the agreement states it.",
        ),
        _C.CASE_NUMBER_INVALID: of_requester(
            "办件号缺失或不合规。请写 1 到 64 个可见 ASCII 字符。",
            "The number of the case is missing or out of form. Give 1 to 64 visible "
            "ASCII characters.",
        ),
        _C.AGREEMENT_INVALID: of_requester(
            "协议编号缺失或不合规。请写协议编号，如 XY-2026-201。",
            "The number of the agreement is missing or out of form. Give it as "
            "written, e.g. XY-2026-201.",
        ),
        _C.AGREEMENT_UNLISTED: of_requester(
            "入网资料未列此协议，因此不知道它的数据集和依据。请核对编号，或自己写明数据集和依据。",
            "The identity does not list this agreement, so its dataset and legal "
            "basis are not known here. Compare the number, or state both.",
        ),
        _C.DATASET_INVALID: of_requester(
            "数据集缺失或不合规。请连版本一起写，如 edu.diploma@1。",
            "The dataset is missing or out of form. Give it with its version, e.g. edu.diploma@1.",
        ),
        _C.FIELDS_INVALID: of_requester(
            "须逐一列出 1 到 64 个数据项，不得重复。", "List 1 to 64 fields, each once."
        ),
        _C.NAME_INVALID: of_requester(
            "数据项或申报值的名称不合规。请照目录写：小写字母、数字和下划线，如 full_name。",
            "The name of a field or claim is out of form. Write it as the catalog "
            "does: lower-case letters, digits and underscores, e.g. full_name.",
        ),
        _C.CLAIMS_INVALID: of_requester(
            "申报值至多 16 个，每个写成“名称=值”，值为 1 到 256 个字符。",
            "Give at most 16 claims, each as NAME=VALUE with a value of 1 to 256 characters.",
        ),
        _C.QUERIES_INVALID: of_requester(
            "一个事项须有 1 到 32 个查询，同一协议下同一数据集只能问一次。",
            "A matter has 1 to 32 queries, and asks for one dataset under one agreement once.",
        ),
        _C.OFFICER_INVALID: of_requester(
            "经办人信息不合规：层级只能是 province 省、city 市、county 县、township 乡镇、"
            "village 村，行政区划为 6 位数字，各项为 1 到 200 个字符，没有的可选项不写。",
            "The officer is not described in form: the level is province, city, county, township "
            "or village, the division has 6 digits, each text has 1 to 200 characters, and what "
            "is not there is left out.",
        ),
        _C.ASSERTION_NOT_ISSUED: of_requester(
            "签不出经办人断言：经办人密钥的算法不合适，或断言过大。请改用 ES256 或 "
            "EdDSA 密钥，或减少内容。",
            "The officer assertion cannot be signed: the officer key is of another "
            "suite, or there is too much to assert. Use an ES256 or EdDSA key, or "
            "ask for less.",
        ),
        _C.QUESTION_TOO_LARGE: of_requester(
            "问题过大，无法签名。请减少数据项或分次提问。",
            "The question is too large to be signed. Ask for less at once.",
        ),
        _C.REQUEST_ID_INVALID: of_requester(
            "请求编号须为 16 字节。请用答复或回执中的编号。",
            "A request id has 16 bytes. Take the one of the answer or the receipt.",
        ),
        _C.IDENTITY_NOT_FOUND: of_requester(
            "此处没有入网资料：目录中没有 identity.json。请核对目录，登记命令会打印它的位置。",
            "There is no identity here: the directory holds no identity.json. Name "
            "the directory that enrolment printed.",
        ),
        _C.IDENTITY_MALFORMED: of_requester(
            "入网资料不合格式。请向网关管理单位索取新的入网资料。",
            "The identity is not in its form. Ask the gateway's operator for a new "
            "enrolment bundle.",
        ),
        _C.IDENTITY_FILE_UNREADABLE: of_requester(
            "入网资料中有文件不存在、打不开或过大。请核对目录是否完整、是否本用户所有。",
            "A file of the identity is absent, cannot be opened or is too large. See "
            "that the directory is whole and yours.",
        ),
        _C.IDENTITY_FILE_EXPOSED: of_requester(
            "私钥和口令文件须为本用户的普通文件，权限 0600。请用 chmod 600 改正；若他"
            "人读过，请更换密钥。",
            "Keys and passphrases lie in regular files of this user with mode 0600. "
            "Set it with chmod 600; if others have read one, change the key.",
        ),
        _C.IDENTITY_FILE_WRITABLE: of_requester(
            "入网资料的文件或目录可被他人改写，网关地址和所信任的证书因此不可信。请核对"
            "内容未被改动，再用 chmod go-w 收回写权限；属主须为本用户或 root，不是的请用 chown "
            "更正。",
            "Others may write a file or folder of the identity, so the gateway's address "
            "and the certificates believed cannot be trusted. See that nothing was "
            "changed, then take the right away with chmod go-w; where the owner is neither this "
            "user nor root, change it with chown.",
        ),
        _C.IDENTITY_KEY_UNUSABLE: of_requester(
            "密钥打不开：口令不对，或算法不受支持。请核对口令文件。",
            "A key cannot be used: the passphrase is wrong or the algorithm is none "
            "of ours. Look at the passphrase file.",
        ),
        _C.IDENTITY_INCONSISTENT: of_requester(
            "入网资料自相矛盾：证书、密钥或密钥编号不是一套。请重新取得完整的入网资料。",
            "The identity contradicts itself: certificate, key or key id do not "
            "belong together. Get a whole one again.",
        ),
        _C.IDENTITY_NOT_CURRENT: of_requester(
            "本系统的通道证书已过期或尚未生效，或本机时钟不准。请更换证书或校准时钟。",
            "The channel certificate of this system is expired or not yet valid, or "
            "the clock here is wrong. Renew it, or set the clock.",
        ),
        _C.OFFICER_KEY_ABSENT: of_requester(
            "入网资料中没有经办人密钥。请由本单位身份服务签发断言，或以系统任务提问。",
            "The identity holds no officer key. Let your identity service issue the "
            "assertion, or ask as a system job.",
        ),
        _C.FILE_NOT_WRITTEN: of_requester(
            "文件写不成：目标已存在，或目录不可写。请换一个空目录。",
            "A file cannot be written: it exists already, or its folder takes none. "
            "Name an empty folder.",
        ),
        _C.UNAVAILABLE: of_gateway(
            "网关连接不上，或在时限内一直不可用。请核对网关是否在运行、入网资料中的地"
            "址对不对，再重试。",
            "The gateway cannot be reached, or stayed away until the deadline. See "
            "that it runs, and that the address of the identity is its own; then ask "
            "again.",
        ),
        _C.GATEWAY_CERTIFICATE_UNTRUSTED: of_requester(
            "对方出示的网关证书不可信，没有向其发送任何内容：不是由入网资料中的机构（authority.pem）"
            "签发，或不在有效期内（本机时钟不准也会如此），或名称与地址不符。此前若已尝试发送，"
            "问题可能已执行。请核对地址和时钟，再经可信途径向网关管理单位索取新的入网资料；"
            "切勿改信未经核实的证书。",
            "The certificate presented as the gateway's is not believed, and nothing was sent to "
            "whoever presented it: it is not issued by an authority in the identity's "
            "authority.pem, it is not current (a wrong clock here does the same), or it is of "
            "another name. An attempt before may have been executed. Compare the address and the "
            "clock, then ask the gateway's operator for a new enrolment bundle over a way you "
            "trust. Believe no certificate that nobody vouched for.",
        ),
        _C.DEADLINE_EXCEEDED: of_gateway(
            "在调用方的时限内没有答复；请求可能已执行。请稍后重新提问。",
            "No answer within the caller's time; the question may have been "
            "executed. Ask anew later.",
        ),
        _C.MESSAGE_TOO_LARGE: of_gateway(
            "消息超过上限，未读取。请减少数据项或分次提问。",
            "A message above the bound was not read. Ask for less at once.",
        ),
        _C.CALL_FAILED: of_gateway(
            "调用以其他 gRPC 状态结束，且不是网关的拒绝。请核对地址是否为网关，再联系"
            "网关管理单位。",
            "The call ended with another gRPC status, which is no refusal of the "
            "gateway. See that the address is the gateway's, then call its operator.",
        ),
        _C.CALL_LIMITED: of_gateway(
            "网关暂不受理此调用，原因码见详情。请稍后重试，仍不行请联系网关管理单位。",
            "The gateway does not take this call for now; the detail is its reason. Try again "
            "later, and call its operator if that stays.",
        ),
        **{reason: _whole(meaning) for reason, meaning in UNPROVEN_TEXTS.items()},
    }
)
"""Every reason this package raises, in the order of the list."""
