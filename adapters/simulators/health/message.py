"""The base64 message inside the envelope: reads a question, writes an answer (sections 3, 4).

Knows no person: what stands in a row is `rows`, whether the question may be asked is `register`.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.simulators.xml import NotXml, parse_xml, text_of

Row = dict[str, str]

OK: Final = "0"
MESSAGES: Final = {
    OK: "成功",
    "1": "请求报文格式错",
    "2": "请求机构不符",
    "3": "请求时间不合格",
    "4": "公民身份号码不合格",
    "5": "姓名不合格",
    "6": "号码与姓名不符",
    "7": "超过频次",
    "8": "系统忙",
}
"""`success` → `message`: the closed list of section 4."""

_HEAD: Final = ("requestDate", "requestOrgCode", "requestOrgName")
_PERSON: Final = ("GMSFZH", "XM")


class QuestionRefused(Exception):
    """The question is not answered; the code is a `success` other than 0."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who asks, when, about whom."""

    sent: str
    org_code: str
    org_name: str
    id_number: str = field(repr=False)
    full_name: str = field(repr=False)


def parse_question(request: str) -> Question:
    """Read a question.

    Raises:
        QuestionRefused: 1 for anything but exactly the documented message.
    """
    try:
        text = b64decode(request, validate=True)
        # One spelling only: no stray bits, no lines, no missing padding.
        if b64encode(text).decode() != request:
            raise QuestionRefused("1")
        root = parse_xml(text)
        if any(element.attrib for element in root.iter("*")):
            raise QuestionRefused("1")
        if root.tag != "MDEML" or [child.tag for child in root] != ["requestinfo", "body"]:
            raise QuestionRefused("1")
        sent, org_code, org_name = _leaves(root[0], _HEAD)
        if [child.tag for child in root[1]] != ["data"]:
            raise QuestionRefused("1")
        id_number, full_name = _leaves(root[1][0], _PERSON)
    except (NotXml, ValueError) as cause:
        raise QuestionRefused("1") from cause
    return Question(
        sent=sent, org_code=org_code, org_name=org_name, id_number=id_number, full_name=full_name
    )


def encode_rows(rows: Sequence[Row]) -> bytes:
    """Write the message of a question that was answered; no row is no certificate."""
    root = _result(OK, MESSAGES[OK])
    body = etree.SubElement(root, "body")
    for row in rows:
        element = etree.SubElement(body, "data")
        for name, value in row.items():
            etree.SubElement(element, name).text = value
    return _octets(root)


def encode_refusal(code: str) -> bytes:
    """Write the message of a question that was not answered."""
    # A code beyond the list is a fault one can switch on; it has a text all the same.
    return _octets(_result(code, MESSAGES.get(code, "其他错误")))


def _result(code: str, message: str) -> etree._Element:
    root = etree.Element("MDEML")
    result = etree.SubElement(root, "resultinfo")
    etree.SubElement(result, "success").text = code
    etree.SubElement(result, "message").text = message
    return root


def _octets(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _leaves(parent: etree._Element, names: tuple[str, ...]) -> list[str]:
    if tuple(child.tag for child in parent) != names:
        raise NotXml("the elements have other names or another order")
    return [text_of(element) for element in parent]
