"""The SOAP 1.1 envelope: reads a call, writes an answer or a fault (manual, section 2).

Two modes: strict knows one namespace and wants every element qualified; lax does what real
servers do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.simulators import soap
from adapters.simulators.public_security.operations import Operation
from adapters.simulators.soap import SOAP
from adapters.simulators.two_step_key import Credentials
from adapters.simulators.xml import NotXml, parse_xml, text_of

NAMESPACE: Final = "http://webservice.com"
PART: Final = "out"
"""What stands in an answer."""
LAX_NAMESPACES: Final = frozenset(
    {NAMESPACE, "http://webservice.com/", "http://webservice.tongtech.com/"}
)

_CREDENTIALS: Final = ("rid", "sid", "rtime", "sign")
_INPUTS: Final = ("in0", "in1", "in2")


class BadEnvelope(Exception):
    """The envelope is not one of a documented call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as read from its envelope."""

    operation: Operation
    credentials: Credentials
    package: str = field(repr=False)
    user: str
    password: str = field(repr=False)


def parse_call(body: bytes, *, lax: bool) -> Call:
    """Read a call.

    Raises:
        BadEnvelope: anything but exactly the documented header and body.
    """
    try:
        root = parse_xml(body)
        header, content = _only(root, f"{{{SOAP}}}Header"), _only(root, f"{{{SOAP}}}Body")
        platform, request = _first(header), _first(content)
        if root.tag != f"{{{SOAP}}}Envelope" or _name(platform, lax=lax) != "tongtechheader":
            raise BadEnvelope("envelope or header has another name")
        rid, sid, rtime, sign = _leaves(platform, [f"gjgxjhpt_{n}" for n in _CREDENTIALS], lax=lax)
        package, user, password = _leaves(request, _INPUTS, lax=lax)
        return Call(
            operation=Operation(_name(request, lax=lax)),
            credentials=Credentials(rid=rid, sid=sid, rtime=rtime, sign=sign),
            package=package,
            user=user,
            password=password,
        )
    except (NotXml, ValueError) as cause:
        raise BadEnvelope("not a documented call") from cause


def encode_answer(operation: Operation, package: str) -> bytes:
    """Write an answer; the package stands in it as a text."""
    name = etree.QName(NAMESPACE, f"{operation.value}Response")
    return soap.encode_answer(name, PART, package, "tns")


def _only(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(name)
    if len(found) != 1:
        raise BadEnvelope("an element is missing or stands twice")
    return found[0]


def _first(parent: etree._Element) -> etree._Element:
    if len(parent) != 1:
        raise BadEnvelope("expected exactly one element")
    return parent[0]


def _name(element: etree._Element, *, lax: bool, child: bool = False) -> str:
    """Read the local name of an element whose namespace is right for the mode."""
    name = etree.QName(element)
    known = LAX_NAMESPACES if lax else {NAMESPACE}
    # Lax servers also take children without any namespace.
    if name.namespace in known or (lax and child and name.namespace is None):
        return name.localname
    raise BadEnvelope("an element has another namespace")


def _leaves(
    parent: etree._Element, names: list[str] | tuple[str, ...], *, lax: bool
) -> Iterator[str]:
    if [_name(element, lax=lax, child=True) for element in parent] != list(names):
        raise BadEnvelope("the elements have other names or another order")
    return (text_of(element) for element in parent)
