"""The PACKAGE inside the envelope: reads a question, writes an answer (manual, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.simulators.public_security.operations import OPTIONAL, REQUIRED, Operation
from adapters.simulators.xml import NotXml, parse_xml, text_of

Members = dict[str, str]

HEAD: Final = (
    "FWQQBH",
    "QQBWDM",
    "QQBWMC",
    "SJLYXTDM",
    "SJLYXTMC",
    "JLS",
    "FSSJ",
    "QQRGMSFHM",
    "QQRXM",
    "QQRDWDM",
    "QQRDWMC",
    "QQYWLXDM",
    "QQYWLXMC",
    "QQYWXTDM",
    "QQYWXTMC",
    "CXSY",
)
"""Elements of the head, in this order."""

RECORD_LIMIT: Final = 500
"""Records in one package (domain.md, section 5)."""


class PackageRefused(Exception):
    """The whole package is refused; the code is an FHDM."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A question: its head and its records in the order of their numbers."""

    head: Members = field(repr=False)
    records: tuple[Members, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered to one record."""

    number: int
    code: str
    members: Members = field(repr=False)


_MESSAGES: Final = {
    "10": "成功",
    "11": "库中无此人",
    "12": "号码校验错",
    "13": "号码与姓名不符",
    "14": "一号多人，需人工核查",
    "15": "本条超时",
    "16": "授权凭据不合格",
    "17": "库内无照片",
    "18": "模板版本不认识",
    "19": "没有这份现场照片",
    "20": "报文头缺项或格式错",
    "21": "记录数不符或超限",
    "22": "请求人或事由不合格",
    "23": "用户或口令错",
    "24": "发送时间不合格",
    "25": "记录格式错",
    "30": "系统忙",
}


def parse_package(text: str, operation: Operation) -> Package:
    """Read a question.

    Raises:
        PackageRefused: 20 for the head, 21 for the count, 25 for a record.
    """
    try:
        root = parse_xml(text.encode())
        if root.tag != "PACKAGE" or [child.tag for child in root] != ["PACKAGEHEAD", "DATA"]:
            raise PackageRefused("20")
        head = _members(root[0])
    except NotXml as cause:
        raise PackageRefused("20") from cause
    if tuple(head) != HEAD:
        raise PackageRefused("20")
    rows = list(root[1])
    # Compared as text: 01 is not 1.
    if head["JLS"] != str(len(rows)) or not 0 < len(rows) <= RECORD_LIMIT:
        raise PackageRefused("21")
    return Package(
        head=head,
        records=tuple(_parse_record(row, number, operation) for number, row in enumerate(rows, 1)),
    )


def encode_package(
    request_id: str, at: str, code: str, replies: Sequence[Reply], count: int = 0
) -> str:
    """Write an answer; a refused one has no DATA."""
    root = etree.Element("PACKAGE")
    head = etree.SubElement(root, "PACKAGEHEAD")
    values = {
        "FWQQBH": request_id,
        "FHDM": code,
        "FHMS": _MESSAGES[code],
        "JLS": str(count),
        "FSSJ": at,
    }
    _append(head, values)
    # A refused package says nothing about anybody.
    if code == "10":
        rows = etree.SubElement(root, "DATA")
        for reply in replies:
            marks = {"no": str(reply.number), "code": reply.code, "msg": _MESSAGES[reply.code]}
            _append(etree.SubElement(rows, "RECORD", marks), reply.members)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True).decode()


def _append(parent: etree._Element, members: Members) -> None:
    for name, value in members.items():
        etree.SubElement(parent, name).text = value


def _parse_record(row: etree._Element, number: int, operation: Operation) -> Members:
    try:
        members = _members(row)
    except NotXml as cause:
        raise PackageRefused("25") from cause
    names = frozenset(members)
    required, optional = REQUIRED[operation], OPTIONAL.get(operation, frozenset())
    # All optional members or none: half a relative cannot be asked about.
    right = names in (required, required | optional)
    if row.tag != "RECORD" or row.items() != [("no", str(number))] or not right:
        raise PackageRefused("25")
    return members


def _members(parent: etree._Element) -> Members:
    members = {str(child.tag): text_of(child) for child in parent}
    if len(members) != len(parent):
        raise NotXml("an element stands twice")
    return members
