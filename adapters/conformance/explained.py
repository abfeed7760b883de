"""What each deviation means, whose it is and how it is mended; causes included."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.conformance.deviations import Code, Deviation, Explanation, Side, Weight
from adapters.conformance.explained_causes import EXPLAINED_CAUSES

_D = Deviation


def _of(
    side: Side, weight: Weight, meaning: tuple[str, str], remedy: tuple[str, str]
) -> Explanation:
    return Explanation(
        side=side,
        weight=weight,
        zh=meaning[0],
        en=meaning[1],
        mend_zh=remedy[0],
        mend_en=remedy[1],
    )


_PROVIDER, _SAMPLE, _GATEWAY = Side.PROVIDER, Side.SAMPLE, Side.GATEWAY
_FAILS, _UNTOLD, _WARNS = Weight.FAILS, Weight.UNTOLD, Weight.WARNS

_SAME_CONCLUSION: Final = (
    "同一问题须得同一答复；查看缓存、批次和随机选取",
    "one question has one answer; look at caches, batches and random choices",
)
_EXPLAINED: Final[Mapping[Deviation, Explanation]] = {
    _D.HEALTH_SILENT: _of(
        _PROVIDER,
        _UNTOLD,
        ("健康检查没有应答", "no answer to the health check"),
        ("确认服务在运行，地址可达", "see that the service runs and can be reached"),
    ),
    _D.HEALTH_REFUSED: _of(
        _PROVIDER,
        _FAILS,
        ("健康检查的应答不合格", "the health check is not answered as it should be"),
        ("看下一项问题的原因", "see the cause told for the next question"),
    ),
    _D.KNOWN_NOT_FOUND: _of(
        _PROVIDER,
        _FAILS,
        ("在册的人答复查无", "somebody on record is told as not found"),
        (
            "确认此人已预置；查无只用于库中没有的人",
            "see that he is planted; 'not found' is for whom the register does not hold",
        ),
    ),
    _D.UNKNOWN_FOUND: _of(
        _PROVIDER,
        _FAILS,
        ("不在册的人得到了记录", "somebody not on record got a record"),
        (
            "没有的人按接口说明答复“查无”，不返回空记录或默认值",
            "tell absent people as not found, with no blank or default record",
        ),
    ),
    _D.OTHER_NAME_ANSWERED: _of(
        _PROVIDER,
        _FAILS,
        ("姓名不符仍给出了数据", "data was given although the name is another's"),
        (
            "号码与姓名都相符才给数据；不符时按接口说明答复",
            "give data only where number and name agree; else answer as the manual says",
        ),
    ),
    _D.OTHER_NAME_NOT_FOUND: _of(
        _PROVIDER,
        _FAILS,
        ("姓名不符答复成了查无", "another name is told as not found"),
        (
            "区分“库中无此号码”与“号码在、姓名不符”",
            "tell 'no such number' apart from 'the number is here, under another name'",
        ),
    ),
    _D.TWO_PEOPLE_NOT_FOUND: _of(
        _PROVIDER,
        _FAILS,
        ("一号两人答复成了查无", "a number of two people is told as not found"),
        ("按姓名区分，或答复需人工核查", "tell them apart by name, or ask for a person to look"),
    ),
    _D.SUBJECT_UNRESOLVED: _of(
        _PROVIDER,
        _FAILS,
        ("说不清答的是谁（姓名不符或一号多人）", "nobody can tell whom it is about"),
        (
            "核对预置的号码与姓名；姓名写法、间隔号按接口说明",
            "compare the planted number and name; spell names and dots as the manual says",
        ),
    ),
    _D.FIELD_ABSENT: _of(
        _PROVIDER,
        _FAILS,
        (
            "应有的数据项没有值，或编码不在接口说明之列",
            "a field that is due has no value, or an unlisted code",
        ),
        (
            "写出所列数据项；此人确实没有的，在样例的 lacks 里说明",
            "give the field named; what he truly lacks is said under lacks of the sample",
        ),
    ),
    _D.FIELD_FORM: _of(
        _PROVIDER,
        _FAILS,
        ("数据项的值不合目录的类型", "a value has not the catalog's type"),
        ("按目录的类型输出", "write it as the catalog's type"),
    ),
    _D.FIELD_DIFFERS: _of(
        _PROVIDER,
        _FAILS,
        ("数据项与样例所说不同", "a field is not what the sample says"),
        (
            "核对预置的数据、成员与编码的对应；或改正样例",
            "compare planted data, members and codes; or mend the sample",
        ),
    ),
    _D.FINDING_UNTOLD: _of(
        _PROVIDER,
        _WARNS,
        ("在册的人，判断却不能确定", "a finding of somebody on record cannot be told"),
        (
            "查看该判断所依据的编码是否在接口说明之列；确应如此的，写进样例的 expect",
            "see that the code behind it is listed; where it should be so, say it under expect",
        ),
    ),
    _D.REPEAT_DIFFERS: _of(
        _PROVIDER,
        _FAILS,
        ("同一问题再问一次，答复不同", "the same question asked again has another answer"),
        _SAME_CONCLUSION,
    ),
    _D.TOGETHER_DIFFERS: _of(
        _PROVIDER,
        _FAILS,
        (
            "同时问几人，与逐个问的答复不同",
            "several asked at once are answered otherwise than alone",
        ),
        _SAME_CONCLUSION,
    ),
    _D.SURPLUS_MEMBERS: _of(
        _PROVIDER,
        _WARNS,
        (
            "返回了没有申请的成员（网关已丢弃）",
            "members nobody asked for are sent (the gateway drops them)",
        ),
        ("只返回申请的成员，最小必要", "send only what is asked for"),
    ),
    _D.CREDENTIAL_NOT_CHECKED: _of(
        _PROVIDER,
        _FAILS,
        ("密钥或口令是错的，仍然作了答复", "a wrong key or password is answered all the same"),
        ("逐项验证身份，错的一律拒绝", "check each credential and refuse wrong ones"),
    ),
    _D.REFUSAL_UNCLEAR: _of(
        _PROVIDER,
        _WARNS,
        (
            "拒绝了错误的身份，但没有用接口说明的方式",
            "a wrong identity is refused, but not as the manual says",
        ),
        (
            "用接口说明的错误码拒绝，便于查明",
            "refuse with the manual's code, so that it can be found out",
        ),
    ),
    _D.ANSWER_SLOW: _of(
        _PROVIDER,
        _WARNS,
        ("用去一半以上的时限", "took more than half of the time there is"),
        ("查看索引和慢查询", "look at indexes and slow queries"),
    ),
    _D.JOB_UNFINISHED: _of(
        _PROVIDER,
        _UNTOLD,
        ("一直是“办理中”", "still pending at the end"),
        (
            "为测试的人尽快办结，或用 --patience 多等",
            "finish the jobs of test people, or wait longer with --patience",
        ),
    ),
    _D.QUESTION_REJECTED: _of(
        _SAMPLE,
        _FAILS,
        ("问题本身被认为不合格", "the question itself is taken for wrong"),
        (
            "核对样例中的姓名、经办人、事项和办件号",
            "compare name, officer, matter and case number of the sample",
        ),
    ),
    _D.NOT_TOLD: _of(
        _PROVIDER,
        _FAILS,
        ("没有得到结果", "nothing was told"),
        ("按括号中的原因查看 docs/reasons.md", "look the reason in brackets up in docs/reasons.md"),
    ),
    _D.RECORD_UNPROVEN: _of(
        _GATEWAY,
        _FAILS,
        ("适配器签出的记录通不过验证", "the record the adapter signed does not verify"),
        (
            "这是网关的错误，请附报告反馈",
            "this is the gateway's mistake: report it with this output",
        ),
    ),
    _D.SAMPLE_INCOMPLETE: _of(
        _SAMPLE,
        _UNTOLD,
        ("样例缺少这一情形的人，没有检验", "the sample has nobody for this case; it was not tried"),
        (
            "预置这样的人并写进样例；不供给的数据集从 datasets 去掉",
            "plant such a person and add him; leave datasets not offered out of datasets",
        ),
    ),
    _D.SAMPLE_LACKS: _of(
        _SAMPLE,
        _UNTOLD,
        (
            "样例缺少接口必需的内容，没有提问",
            "the sample lacks what the interface demands; nothing was asked",
        ),
        (
            "SUBJECT_NAME：补上姓名；OFFICER：补上经办人",
            "SUBJECT_NAME: add the name; OFFICER: add the officer",
        ),
    ),
}

EXPLAINED: Final[Mapping[Code, Explanation]] = MappingProxyType(
    dict((*EXPLAINED_CAUSES.items(), *_EXPLAINED.items()))
)
"""Every code there is, explained."""
