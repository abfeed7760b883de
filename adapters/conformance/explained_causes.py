"""What each cause means to whoever runs the department's end, and how it is mended."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.conformance.deviations import Explanation, Side, Weight

_C = Cause
_Texts = tuple[str, str, str, str]


def _entries(side: Side, weight: Weight, texts: Mapping[Cause, _Texts]) -> dict[Cause, Explanation]:
    return {
        cause: Explanation(side=side, weight=weight, zh=zh, en=en, mend_zh=mend_zh, mend_en=mend_en)
        for cause, (zh, en, mend_zh, mend_en) in texts.items()
    }


_AWAY: Final = _entries(
    Side.PROVIDER,
    Weight.UNTOLD,
    {
        _C.CONNECTION_FAILED: (
            "连不上，或在应答之前断开",
            "no connection, or it broke before an answer",
            "核对地址、端口、防火墙和 TLS 证书，确认服务在运行",
            "compare address, port, firewall and TLS certificate; see that the service runs",
        ),
        _C.BREAKER_OPEN: (
            "此前接连失败，已停止提问",
            "failures in a row before this; no more is asked",
            "先解决报告中较早的问题，再运行一次",
            "mend what the report tells earlier, and run it again",
        ),
        _C.STATUS_UNAVAILABLE: (
            "HTTP 状态 502、503 或 504：服务此刻不可用",
            "HTTP status 502, 503 or 504: the service cannot answer now",
            "查看服务及其前面的代理；恢复后再运行",
            "look at the service and the proxy before it; run again once it is back",
        ),
        _C.RATE_LIMITED: (
            "超过频次或配额",
            "over the rate or the quota",
            "为测试登记放宽频次，或隔一会儿再运行",
            "widen the rate of the test registration, or run again later",
        ),
        _C.CODE_BUSY: (
            "以自己的编码答复“系统忙”或“本条未成”",
            "answers with its own code for busy or not done",
            "查明系统忙的原因；空闲时应给出结果",
            "find why it is busy; when idle it has to give a result",
        ),
    },
)
_HTTP: Final = _entries(
    Side.PROVIDER,
    Weight.FAILS,
    {
        _C.ANSWER_LATE: (
            "没有在时限内应答",
            "no answer in time",
            "使服务在 --timeout 之内应答；不能当即回答的，按接口说明给出“办理中”",
            "answer within --timeout; tell what takes longer as pending, as the manual says",
        ),
        _C.HTTP_BROKEN: (
            "应答不是合格的 HTTP",
            "the answer is no proper HTTP",
            "查看服务或代理写出的状态行和响应头",
            "look at the status line and headers the service or proxy writes",
        ),
        _C.BODY_CUT_SHORT: (
            "应答体比声明的短，中途断开",
            "the body ends before its declared length",
            "查看是否有进程或代理中途断开；Content-Length 须与实际相同",
            "find who closes the connection midway; Content-Length has to be the true length",
        ),
        _C.BODY_EMPTY: (
            "应答体为空",
            "the body is empty",
            "没有结果也要按接口说明明确答复；空体不是“查无”",
            "answer as the manual says even without a result; an empty body is not 'not found'",
        ),
        _C.BODY_TOO_LARGE: (
            "应答超过大小上限",
            "the answer is larger than the limit",
            "只答所问的人，去掉照片等未申请的内容",
            "answer about the person asked, without photos and whatever nobody asked for",
        ),
        _C.MEDIA_TYPE: (
            "媒体类型、压缩或字符集不是接口说明所定（例如返回了 HTML 页）",
            "media type, compression or charset is not the manual's (an HTML page, for instance)",
            "设置正确的 Content-Type，不压缩；出错时也用接口说明的报文，不用网页",
            "set Content-Type, do not compress; tell errors in the manual's form, not as a page",
        ),
        _C.REDIRECTED: (
            "应答是重定向（例如跳转到登录页）",
            "the answer is a redirect (to a login page, for instance)",
            "接口地址须直接应答；网关从不跟随重定向",
            "let the address answer itself; the gateway never follows a redirect",
        ),
        _C.STATUS_FAULT: (
            "HTTP 5xx：服务内部出错",
            "HTTP 5xx: the service failed",
            "按请求时间查看服务自己的日志",
            "look at the service's own log for the time of the request",
        ),
    },
)
_FORM: Final = _entries(
    Side.PROVIDER,
    Weight.FAILS,
    {
        _C.NOT_UTF8: (
            "应答不是 UTF-8（常见的是 GBK）",
            "the answer is not UTF-8 (often GBK)",
            "输出改用 UTF-8，与声明一致",
            "write UTF-8, as declared",
        ),
        _C.NOT_JSON: (
            "应答体不是合格的 JSON",
            "the body is no proper JSON",
            "用 JSON 库输出；同一对象内成员不得重名",
            "write it with a JSON library; no name may stand twice in one object",
        ),
        _C.NOT_XML: (
            "报文不是合格的 XML",
            "the message is no well-formed XML",
            "用 XML 库输出，姓名等文字须转义",
            "write it with an XML library; texts such as names have to be escaped",
        ),
        _C.XML_DOCUMENT_TYPE: (
            "XML 声明了文档类型或实体",
            "the XML declares a document type or entities",
            "去掉 DOCTYPE 和 ENTITY；网关一律拒绝",
            "leave DOCTYPE and ENTITY out; the gateway refuses both",
        ),
        _C.NOT_SOAP: (
            "应答不是此操作的 SOAP 1.1 报文",
            "the answer is not this operation's SOAP 1.1 message",
            "核对信封、命名空间、应答元素名与 WSDL",
            "compare envelope, namespace and response element with the WSDL",
        ),
        _C.NOT_BASE64: (
            "内层报文不是合格的 base64",
            "the inner message is no proper base64",
            "用标准字母表、带填充、不换行",
            "use the standard alphabet, padded, without line breaks",
        ),
        _C.MEMBER_FORM: (
            "有成员缺少、重复或类型不对",
            "a member is missing, stands twice or has another type",
            "按接口说明写出所列成员",
            "write the member named as the manual says",
        ),
        _C.DATE_FORM: (
            "日期的写法不对，或日历上没有这一天",
            "a date is misspelt, or no calendar has it",
            "按接口说明的写法输出真实的日期；没有的写空",
            "write true dates as the manual spells them; leave empty what is not known",
        ),
        _C.IDENTIFIER_FORM: (
            "号码的位数、字符或校验位不对",
            "a number has a wrong length, character or check character",
            "核对库中号码；证书号、身份号按各自的国家标准",
            "compare the numbers on record with their national standards",
        ),
        _C.RECORD_COUNT: (
            "记录的条数超出接口说明的范围",
            "there are fewer or more records than the manual allows",
            "只返回所问的人的记录，不超过上限；没有记录时按“查无”答复",
            "return the records of the person asked, within the limit; tell none as not found",
        ),
        _C.RECORD_MISSING: (
            "一批之中少了某人的一条，或一条出现两次",
            "a record of a batch is missing or stands twice",
            "每问一条答一条，序号与所问相同",
            "answer each record asked once, under its own number",
        ),
        _C.RECORDS_CONTRADICT: (
            "几条记录互相矛盾（例如两份都有效）",
            "records contradict each other (two that are both valid, for instance)",
            "核对数据：同一时刻只应有一条有效",
            "mend the data: only one may be valid at a time",
        ),
        _C.FORM: (
            "应答不合接口说明",
            "the answer is not of the manual's form",
            "按括号中的规则改正",
            "mend what the rule in brackets names",
        ),
        _C.TOKEN_REFUSED: (
            "刚发出的令牌随即被拒",
            "a token is refused right after it was given out",
            "核对令牌的有效期、签名钥和两台服务器的时间",
            "compare the token's life, its signing key and the clocks of both servers",
        ),
        _C.OTHER_PERSON: (
            "答复的是另一个人或另一份证书",
            "the answer is of another person or certificate",
            "立即停用并查明：按号码和姓名取记录，缓存、并发不得串用",
            "stop and find out why: select by number and name; caches must not mix answers",
        ),
        _C.OTHER_REQUEST: (
            "应答带的请求号不是这次的",
            "the answer bears another request's number",
            "原样带回请求号；迟到的应答须丢弃",
            "repeat the request's number as sent; drop answers that are late",
        ),
        _C.CODE_UNKNOWN: (
            "用了接口说明中没有的编码",
            "uses a code the manual does not list",
            "只用接口说明所列的编码；要新增，先改说明",
            "use the manual's codes only; a new one goes into the manual first",
        ),
        _C.CODE_REFUSED: (
            "以自己的编码拒绝了合格的问题",
            "refuses a well-formed question with its own code",
            "查看括号中的编码在接口说明中的含义，核对登记的权限和参数",
            "look the code in brackets up in the manual; compare registered rights and parameters",
        ),
    },
)
_ENROLMENT: Final = _entries(
    Side.ENROLMENT,
    Weight.FAILS,
    {
        _C.IDENTITY_REFUSED: (
            "不承认我方身份",
            "our identity is not accepted",
            "核对双方登记的标识、密钥、口令和权限；换钥后两边都要更新",
            "compare id, key, password and rights; after a rotation both sides have to change",
        ),
        _C.CLOCK_APART: (
            "认为我方的时间不对",
            "takes our time for wrong",
            "双方与同一时间源对时，时区用北京时间或 UTC，以接口说明为准",
            "set both clocks by one source; mind the zone the manual names",
        ),
    },
)

EXPLAINED_CAUSES: Final[Mapping[Cause, Explanation]] = MappingProxyType(
    {**_AWAY, **_HTTP, **_FORM, **_ENROLMENT}
)
