"""The outer message of departments that speak SOAP 1.1: built and read by zeep from a WSDL of ours.

Knows no department, no HTTP and no inner message. zeep opens no connection here: the transport
carries the bytes.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from types import MappingProxyType
from typing import Final, Protocol

from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from adapters.mapping.documents import parse_xml

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_MAX_FAULT_TEXT: Final = 64
CONTENT_TYPE: Final = "text/xml"
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Type": f"{CONTENT_TYPE}; charset=UTF-8",
        # SOAP 1.1 6.1.1: it must be there; an empty one points to the request's address.
        "SOAPAction": '""',
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapService:
    """One service as its WSDL describes it, document/literal wrapped."""

    package: str
    """The package the file lies in, e.g. `adapters.kinds.public_security`."""
    wsdl: str
    namespace: str
    """Of every element, and of the binding."""
    binding: str
    header: str
    """The element that proves who calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFault:
    """A SOAP fault by the department's own code, e.g. `E-104`."""

    code: str


class _Message(Protocol):
    """What zeep makes of a call: the envelope before it is bytes."""

    content: etree._Element


class _Operation(Protocol):
    """The two things wanted of an operation of zeep, which ships no types."""

    def create(self, **parts: object) -> _Message: ...

    def process_reply(self, envelope: etree._Element) -> object: ...


class SoapFace:
    """Builds and reads the messages of one service whose replies carry one text."""

    def __init__(self, service: SoapService, operations: Collection[str]) -> None:
        self._namespace = service.namespace
        open_wsdl: Callable[..., Client] = Client
        with as_file(files(service.package).joinpath(service.wsdl)) as path:
            # From a file of ours: a WSDL fetched from the department could send calls anywhere.
            client = open_wsdl(str(path), settings=Settings(strict=True, forbid_dtd=True))
        find_element: Callable[[str], Callable[..., object]] = client.get_element
        self._header = find_element(f"{{{service.namespace}}}{service.header}")
        find_operation: Callable[[str], _Operation] = client.wsdl.bindings[
            f"{{{service.namespace}}}{service.binding}"
        ].get
        self._operations = {name: find_operation(name) for name in operations}

    def encode_call(
        self, operation: str, proof: Mapping[str, str], parameters: Mapping[str, str]
    ) -> bytes:
        """Return the envelope of a call: what proves it in the header, parameters by name."""
        message = self._operations[operation].create(
            **parameters, _soapheaders=[self._header(**proof)]
        )
        return etree.tostring(message.content, xml_declaration=True, encoding="UTF-8")

    def parse_reply(self, operation: str, body: bytes) -> str | PlatformFault:
        """Return the text of a reply, or the department's fault.

        Raises:
            AnswerMalformed: Not the SOAP 1.1 reply of this operation.
        """
        # Parsed by us and handed on as a tree: zeep's own reader is not bounded.
        envelope = parse_xml(body)
        if envelope.tag != f"{{{_SOAP}}}Envelope":
            raise AnswerMalformed("reply is no SOAP 1.1 envelope", Cause.NOT_SOAP)
        # SOAP 1.1 4.4: a fault may stand in place of any reply, so it is looked for first.
        fault = envelope.find(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault")
        if fault is not None:
            return PlatformFault(code=_fault_code(fault))
        # zeep reads whatever stands first in the body, under whatever name.
        parts = envelope.findall(f"{{{_SOAP}}}Body/*")
        if [part.tag for part in parts] != [f"{{{self._namespace}}}{operation}Response"]:
            raise AnswerMalformed("reply is not of this operation", Cause.NOT_SOAP)
        # And takes an unqualified element for the one of the schema.
        if any(etree.QName(child).namespace != self._namespace for child in parts[0]):
            raise AnswerMalformed("reply holds an element of another namespace", Cause.NOT_SOAP)
        try:
            out = self._operations[operation].process_reply(envelope)
        except (ZeepError, ValueError, TypeError, AttributeError, LookupError):
            # zeep raises these for a body of another shape; from None: they quote the document.
            raise AnswerMalformed("reply is not of this operation", Cause.NOT_SOAP) from None
        if not isinstance(out, str):
            raise AnswerMalformed("reply carries no message", Cause.NOT_SOAP)
        return out


def _fault_code(fault: etree._Element) -> str:
    # SOAP 1.1 section 4.4: children of Fault are unqualified; those of detail are the department's.
    for element in fault.iter():
        if etree.QName(element).localname == "code":
            return (element.text or "").strip()[:_MAX_FAULT_TEXT]
    return ""
