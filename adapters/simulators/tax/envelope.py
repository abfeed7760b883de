"""The envelope: reads a client's `tiripPackage`, writes the department's.

A request is read strictly: every element in its place, none besides, no document type. Its
elements stand in docs/adapters/tax.md, section 4.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from adapters.simulators.tax.coding import CONTROLS
from adapters.simulators.tax.names import TRAN_SEQ
from adapters.simulators.tax.refusals import MESSAGES, Code, Refused

NAMESPACE: Final = "http://www.chinatax.gov.cn/dataspec/"
"""An identifier, never an address."""
FILE_LIMIT: Final = 8 * 1024 * 1024
"""Octets of a request."""
RECORDS_LIMIT: Final = 500

_TOP: Final = ("sessionId", "service", "identity", "signData", "contentControl", "businessContent")
_SERVICE: Final = ("serviceId", "clientNo", "tranSeq", "repeatFlag", "tranReqDate")
_APPLICATION: Final = (
    "applicationId",
    "supplier",
    "version",
    "authenticateType",
    "password",
    "cert",
)
_RULES: Final = {
    "sessionId": re.compile(r"[0-9a-f]{32}"),
    "serviceId": re.compile(r"[A-Z.]{1,64}"),
    "clientNo": re.compile(r"[A-Z0-9]{4,20}"),
    "tranSeq": re.compile(TRAN_SEQ),
    "repeatFlag": re.compile(r"[NY]"),
    "tranReqDate": re.compile(r"\d{14}", re.ASCII),
    "applicationId": re.compile(r"[A-Z0-9]{4,20}"),
    "supplier": re.compile(r".{1,64}"),
    "version": re.compile(r"1\.0"),
    "authenticateType": re.compile(r"KEY"),
    "password": re.compile(r""),
    "cert": re.compile(r""),
    "signType": re.compile(r"HMAC-SHA256"),
    "signSource": re.compile(r"CONTENT"),
    "signValue": re.compile(r"[0-9a-f]{64}"),
}
_PART_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an answer repeats of its request; empty where it could not be read."""

    session_id: str = ""
    service_id: str = ""
    client_no: str = ""
    tran_seq: str = ""
    repeat_flag: str = ""
    tran_req_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as read: contents still coded."""

    head: Head
    application_id: str
    sign_value: str
    controls: tuple[tuple[str, str, str], ...]
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An envelope of the department: contents already coded."""

    head: Head
    code: Code
    sign_value: str
    parts: tuple[tuple[str, str], ...] = ()
    controls: tuple[tuple[str, str, str], ...] = CONTROLS


def parse_request(octets: bytes) -> Request:
    """Read a request.

    Raises:
        Refused: BAD_FORMAT.
    """
    top = _children(_parse_xml(octets), _TOP)
    session, service, identity, signed, control, business = top
    head = _texts(service, _SERVICE)
    application = _texts(_children(identity, ("application",))[0], _APPLICATION)
    session_id, asked = _text(session), head["tranReqDate"]
    signature = _texts(signed, ("signType", "signSource", "signValue"))
    try:
        # Only whether there is such a time; nothing is compared with it.
        datetime.fromisoformat(f"{asked[:8]}T{asked[8:]}")
    except ValueError as cause:
        raise Refused(Code.BAD_FORMAT) from cause
    parts = [_texts(part, ("id", "content")) for part in _many(business, "subPackage")]
    identities = {part["id"] for part in parts}
    if len(identities) != len(parts) or not all(map(_PART_ID.fullmatch, identities)):
        raise Refused(Code.BAD_FORMAT)
    controls = [_texts(item, ("id", "type", "impl")) for item in _many(control, "control")]
    return Request(
        head=Head(
            session_id=session_id,
            service_id=head["serviceId"],
            client_no=head["clientNo"],
            tran_seq=head["tranSeq"],
            repeat_flag=head["repeatFlag"],
            tran_req_date=head["tranReqDate"],
        ),
        application_id=application["applicationId"],
        sign_value=signature["signValue"],
        controls=tuple((item["id"], item["type"], item["impl"]) for item in controls),
        parts=tuple((part["id"], part["content"]) for part in parts),
    )


def write_answer(answer: Answer) -> bytes:
    """Write an envelope of the department."""
    top = etree.fromstring(f'<tiripPackage xmlns="{NAMESPACE}"/>')
    _add(top, "sessionId", answer.head.session_id)
    service = _add(top, "service")
    head = answer.head
    values = (
        head.service_id,
        head.client_no,
        head.tran_seq,
        head.repeat_flag,
        head.tran_req_date,
    )
    for name, value in zip(_SERVICE, values, strict=True):
        _add(service, name, value)
    signed = _add(top, "signData")
    _add(signed, "signType", "HMAC-SHA256")
    _add(signed, "signSource", "CONTENT")
    _add(signed, "signValue", answer.sign_value)
    control = _add(top, "contentControl")
    for item in answer.controls:
        _fill(_add(control, "control"), ("id", "type", "impl"), item)
    business = _add(top, "businessContent")
    for part in answer.parts:
        _fill(_add(business, "subPackage"), ("id", "content"), part)
    state = _add(top, "returnState")
    _fill(state, ("returnCode", "returnMessage"), (answer.code, MESSAGES[answer.code]))
    return etree.tostring(top, xml_declaration=True, encoding="UTF-8")


def _parse_xml(octets: bytes) -> etree._Element:
    # Refused before parsing: no entity of a stranger is ever expanded.
    if b"<!DOCTYPE" in octets or octets.startswith(b"\xef\xbb\xbf"):
        raise Refused(Code.BAD_FORMAT)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        octets.decode()
        top = etree.fromstring(octets, parser)
    except (etree.XMLSyntaxError, ValueError) as cause:
        raise Refused(Code.BAD_FORMAT) from cause
    declared = top.getroottree().docinfo.encoding or "UTF-8"
    if declared.upper() != "UTF-8" or top.tag != f"{{{NAMESPACE}}}tiripPackage":
        raise Refused(Code.BAD_FORMAT)
    return top


def _children(element: etree._Element, names: tuple[str, ...]) -> list[etree._Element]:
    """List the children, which must be exactly these in this order."""
    children = list(element)
    wanted = [f"{{{NAMESPACE}}}{name}" for name in names]
    # A comment or an instruction has no text for a tag and so never fits.
    stray = [element.text, *(child.tail for child in children)]
    if [child.tag for child in children] != wanted or element.attrib:
        raise Refused(Code.BAD_FORMAT)
    if any(text and text.strip() for text in stray):
        raise Refused(Code.BAD_FORMAT)
    return children


def _many(element: etree._Element, name: str) -> list[etree._Element]:
    return _children(element, (name,) * len(element))


def _text(element: etree._Element) -> str:
    if len(element) or element.attrib:
        raise Refused(Code.BAD_FORMAT)
    text = element.text or ""
    rule = _RULES.get(etree.QName(element).localname)
    if rule is not None and rule.fullmatch(text) is None:
        raise Refused(Code.BAD_FORMAT)
    return text


def _texts(element: etree._Element, names: tuple[str, ...]) -> dict[str, str]:
    pairs = zip(names, _children(element, names), strict=True)
    return {name: _text(child) for name, child in pairs}


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _fill(parent: etree._Element, names: tuple[str, ...], values: tuple[str, ...]) -> None:
    for name, value in zip(names, values, strict=True):
        _add(parent, name, value)
