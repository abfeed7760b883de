"""Messages of the health department: the page's vector, its samples, and hostile answers."""

import base64
import re
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.health.adapter import OPERATION, SERVICE
from adapters.kinds.health.identity import Moment, draw_moment, prove_call, signature_of
from adapters.kinds.health.message import Answer, Asked, encode_question, parse_answer
from adapters.kinds.health.reading import MAX_ROWS, build_asked, read_answer
from adapters.port import Finding, Indeterminate
from adapters.soap import PlatformFault, SoapFace
from tests.adapters.asking import query_of
from tests.adapters.health.asking import DEATH, IDENTITY
from tests.adapters.health.wire import NAMESPACE, encoded, enveloped, replied

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "health.md").read_text("utf-8")
# Section 7: 2026-01-01 08:00:00 in China.
PAGE_MS = 1_767_225_600_000
TODAY = date(2026, 1, 1)
ASKED = Asked(number="370102195603159016", full_name="王守仁")
SOAP = SoapFace(SERVICE, [OPERATION])
BUSY_XML = b"<MDEML><resultinfo><success>8</success><message>x</message></resultinfo></MDEML>"
BUSY = encoded(BUSY_XML)
"""An answer as it should be, which ends in one `=`; each malformed one breaks one rule of it."""


def _sample(section: str, nth: int) -> bytes:
    """Return a sample of the page as it would stand on the wire, without the page's line breaks."""
    text = PAGE.split(f"\n## {section}")[1].split("\n## ")[0]
    return re.sub(r"\n\s*", "", re.findall(r"```xml\n(.*?)```", text, re.DOTALL)[nth]).encode()


def row(**changed: str | None) -> str:
    """Return a row of the asked person; None leaves a member out."""
    members = {
        "GMSFHM": ASKED.number,
        "XM": ASKED.full_name,
        "ZMZT": "1",
        "SWRQ": "20251230",
        "SWYY": "意外伤害",
        "GXSJ": "20251231020000",
        **changed,
    }
    inner = "".join(
        f"<{name}>{text}</{name}>" for name, text in members.items() if text is not None
    )
    return f"<data>{inner}</data>"


def parse(body: str, success: str = "0") -> Answer:
    """Return an answer of some body."""
    result = f"<resultinfo><success>{success}</success><message/></resultinfo>"
    return parse_answer(encoded(f"<MDEML>{result}{body}</MDEML>".encode()))


def read(*rows: str, asked: Asked = ASKED) -> dict[str, object] | None:
    """Return what rows say."""
    raw = read_answer(asked, parse(f"<body>{''.join(rows)}</body>"), TODAY)
    return None if raw is None else {str(name): value for name, value in raw.items()}


def test_the_published_signature_is_reproduced() -> None:
    """The page's vector, from its text and from the parts of its call."""
    key, text, sign = re.findall(r"^\| (?:appKey|text|sign) \| `(.+)` \|", PAGE, re.MULTILINE)
    moment = Moment(now_ms=PAGE_MS, nonce="hrss-demo-nonce-1")

    assert signature_of(key, text.replace("\\n", "\n")) == sign
    assert prove_call(IDENTITY, moment, OPERATION, "PE1ERU1MLz4=") == {
        "appId": "hc_demo_0001",
        "timestamp": "1767225600000",
        "nonce": "hrss-demo-nonce-1",
        "sign": sign,
    }


def test_no_two_calls_share_a_nonce() -> None:
    """The department takes one once."""
    assert len({draw_moment(PAGE_MS).nonce for _ in range(100)}) == 100


def test_the_published_question_is_what_is_sent() -> None:
    """To the octet, but for the line breaks the page is printed with."""
    sent = base64.b64decode(encode_question(IDENTITY, ASKED, PAGE_MS))

    declaration, _, rest = sent.decode().partition("?>")
    assert declaration.replace("'", '"') == '<?xml version="1.0" encoding="UTF-8"'
    assert rest.strip() == _sample("3.", 0).decode().partition("?>")[2]


