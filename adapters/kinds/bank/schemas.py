"""The published schemas, from our own copy beside this module (origin and licence: its NOTICE)."""

from functools import cache
from importlib.resources import files
from typing import Final

from lxml import etree

ENVELOPE: Final = "urn:hutong-sandbox:bank:envelope:v1"
ACMT_023: Final = "urn:iso:std:iso:20022:tech:xsd:acmt.023.001.04"
ACMT_024: Final = "urn:iso:std:iso:20022:tech:xsd:acmt.024.001.04"
SSCARD: Final = "urn:hutong-sandbox:bank:sscard:v1"
PAYMENT: Final = "urn:hutong-sandbox:bank:payment:v1"
REJECT: Final = "urn:hutong-sandbox:bank:reject:v1"
FILES: Final = {
    ENVELOPE: "envelope.xsd",
    ACMT_023: "acmt.023.001.04.xsd",
    ACMT_024: "acmt.024.001.04.xsd",
    SSCARD: "sscard.xsd",
    PAYMENT: "payment.xsd",
    REJECT: "reject.xsd",
}


@cache
def _load(namespace: str) -> etree.XMLSchema:
    source = files("adapters.kinds.bank").joinpath("schemas", FILES[namespace])
    return etree.XMLSchema(etree.fromstring(source.read_bytes()))


def conforms(namespace: str, element: etree._Element) -> bool:
    """Tell whether an element is what the schema of its namespace says."""
    return _load(namespace).validate(element)


def root_of(namespace: str, name: str) -> etree._Element:
    """Return a new element whose namespace needs no prefix; both are names of this package."""
    return etree.fromstring(f'<{name} xmlns="{namespace}"/>')
