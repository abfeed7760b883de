"""The schemas of every message, loaded once from this package (schemas/NOTICE)."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from lxml import etree

from adapters.simulators.bank.refusals import Refused

ENVELOPE: Final = "urn:hutong-sandbox:bank:envelope:v1"
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
ACMT_REQUEST: Final = "urn:iso:std:iso:20022:tech:xsd:acmt.023.001.04"
ACMT_REPORT: Final = "urn:iso:std:iso:20022:tech:xsd:acmt.024.001.04"
SSCARD: Final = "urn:hutong-sandbox:bank:sscard:v1"
PAYMENT: Final = "urn:hutong-sandbox:bank:payment:v1"
REJECT: Final = "urn:hutong-sandbox:bank:reject:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A message: its name in the header, its namespace, the one child of its Document."""

    name: str
    namespace: str
    child: str


VERIFY_REQUEST: Final = Definition(
    name="acmt.023.001.04", namespace=ACMT_REQUEST, child="IdVrfctnReq"
)
VERIFY_REPORT: Final = Definition(
    name="acmt.024.001.04", namespace=ACMT_REPORT, child="IdVrfctnRpt"
)
SSCARD_REQUEST: Final = Definition(
    name="hts.sscard.req.01", namespace=SSCARD, child="SsCardAcctReq"
)
SSCARD_REPORT: Final = Definition(name="hts.sscard.rpt.01", namespace=SSCARD, child="SsCardAcctRpt")
PAYMENT_REQUEST: Final = Definition(
    name="hts.payment.req.01", namespace=PAYMENT, child="PmtRsltReq"
)
PAYMENT_REPORT: Final = Definition(name="hts.payment.rpt.01", namespace=PAYMENT, child="PmtRsltRpt")
REJECTION: Final = Definition(name="hts.reject.01", namespace=REJECT, child="Rjct")

REPORTS: Final = {
    VERIFY_REQUEST: VERIFY_REPORT,
    SSCARD_REQUEST: SSCARD_REPORT,
    PAYMENT_REQUEST: PAYMENT_REPORT,
}
"""What is asked → what answers it."""

_FILES: Final = {
    ENVELOPE: "envelope.xsd",
    ACMT_REQUEST: "acmt.023.001.04.xsd",
    ACMT_REPORT: "acmt.024.001.04.xsd",
    SSCARD: "sscard.xsd",
    PAYMENT: "payment.xsd",
    REJECT: "reject.xsd",
}


def _load(name: str) -> etree.XMLSchema:
    folder = files("adapters.simulators.bank").joinpath("schemas")
    return etree.XMLSchema(etree.fromstring(folder.joinpath(name).read_bytes()))


_SCHEMAS: Final = {namespace: _load(name) for namespace, name in _FILES.items()}


def require_valid(element: etree._Element) -> None:
    """Validate an envelope or a Document by the schema of its namespace.

    Raises:
        Refused: XSD01.
    """
    schema = _SCHEMAS.get(etree.QName(element).namespace or "")
    if schema is None or not schema.validate(element):
        raise Refused("XSD01")
    # No message has attributes; xsi:nil and xsi:type would pass every schema.
    inner = element if etree.QName(element).localname == "Document" else element[0]
    if element.attrib or any(found.attrib for found in inner.iter()):
        raise Refused("XSD01")