def test_a_name_that_looks_like_xml_stays_a_name() -> None:
    """Nobody's name closes a tag."""
    asked = Asked(number=ASKED.number, full_name="</XM><b>&\U00020bb7\ue863")

    root = etree.fromstring(base64.b64decode(encode_question(IDENTITY, asked, PAGE_MS)))

    assert root.findtext("body/data/XM") == asked.full_name


def test_an_envelope_is_that_of_the_page() -> None:
    """Header and body by name, order and namespace, as section 7 shows them."""
    request = encode_question(IDENTITY, ASKED, PAGE_MS)
    moment = Moment(now_ms=PAGE_MS, nonce="hrss-demo-nonce-1")
    proof = prove_call(IDENTITY, moment, OPERATION, request)

    sent = etree.fromstring(SOAP.encode_call(OPERATION, proof, {"requestXml": request}))
    shown = etree.fromstring(_sample("7.", 0))

    assert [element.tag for element in sent.iter()] == [element.tag for element in shown.iter()]
    texts = [element.text for element in sent.iter() if not len(element)]
    assert texts[:3] == ["hc_demo_0001", "1767225600000", "hrss-demo-nonce-1"]
    assert texts[4] == request
    assert request.startswith("PD94bWwg")


def test_the_published_answers_are_read() -> None:
    """Section 7: he lives, and she died on a day; of her certificate nothing else is taken."""
    alive, dead = (parse_answer(encoded(_sample("7.", nth))) for nth in (1, 2))
    her = Asked(number="371002194606069009", full_name="冯桂芝")

    assert read_answer(ASKED, alive, TODAY) is None
    assert read_answer(her, dead, TODAY) == {
        "has_record": Finding.YES,
        "death_date": "2022-01-29",
    }


def test_an_answer_as_it_should_be_is_read() -> None:
    """What the malformed ones below are made of."""
    assert BUSY.endswith("=")
    assert not BUSY.endswith("==")
    assert parse_answer(BUSY).success == "8"


@pytest.mark.parametrize(
    "text",
    [
        "",
        BUSY[:-1],
        f"{BUSY[:8]}\n{BUSY[8:]}",
        f"{BUSY}\n",
        f" {BUSY}",
        f"{BUSY}=",
        # One of the unused bits of the last character is set.
        f"{BUSY[:-2]}{chr(ord(BUSY[-2]) + 1)}=",
        BUSY + encoded(b" "),
        BUSY.replace("P", "\uff30", 1),
        f"{BUSY[:4]}-{BUSY[4:]}",
        f"{BUSY[:4]}----{BUSY[4:]}",
        encoded(BUSY_XML.decode().encode("utf-16")),
        encoded(b"<!DOCTYPE a>" + BUSY_XML),
        encoded(b"<MDEML/>"),
        encoded(b"<OTHER><resultinfo><success>1</success></resultinfo></OTHER>"),
        encoded(b"<MDEML><resultinfo/></MDEML>"),
        encoded(
            b"<MDEML><resultinfo><success>1</success><success>0</success></resultinfo></MDEML>"
        ),
        encoded(b"<MDEML><resultinfo><success><a/>1</success></resultinfo></MDEML>"),
        encoded(
            b'<m:MDEML xmlns:m="urn:m"><resultinfo><success>1</success></resultinfo></m:MDEML>'
        ),
    ],
)
def test_a_text_that_is_no_answer_is_malformed(text: str) -> None:
    """The inner message is read as strictly as the outer one."""
    with pytest.raises(AnswerMalformed):
        parse_answer(text)


@pytest.mark.parametrize(
    ("body", "success"),
    [
        ("", "0"),
        ("<body/>", "8"),
        (f"<body>{row()}</body>", "6"),
        ("<body/><body/>", "0"),
        ("<other/>", "0"),
        ("<body/><other/>", "0"),
        ("<body><date/></body>", "0"),
    ],
)
def test_rows_and_success_must_agree(body: str, success: str) -> None:
    """Not looked up and not on record are two things, and nothing may look like both."""
    with pytest.raises(AnswerMalformed):
        parse(body, success)


