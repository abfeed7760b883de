"""What SOAP 1.1 departments have in common: answers, faults, spoilt calls. Knows no department."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from lxml import etree

from adapters.simulators.faults import FaultBoard
from adapters.simulators.hostile import Hostile
from adapters.simulators.spoil import OVERSIZED, Spoil, spoil

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
F = TypeVar("F", bound=StrEnum)


def encode_answer(name: etree.QName, part: str, text: str, prefix: str) -> bytes:
    """Write an answer of one part, which stands in it as a text; `prefix` is of its namespace."""
    envelope, content = _envelope()
    namespace = name.namespace
    response = etree.SubElement(content, name, nsmap={prefix: namespace})
    etree.SubElement(response, f"{{{namespace}}}{part}").text = text
    return _encode(envelope)


def encode_fault(side: str, code: str, message: str) -> bytes:
    """Write a fault (SOAP 1.1, 4.4); `side` is Client or Server."""
    envelope, content = _envelope()
    fault = etree.SubElement(content, f"{{{SOAP}}}Fault")
    etree.SubElement(fault, "faultcode").text = f"soap:{side}"
    etree.SubElement(fault, "faultstring").text = f"{code} {message}"
    detail = etree.SubElement(fault, "detail")
    etree.SubElement(detail, "code").text = code
    return _encode(envelope)


def hostile_envelope(hostile: Hostile, namespace: str, part: str) -> bytes:
    """Write an envelope that declares entities and uses one in the part of an answer."""
    answer = f'<r xmlns="{namespace}"><{part}>{hostile.reference}</{part}></r>'
    text = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{answer}</s:Body></s:Envelope>'
    return hostile.document("s", text).encode()


def xml_answer(body: bytes, status: int = 200) -> web.Response:
    """Return an HTTP answer of XML in UTF-8."""
    headers = {"Content-Type": "text/xml; charset=UTF-8"}
    return web.Response(status=status, body=body, headers=headers)


def spoil_calls(
    board: FaultBoard[F], path: str, spoils: Mapping[F, Spoil], oversized: F
) -> Middleware:
    """Build the middleware that spoils answers to calls; a WSDL stays reachable meanwhile."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != "POST" or request.path != path:
            return await handler(request)
        if board.strikes(oversized):
            return xml_answer(b"<padding>" + b"x" * OVERSIZED + b"</padding>")
        struck = board.take(among=spoils.keys())
        return await (spoil(request, handler, spoils[struck]) if struck else handler(request))

    return strike


def _envelope() -> tuple[etree._Element, etree._Element]:
    """Return an envelope and its empty body."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    return envelope, etree.SubElement(envelope, f"{{{SOAP}}}Body")


def _encode(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
