"""The SOAP 1.1 envelope: reads a call, writes an answer or a fault (manual, section 2)."""

from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.simulators import soap
from adapters.simulators.health.operations import Operation
from adapters.simulators.health.signatures import CallRefused, Credentials
from adapters.simulators.soap import SOAP
from adapters.simulators.xml import NotXml, parse_xml, text_of

NAMESPACE: Final = "http://webservice.health.invalid"
PART: Final = "return"
"""What stands in an answer."""

_CREDENTIALS: Final = ("appId", "timestamp", "nonce", "sign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as read from its envelope; the request is base64 still."""

    operation: Operation
    credentials: Credentials
    request: str = field(repr=False)


def parse_call(body: bytes) -> Call:
    """Read a call.

    Raises:
        CallRefused: HC-4001 for the envelope or its body, HC-4010 for the header.
    """
    try:
        root = parse_xml(body)
        contents = root.findall(f"{{{SOAP}}}Body")
        if root.tag != f"{{{SOAP}}}Envelope" or [len(content) for content in contents] != [1]:
            raise CallRefused("HC-4001")
        operation = Operation(_name(contents[0][0]))
        (request,) = _leaves(contents[0][0], ("requestXml",))
    except (NotXml, ValueError) as cause:
        raise CallRefused("HC-4001") from cause
    return Call(operation=operation, credentials=_parse_header(root), request=request)


def encode_answer(operation: Operation, answer: str) -> bytes:
    """Write an answer; the message stands in it as base64."""
    name = etree.QName(NAMESPACE, f"{operation.value}Response")
    return soap.encode_answer(name, PART, answer, "hc")


def _parse_header(root: etree._Element) -> Credentials:
    headers = root.findall(f"{{{SOAP}}}Header")
    try:
        if len(headers) != 1 or len(headers[0]) != 1 or _name(headers[0][0]) != "AuthHeader":
            raise CallRefused("HC-4010")
        app_id, timestamp, nonce, sign = _leaves(headers[0][0], _CREDENTIALS)
    except NotXml as cause:
        raise CallRefused("HC-4010") from cause
    return Credentials(app_id=app_id, timestamp=timestamp, nonce=nonce, sign=sign)


def _name(element: etree._Element) -> str:
    """Read the local name of an element of our namespace."""
    try:
        name = etree.QName(element)
    except ValueError as cause:  # a comment among the elements has no name at all
        raise NotXml("not an element") from cause
    if name.namespace != NAMESPACE:
        raise NotXml("an element has another namespace")
    return name.localname


def _leaves(parent: etree._Element, names: tuple[str, ...]) -> list[str]:
    if tuple(_name(element) for element in parent) != names:
        raise NotXml("the elements have other names or another order")
    return [text_of(element) for element in parent]