@pytest.mark.parametrize(
    "message",
    [
        "<MDEML>{result}<body>服务异常</body></MDEML>",
        '<MDEML>{result}<body truncated="1"/></MDEML>',
        "<MDEML>{result}服务异常<body/></MDEML>",
        "<MDEML>服务异常{result}<body/></MDEML>",
        "<MDEML>{result}<body/>服务异常</MDEML>",
        '<MDEML partial="1">{result}<body/></MDEML>',
        "<MDEML>{partial}<body/></MDEML>",
        "<MDEML>{spoken}<body/></MDEML>",
        "<MDEML>{marked}<body/></MDEML>",
        f"<MDEML>{{result}}<body>{row()}服务异常</body></MDEML>",
        f"<MDEML>{{result}}<body>{row().replace('<data>', '<data>服务异常')}</body></MDEML>",
        f"<MDEML>{{result}}<body>{row().replace('<data>', '<data a=_1_>')}</body></MDEML>",
        f"<MDEML>{{result}}<body>{row().replace('<ZMZT>', '<ZMZT a=_1_>')}</body></MDEML>",
    ],
)
def test_what_is_no_row_is_not_read_over(message: str) -> None:
    """A text or an attribute beside rows may say that they are not all; "none" would be signed."""
    plain = "<resultinfo><success>0</success><message/></resultinfo>"
    text = message.format(
        result=plain,
        partial=plain.replace("<resultinfo>", '<resultinfo partial="1">'),
        spoken=plain.replace("<message/>", "<message/>服务异常"),
        marked=plain.replace("<success>", '<success partial="1">'),
    ).replace("_1_", '"1"')

    with pytest.raises(AnswerMalformed):
        read_answer(ASKED, parse_answer(encoded(text.encode())), TODAY)


def test_blanks_between_elements_are_nothing() -> None:
    """An answer may be indented."""
    result = "<resultinfo>\n <success>0</success>\n <message/>\n</resultinfo>"
    answer = parse_answer(encoded(f"<MDEML>\n {result}\n <body>\n </body>\n</MDEML>".encode()))

    assert read_answer(ASKED, answer, TODAY) is None


def test_no_row_is_not_found() -> None:
    """The department knows of no certificate; what that means the catalog says."""
    assert read() is None


def test_a_refused_number_is_an_error_of_the_question() -> None:
    """`success` 4 finds ERROR and gives nothing else."""
    assert read_answer(ASKED, parse("", "4"), TODAY) == {"has_record": Finding.ERROR}


@pytest.mark.parametrize(
    "rows",
    [
        [row(), row(ZMZT="2", SWRQ="20251229")],
        [row(ZMZT="2", SWRQ="garbled", GXSJ=None), row(), row(ZMZT="3", SWRQ=None)],
        [row(FURTHER="x"), row(ZMZT="3")],
        [row(SWYY=None)],
        [row(SWYY="<a/>")],
    ],
)
def test_the_one_that_stands_is_read_wherever_it_lies(rows: list[str]) -> None:
    """Rows come in no order; of others nothing but their state counts, of further members none."""
    assert read(*rows) == {"has_record": Finding.YES, "death_date": "2025-12-30"}


@pytest.mark.parametrize("states", ["2", "3", "23"])
def test_none_that_stands_is_for_a_person_to_look_at(states: str) -> None:
    """No day of death leaves of a certificate that was taken back."""
    assert read(*(row(ZMZT=state) for state in states)) == {"has_record": Finding.INDETERMINATE}


@pytest.mark.parametrize(
    "rows",
    [
        [row(GMSFHM="371002194606069009")],
        [row(XM="王守义")],
        [row(GMSFHM="")],
        [row(XM="")],
        [row(XM="王守仁 ")],
        [row(), row(GMSFHM="371002194606069009", XM="冯桂芝", ZMZT="2")],
        [row(ZMZT="7"), row(XM="冯桂芝")],
        [row(SWRQ="someday"), row(XM="冯桂芝", ZMZT="3")],
        [row(XM="冯桂芝")] + [row(ZMZT="2")] * MAX_ROWS,
    ],
)
def test_another_persons_row_is_an_incident_whatever_else_is_wrong(rows: list[str]) -> None:
    """Also where it does not stand: everything is dropped, his own rows too."""
    with pytest.raises(DepartmentFailed) as caught:
        read(*rows)

    assert caught.value.reason is Indeterminate.SUBJECT_MISMATCH


