"""Messages of the population register: published vectors, each code's meaning, hostile replies."""

import asyncio
import base64
from collections.abc import Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.codes import (
    HEAD_CODES,
)
from adapters.kinds.public_security.identity import ServiceIdentity
from adapters.kinds.public_security.package import (
    AnsweredRecord,
    PackageHead,
    encode_package,
    parse_package,
)
from adapters.kinds.public_security.reading import (
    OPERATIONS,
    Question,
    build_question,
    read_record,
)
from adapters.kinds.public_security.secret import (
    SecretKeeper,
    sign_call,
    signature_of,
    unwrap_secret,
)
from adapters.kinds.public_security.soap import POPULATION, parameters_of
from adapters.port import Indeterminate
from adapters.soap import PlatformFault, SoapFace
from adapters.transport import DepartmentTransport
from tests.adapters.asking import NOW_MS, OFFICER, query_of, shape_of

PERSON = "370102198203150024"
NAME = "李明"
APP_KEY = "demo-app-key-0001"
SECRET = "Zm9ydHktdHdvLWJ5dGVzLW9mLXN5bnRoZXRpYy1rZXk="
WRAPPED = "AAECAwQFBgcICQoLDA0OD7uBW1Uj7yfbGZ6NzMym/ZzNsRUD5tOPOGLG98k1xx0uHUmPevoOV2UGrr1zoKJKPw=="
SIGNED = "s_demo_0001hrss-demo-rid1767225600000"
REQUEST = "7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11"
IDENTITY = ServiceIdentity(
    sid="s_demo_0001",
    app_key=APP_KEY,
    user="hrss",
    password="demo",
    ministry=("37HRSS", "示例省人社厅"),
    origin_system=("HUTONG01", "数据交换网关"),
    business_system=("RETIRE01", "退休审批系统"),
    matter_names={"M2": "退休申请"},
)
SOAP = SoapFace(POPULATION, sorted(operation.name for operation in OPERATIONS.values()))
SHAPE = shape_of("ps.person_verify@1", {"deceased": "pred"})


def question(dataset: str, claims: Mapping[str, str] | None = None) -> Question:
    """Return a question about the person."""
    return build_question(OPERATIONS[dataset], query_of(SHAPE, (PERSON, NAME), {}, claims))


def read(dataset: str, code: str, **members: str) -> dict[str, object] | None:
    """Return what one record says."""
    record = AnsweredRecord(code=code, members={"GMSFHM": PERSON, **members})
    raw = read_record(question(dataset), record)
    return None if raw is None else {str(name): value for name, value in raw.items()}


def test_the_published_signatures_are_reproduced() -> None:
    """The manual's vectors, made with the application key and with a secret."""
    assert signature_of(APP_KEY, SIGNED) == "YOKkiNGUVdbxkuyn3mnw7lz58ipEiW5WH/KB5S7JunY="
    assert signature_of(SECRET, SIGNED) == "d164P7BthB92fhdtuVw+fW77jX6+B8ehtzvt5ZbOzBY="


def test_the_published_secret_is_unwrapped() -> None:
    """The manual's vector of AES-256-CBC."""
    assert unwrap_secret(APP_KEY, WRAPPED) == SECRET


@pytest.mark.parametrize(
    "wrapped",
    [
        "",
        "not base64!",
        base64.b64encode(bytes(16)).decode(),
        base64.b64encode(bytes(40)).decode(),
        base64.b64encode(bytes(64)).decode(),
        WRAPPED[:-4] + "AAA=",
    ],
)
def test_a_secret_of_another_form_is_malformed(wrapped: str) -> None:
    """Base64, blocks, padding and content are all judged."""
    with pytest.raises(AnswerMalformed):
        unwrap_secret(APP_KEY, wrapped)


def test_no_two_calls_share_a_request_id() -> None:
    """The platform takes an id once."""
    ids = {sign_call("s", "k", NOW_MS)["gjgxjhpt_rid"] for _ in range(100)}

    assert len(ids) == 100


