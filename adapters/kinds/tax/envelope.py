"""`tiripPackage`: written for a question, read from an answer, signed both ways.

Every element stands in its place and nothing else does (docs/adapters/tax.md, section 4).
INVARIANT: what a `Reply` holds is proven by the department's signature; whether it answers what was
asked is for `require_bound` to say.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.codes import UNREADABLE
from adapters.kinds.tax.coding import CONTROLS, decode_content, encode_content
from adapters.mapping.documents import parse_xml, require_plain, text_of
from adapters.port import Indeterminate

NAMESPACE: Final = "http://www.chinatax.gov.cn/dataspec/"
MAX_REPLY: Final = 16 * 1024 * 1024
"""Bytes of a file of the department (section 1)."""
MAX_DECODED: Final = 32 * 1024 * 1024
"""Bytes of all contents of a file: 100 people with 500 entries each take less."""
_IN: Final = f"{{{NAMESPACE}}}"
_SIGN: Final = ("HMAC-SHA256", "CONTENT")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_SERVICE: Final = ("serviceId", "clientNo", "tranSeq", "repeatFlag", "tranReqDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxIdentity:
    """How the department knows us."""

    client_no: str
    supplier: str
    sign_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What one submission is told by; `session_id` is new with each."""

    session_id: str
    service_id: str
    client_no: str
    tran_seq: str
    repeat: bool
    requested_at: str
    """`yyyyMMddHHmmss` in China."""


Part = tuple[str, bytes]
"""Id and decoded content of a `subPackage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An acknowledgement, a refusal or a result, its signature proven."""

    session_id: str
    service: tuple[str, ...]
    """The five members of `service`, in their order."""
    code: str
    parts: tuple[Part, ...] = field(repr=False)


def sign(key: bytes, head: Sequence[str], parts: Sequence[Part]) -> str:
    """Return `signValue`; `head` is session, service, client, `tranSeq`, and code or nothing."""
    mac = hmac.new(key, "".join(f"{text}\n" for text in head).encode("utf-8"), "sha256")
    for number, content in parts:
        mac.update(f"{number}\n{len(content)}\n".encode() + content + b"\n")
    return mac.hexdigest()


def encode_request(identity: TaxIdentity, head: Head, parts: Sequence[Part]) -> bytes:
    """Return the package of a question, signed."""
    root = etree.fromstring(f'<tiripPackage xmlns="{NAMESPACE}"/>')
    signed = (head.session_id, head.service_id, head.client_no, head.tran_seq, "")
    _add(root, "sessionId", head.session_id)
    service = _add(root, "service")
    _add(service, "serviceId", head.service_id)
    _add(service, "clientNo", head.client_no)
    _add(service, "tranSeq", head.tran_seq)
    _add(service, "repeatFlag", "Y" if head.repeat else "N")
    _add(service, "tranReqDate", head.requested_at)
    application = _add(_add(root, "identity"), "application")
    _add(application, "applicationId", head.client_no)
    _add(application, "supplier", identity.supplier)
    _add(application, "version", "1.0")
    _add(application, "authenticateType", "KEY")
    _add(application, "password")
    _add(application, "cert")
    sign_data = _add(root, "signData")
    for name, text in zip(("signType", "signSource"), _SIGN, strict=True):
        _add(sign_data, name, text)
    _add(sign_data, "signValue", sign(identity.sign_key, signed, parts))
    controls = _add(root, "contentControl")
    for control in CONTROLS:
        one = _add(controls, "control")
        for name, text in zip(("id", "type", "impl"), control, strict=True):
            _add(one, name, text)
    content = _add(root, "businessContent")
    for number, octets in parts:
        part = _add(content, "subPackage")
        _add(part, "id", number)
        _add(part, "content", encode_content(octets))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def parse_reply(body: bytes, key: bytes) -> Reply:
    """Return what the department wrote, proven by its signature.

    Raises:
        AnswerMalformed: Another form than the manual's, or content that cannot be decoded.
        DepartmentFailed: PROVIDER_UNPROVEN for a wrong signature.
    """
    root = _parse_bare(body)
    names = (
        *("sessionId", "service", "signData", "contentControl", "businessContent"),
        "returnState",
    )
    session, service, sign_data, controls, business, state = _children(root, names)
    session_id = text_of(session)
    told = tuple(text_of(each) for each in _children(service, _SERVICE))
    kind, source, value = (
        text_of(each) for each in _children(sign_data, ("signType", "signSource", "signValue"))
    )
    if (kind, source) != _SIGN or not _DIGEST.fullmatch(value):
        raise AnswerMalformed("signature of another sort")
    _require_controls(controls)
    code, _ = (text_of(each) for each in _children(state, ("returnCode", "returnMessage")))
    parts = _decode_parts(business)
    expected = sign(key, (session_id, *told[:3], code), parts)
    if not hmac.compare_digest(expected, value):
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    return Reply(session_id=session_id, service=told, code=code, parts=parts)


def require_bound(reply: Reply, head: Head) -> None:
    """Prove that a reply answers this very submission.

    Raises:
        DepartmentFailed: PROVIDER_UNPROVEN for another's.
    """
    asked = (
        *(head.service_id, head.client_no, head.tran_seq),
        *("Y" if head.repeat else "N", head.requested_at),
    )
    pairs = [(reply.session_id, head.session_id), *zip(reply.service, asked, strict=True)]
    if reply.code in UNREADABLE:
        # What could not be read is repeated as far as it could be (section 4).
        pairs = [(told, ours) for told, ours in pairs if told or ours == head.tran_seq]
    if any(told != ours for told, ours in pairs):
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)


def _parse_bare(body: bytes) -> etree._Element:
    # The parser drops both, and a text with a hole is another text than was written.
    if b"<!--" in body or body.count(b"<?") > body.startswith(b"<?xml "):
        raise AnswerMalformed("XML holds comments or instructions")
    root = parse_xml(body)
    if root.tag != f"{_IN}tiripPackage":
        raise AnswerMalformed("XML is no tiripPackage")
    return root


def _children(element: etree._Element, names: Sequence[str]) -> list[etree._Element]:
    children = list(element)
    if [child.tag for child in children] != [f"{_IN}{name}" for name in names]:
        raise AnswerMalformed("elements are not those of the envelope")
    require_plain(element)
    return children


def _require_controls(controls: etree._Element) -> None:
    require_plain(controls)
    told = []
    for control in controls:
        if control.tag != f"{_IN}control":
            raise AnswerMalformed("elements are not those of the envelope")
        told.append(tuple(text_of(each) for each in _children(control, ("id", "type", "impl"))))
    if tuple(told) != CONTROLS:
        raise AnswerMalformed("contents are coded in another order")


def _decode_parts(business: etree._Element) -> tuple[Part, ...]:
    require_plain(business)
    parts: list[Part] = []
    decoded = 0
    for part in business:
        if part.tag != f"{_IN}subPackage":
            raise AnswerMalformed("elements are not those of the envelope")
        number, content = (text_of(each) for each in _children(part, ("id", "content")))
        if not _ID.fullmatch(number):
            raise AnswerMalformed("id of a subPackage has another form")
        octets = decode_content(content)
        decoded += len(octets)
        if decoded > MAX_DECODED:
            raise AnswerMalformed("contents are larger than allowed")
        parts.append((number, octets))
    return tuple(parts)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{_IN}{name}")
    child.text = text
    return child
