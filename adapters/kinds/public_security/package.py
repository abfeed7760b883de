"""The inner message: one PACKAGE with a head and up to 500 records, as XML text.

Knows no SOAP and no field of ours (docs/adapters/public_security.md, section 3).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.causes import Cause
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.causes import head_failure
from adapters.kinds.public_security.codes import HEAD_OK
from adapters.kinds.public_security.identity import ServiceIdentity
from adapters.mapping.dates import second_of_ms
from adapters.mapping.documents import parse_xml
from adapters.port import EndUser, Indeterminate

MAX_RECORDS: Final = 500
"""`JLS`, docs/adapters/public_security.md 3.1."""
_MAX_MEMBERS: Final = 64
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")

Members = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageHead:
    """What all records of one package have in common; packages never mix two officers."""

    request_number: str
    """`FWQQBH`: a UUID, repeated by the answer."""
    end_user: EndUser
    matter: str
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRecord:
    """One RECORD of an answer."""

    code: str
    members: Members = field(repr=False)


def encode_package(identity: ServiceIdentity, head: PackageHead, records: Sequence[Members]) -> str:
    """Return the text of a request package; records are numbered from 1."""
    # A tree and not a template: names and reasons are people's texts, and one could close a tag.
    package = etree.Element("PACKAGE")
    _add_members(
        etree.SubElement(package, "PACKAGEHEAD"), _head_members(identity, head, len(records))
    )
    content = etree.SubElement(package, "DATA")
    for number, members in enumerate(records, start=1):
        _add_members(etree.SubElement(content, "RECORD", no=str(number)), members)
    text = etree.tostring(package, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'


def parse_package(text: str, request_number: str) -> Mapping[int, AnsweredRecord]:
    """Return the records of an answer by number; a number that stands twice is left out.

    Raises:
        AnswerMalformed: Not the XML of an answer.
        DepartmentFailed: UNPROVEN for an answer to another request, FAULT, UNAVAILABLE or
            QUESTION_REJECTED by the head's code.
    """
    root = parse_xml(text.encode("utf-8"))
    head = root.find("PACKAGEHEAD")
    if root.tag != "PACKAGE" or head is None:
        raise AnswerMalformed("answer is no PACKAGE")
    # Before the code is read: whatever a late answer says is not about this package.
    if head.findtext("FWQQBH") != request_number:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN, cause=Cause.OTHER_REQUEST)
    code = head.findtext("FHDM") or ""
    if code != HEAD_OK:
        raise head_failure(code)
    return _read_records(root.findall("DATA/RECORD"))


def _read_records(elements: Sequence[etree._Element]) -> Mapping[int, AnsweredRecord]:
    records: dict[int, AnsweredRecord] = {}
    repeated: set[int] = set()
    for element in elements:
        number, code = element.get("no", ""), element.get("code", "")
        if not _NUMBER.fullmatch(number) or len(element) > _MAX_MEMBERS:
            raise AnswerMalformed("a RECORD has no number or too many members")
        if int(number) in records:
            # Two answers under one number: nobody can tell which is meant, so neither is.
            repeated.add(int(number))
        members = {str(member.tag): member.text or "" for member in element}
        records[int(number)] = AnsweredRecord(code=code, members=members)
    return {number: record for number, record in records.items() if number not in repeated}


def _head_members(identity: ServiceIdentity, head: PackageHead, count: int) -> Members:
    officer = head.end_user
    return {
        "FWQQBH": head.request_number,
        "QQBWDM": identity.ministry[0],
        "QQBWMC": identity.ministry[1],
        "SJLYXTDM": identity.origin_system[0],
        "SJLYXTMC": identity.origin_system[1],
        "JLS": str(count),
        "FSSJ": second_of_ms(head.now_ms),
        "QQRGMSFHM": officer.identifier,
        "QQRXM": officer.name,
        "QQRDWDM": officer.unit_code,
        "QQRDWMC": officer.unit,
        "QQYWLXDM": head.matter,
        "QQYWLXMC": identity.matter_names.get(head.matter, head.matter),
        "QQYWXTDM": identity.business_system[0],
        "QQYWXTMC": identity.business_system[1],
        "CXSY": officer.call_reason,
    }


def _add_members(parent: etree._Element, members: Members) -> None:
    for name, text in members.items():
        etree.SubElement(parent, name).text = text