@pytest.mark.parametrize(
    "reply",
    [
        {"code": "0", "data": None},
        {"code": "0", "data": {"secret": WRAPPED, "secretEndTime": "soon"}},
        {"code": "0", "data": {"secret": WRAPPED, "secretEndTime": 1767227400000}},
        {"code": 0, "data": {}},
        {"code": "0", "data": {"secret": "AA==", "secretEndTime": "1767227400000"}},
    ],
)
async def test_a_secret_answer_of_another_form_is_malformed(reply: dict[str, object]) -> None:
    """Each member is judged before it is believed."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(reply)

    app = web.Application()
    app.router.add_post("/gjgxjhpt/secret", answer)
    async with TestServer(app) as server:
        transport = DepartmentTransport(
            department="test", base_url=str(server.make_url("/")).rstrip("/")
        )
        keeper = SecretKeeper(transport, IDENTITY)
        loop = asyncio.get_running_loop()

        with pytest.raises(AnswerMalformed):
            await keeper.fetch(NOW_MS, loop.time() + 5)
        await transport.close()


def test_a_package_names_the_officer_and_numbers_its_records() -> None:
    """The head carries who asks and why; text that looks like XML stays text."""
    head = PackageHead(request_number=REQUEST, end_user=OFFICER, matter="M2", now_ms=NOW_MS)

    text = encode_package(IDENTITY, head, [{"XM": "<b>&"}, {"XM": "\U00020bb7\ue863"}])

    root = etree.fromstring(text.encode())
    assert root.findtext("PACKAGEHEAD/JLS") == "2"
    assert root.findtext("PACKAGEHEAD/FSSJ") == "20261123160000"
    assert root.findtext("PACKAGEHEAD/QQRXM") == OFFICER.name
    assert root.findtext("PACKAGEHEAD/QQYWLXMC") == "退休申请"
    assert [record.get("no") for record in root.findall("DATA/RECORD")] == ["1", "2"]
    assert [record.findtext("XM") for record in root.findall("DATA/RECORD")] == [
        "<b>&",
        "\U00020bb7\ue863",
    ]


def answer_package(code: str = "10", records: str = "", number: str = REQUEST) -> str:
    """Return the text of an answer."""
    return (
        f"<PACKAGE><PACKAGEHEAD><FWQQBH>{number}</FWQQBH><FHDM>{code}</FHDM></PACKAGEHEAD>"
        f"<DATA>{records}</DATA></PACKAGE>"
    )


@pytest.mark.parametrize(
    ("code", "reason"), [*HEAD_CODES.items(), ("99", Indeterminate.PROVIDER_FAULT)]
)
def test_each_head_code_has_its_reason(code: str, reason: Indeterminate) -> None:
    """Anything but 10 is a failure of the whole package, known or not."""
    with pytest.raises(DepartmentFailed) as caught:
        parse_package(answer_package(code), REQUEST)

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain text",
        "<OTHER/>",
        "<PACKAGE/>",
        answer_package(records='<RECORD code="10"/>'),
        answer_package(records='<RECORD no="01" code="10"/>'),
        answer_package(records='<RECORD no="1" code="10">' + "<A/>" * 65 + "</RECORD>"),
        "<!DOCTYPE a><PACKAGE/>",
    ],
)
def test_a_text_that_is_no_package_is_malformed(text: str) -> None:
    """The inner message is read as strictly as the outer one."""
    with pytest.raises(AnswerMalformed):
        parse_package(text, REQUEST)


def test_an_answer_to_another_request_proves_nothing() -> None:
    """A late answer is dropped."""
    with pytest.raises(DepartmentFailed) as caught:
        parse_package(answer_package(), REQUEST.replace("7", "8"))

    assert caught.value.reason is Indeterminate.PROVIDER_UNPROVEN


def test_a_name_that_is_another_persons_is_a_mismatch() -> None:
    """The same number with another name is not whom we asked about."""
    with pytest.raises(DepartmentFailed) as caught:
        read("ps.person_core", "10", XM="王芳")

    assert caught.value.reason is Indeterminate.SUBJECT_MISMATCH


def test_a_date_in_no_spelling_is_malformed() -> None:
    """It is not passed on as text."""
    with pytest.raises(AnswerMalformed):
        read("ps.death_cancel", "10", ZXBS="1", ZXRQ="someday", ZXYY="1")


def enveloped(content: str) -> str:
    """Return a SOAP 1.1 envelope around a body's content."""
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{soap}"><s:Body>{content}</s:Body></s:Envelope>'