@pytest.mark.parametrize(
    "rows",
    [
        [row(GMSFHM=None)],
        [row(XM=None)],
        [row(ZMZT=None)],
        [row(ZMZT="")],
        [row(ZMZT="4")],
        [row(), row(ZMZT="4")],
        [row(SWRQ=None)],
        [row(SWRQ="")],
        [row(SWRQ="20260230")],
        [row(SWRQ="2025-12-30")],
        [row(SWRQ="2025123\uff10")],
        [row(SWRQ="1767052800000")],
        [row(SWRQ="19560314")],
        [row(SWRQ="20260102")],
        [row(GXSJ=None)],
        [row(GXSJ="20251231")],
        [row(GXSJ="20251331020000")],
        [row(GXSJ="20251231240000")],
        [row(GXSJ="20251231026000")],
        [row(GXSJ="20251231020060")],
        [row(GXSJ="2025123102000\uff10")],
        [row(), row(SWRQ="20251229")],
        [row(ZMZT="2")] * (MAX_ROWS + 1),
        [row(XM="王守仁</XM><XM>王守仁")],
        [row(SWRQ="20251230</SWRQ><SWRQ>20251229")],
        [row(XM="<b/>王守仁")],
    ],
)
def test_a_row_of_another_form_is_malformed(rows: list[str]) -> None:
    """Missing, empty, twice, or a value no certificate can have: never "no", never a value."""
    with pytest.raises(AnswerMalformed):
        read(*rows)


@pytest.mark.parametrize(("day", "iso"), [("19560315", "1956-03-15"), ("20260101", "2026-01-01")])
def test_a_life_may_end_on_its_first_day_and_today(day: str, iso: str) -> None:
    """The bounds themselves are days somebody died on."""
    raw = read(row(SWRQ=day))

    assert raw is not None
    assert raw["death_date"] == iso


def test_as_many_rows_as_the_page_allows_are_read() -> None:
    """Sixteen, fifteen of them replaced."""
    assert read(*[row(ZMZT="2")] * (MAX_ROWS - 1), row()) is not None


@pytest.mark.parametrize("dot", ["\u00b7", "\u2022", "\u2027", "\u30fb", "\uff0e"])
def test_every_dot_is_asked_as_the_department_writes_it(dot: str) -> None:
    """U+00B7 alone, as section 3 says; the answer is held against what was asked."""
    query = query_of(DEATH, ("370105198005129012", f"买买提{dot}依明"), {})

    assert build_asked(query).full_name == "买买提·依明"


@pytest.mark.parametrize("name", [None, "", "李\x00明", "李" * 61, "\ufffe"])
def test_a_name_no_message_can_hold_is_not_sent(name: str | None) -> None:
    """The department would refuse it with 5."""
    with pytest.raises(DepartmentFailed) as caught:
        build_asked(query_of(DEATH, (ASKED.number, name), {}))

    assert caught.value.reason is Indeterminate.QUESTION_REJECTED


@pytest.mark.parametrize(
    "content",
    [
        "",
        f'<getBirthInfoResponse xmlns="{NAMESPACE}"><return>x</return></getBirthInfoResponse>',
        "<getSwyxzmInfoResponse><return>x</return></getSwyxzmInfoResponse>",
        replied(""),
        replied("<return/>"),
        replied("<return>x</return><return>y</return>"),
        replied('<return xmlns="">x</return>'),
        replied("<return>x</return>") * 2,
    ],
)
def test_an_envelope_of_another_form_is_malformed(content: str) -> None:
    """One reply of this operation, one text in it, everything qualified."""
    with pytest.raises(AnswerMalformed):
        SOAP.parse_reply(OPERATION, enveloped(content))


def test_a_fault_is_read_by_its_code_in_the_detail() -> None:
    """Unqualified, as section 2 says; the text for people is never looked at."""
    body = enveloped(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>HC-4010 x</faultstring>"
        "<detail><code>HC-4013</code></detail></s:Fault>"
    )

    assert SOAP.parse_reply(OPERATION, body) == PlatformFault(code="HC-4013")
