"""The inner message: MDEML as base64 of XML, a question about one person and its rows.

Knows no SOAP and no meaning of a code (docs/adapters/health.md, sections 3 and 4).
INVARIANT: of a row no member is read but one asked for by name; the cause of death never is.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from adapters.kinds.health.codes import ANSWERED
from adapters.kinds.health.identity import HealthIdentity
from adapters.mapping.dates import second_of_ms
from adapters.mapping.documents import parse_xml, require_plain, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom a question is about, spelled as the department compares it: code point by code point."""

    number: str = field(repr=False)
    full_name: str = field(repr=False)


class Row:
    """One `data` of an answer, or its `resultinfo`."""

    def __init__(self, element: etree._Element) -> None:
        """Keep the element.

        Raises:
            AnswerMalformed: It has attributes, or text beside its members.
        """
        require_plain(element)
        self._element = element

    @property
    def names(self) -> frozenset[str]:
        """Names of its members, those nobody asks for included."""
        return frozenset(str(child.tag) for child in self._element)

    def require(self, name: str) -> str:
        """Return the text of a member, `""` where it is empty.

        Raises:
            AnswerMalformed: It is missing, stands twice, or holds more than text.
        """
        found = self._element.findall(name)
        if len(found) != 1:
            what = f"member {name} of a row does not stand once"
            raise AnswerMalformed(what, Cause.MEMBER_FORM)
        return text_of(found[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: how the question fared, and the rows where it was answered."""

    success: str
    rows: Sequence[Row] = field(repr=False)


def encode_question(identity: HealthIdentity, asked: Asked, now_ms: int) -> str:
    """Return the text of `requestXml`."""
    # A tree and not a template: a name is a person's text, and could close a tag.
    root = etree.Element("MDEML")
    head = etree.SubElement(root, "requestinfo")
    etree.SubElement(head, "requestDate").text = second_of_ms(now_ms)
    etree.SubElement(head, "requestOrgCode").text = identity.org_code
    etree.SubElement(head, "requestOrgName").text = identity.org_name
    person = etree.SubElement(etree.SubElement(root, "body"), "data")
    etree.SubElement(person, "GMSFZH").text = asked.number
    etree.SubElement(person, "XM").text = asked.full_name
    octets = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return base64.b64encode(octets).decode("ascii")


def parse_answer(text: str) -> Answer:
    """Return an answer from the text of `return`.

    Sample, decoded: `<MDEML><resultinfo><success>0</success><message>成功</message></resultinfo>
    <body><data>…</data></body></MDEML>`.

    Raises:
        AnswerMalformed: Not base64 in its one spelling, not the XML of an answer, text or
            attributes where elements are due, or rows where the question was not answered.
    """
    root = parse_xml(_decode(text))
    parts = [child.tag for child in root]
    if root.tag != "MDEML" or parts not in (["resultinfo"], ["resultinfo", "body"]):
        raise AnswerMalformed("answer is no MDEML")
    require_plain(root)
    result = Row(root[0])
    success = result.require("success")
    # No rows and no body are two things: nothing is on record, or nothing was looked up.
    if (success == ANSWERED) != (len(parts) > 1):
        raise AnswerMalformed("answer has a body where none is due, or none where one is")
    # An empty body is "no certificate", which is signed: nothing else may look like one.
    for body in list(root)[1:]:
        require_plain(body)
    elements = list(root[1]) if len(parts) > 1 else []
    if any(element.tag != "data" for element in elements):
        raise AnswerMalformed("body holds something else than rows")
    return Answer(success=success, rows=tuple(Row(element) for element in elements))


def _decode(text: str) -> bytes:
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise AnswerMalformed(
            "message is not base64", Cause.NOT_BASE64
        ) from None  # the cause may quote it
    # Unused bits of the last character: two spellings of one message.
    if base64.b64encode(octets).decode("ascii") != text:
        raise AnswerMalformed("message is not base64 in its one spelling", Cause.NOT_BASE64)
    return octets