@pytest.mark.parametrize(
    "body",
    [
        b"<a/>",
        enveloped("").encode(),
        enveloped("").replace("Body", "Head").encode(),
        enveloped(
            '<GK_GXFW_SFHCResponse xmlns="http://other.invalid"><out>x</out></GK_GXFW_SFHCResponse>'
        ).encode(),
        enveloped(
            '<GK_JZCX_SWZXCXResponse xmlns="http://webservice.com"><out>x</out>'
            "</GK_JZCX_SWZXCXResponse>"
        ).encode(),
        enveloped('<GK_GXFW_SFHCResponse xmlns="http://webservice.com"/>').encode(),
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>',
    ],
)
def test_an_envelope_of_another_operation_is_malformed(body: bytes) -> None:
    """Namespace, operation, version and content must be those asked for."""
    with pytest.raises(AnswerMalformed):
        SOAP.parse_reply("GK_GXFW_SFHC", body)


@pytest.mark.parametrize(
    ("detail", "code"),
    [("<detail><code>E-104</code></detail>", "E-104"), ("", ""), ("<detail><code/></detail>", "")],
)
def test_a_fault_is_read_by_its_code(detail: str, code: str) -> None:
    """The text of a fault is never looked at."""
    body = enveloped(
        f"<s:Fault><faultcode>s:Client</faultcode><faultstring>E-101 x</faultstring>{detail}"
        "</s:Fault>"
    )

    assert SOAP.parse_reply("GK_GXFW_SFHC", body.encode()) == PlatformFault(code=code)


def test_an_envelope_carries_proof_and_message() -> None:
    """Header and parameters stand in the order and namespace of the manual."""
    proof = sign_call("s_demo", SECRET, NOW_MS)

    body = SOAP.encode_call("GK_GXFW_SFHC", proof, parameters_of("<PACKAGE/>", "hrss", "demo"))

    root = etree.fromstring(body)
    header, content = root[0][0], root[1][0]
    assert header.tag == "{http://webservice.com}tongtechheader"
    assert {etree.QName(member).localname: member.text for member in header} == proof
    assert content.tag == "{http://webservice.com}GK_GXFW_SFHC"
    assert [member.text for member in content] == ["<PACKAGE/>", "hrss", "demo"]


def test_an_envelope_is_this_text() -> None:
    """What is sent stays the same to the octet, whoever builds it."""
    proof = {
        "gjgxjhpt_rid": "r",
        "gjgxjhpt_sid": "s",
        "gjgxjhpt_rtime": "1",
        "gjgxjhpt_sign": "x=",
    }

    body = SOAP.encode_call("GK_GXFW_SFHC", proof, parameters_of("<A>李&</A>", "hrss", "demo"))

    assert body.decode() == (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/">'
        '<soap-env:Header><ns0:tongtechheader xmlns:ns0="http://webservice.com">'
        "<ns0:gjgxjhpt_rid>r</ns0:gjgxjhpt_rid><ns0:gjgxjhpt_sid>s</ns0:gjgxjhpt_sid>"
        "<ns0:gjgxjhpt_rtime>1</ns0:gjgxjhpt_rtime><ns0:gjgxjhpt_sign>x=</ns0:gjgxjhpt_sign>"
        "</ns0:tongtechheader></soap-env:Header><soap-env:Body>"
        '<ns0:GK_GXFW_SFHC xmlns:ns0="http://webservice.com">'
        "<ns0:in0>&lt;A&gt;李&amp;&lt;/A&gt;</ns0:in0><ns0:in1>hrss</ns0:in1>"
        "<ns0:in2>demo</ns0:in2></ns0:GK_GXFW_SFHC></soap-env:Body></soap-env:Envelope>"
    )
