"""Faults within the dialect: answers that are well-formed XML and wrong."""

from copy import deepcopy
from typing import Final

from lxml import etree

from adapters.simulators.bank.faults import Fault
from adapters.simulators.bank.schemas import DSIG, ENVELOPE
from adapters.simulators.bank.signature import Signer, sign, sign_apart
from adapters.simulators.faults import FaultBoard

_ROWS: Final = frozenset({"Rpt", "Rslt"})
_ALL_WELL: Final = {"Vrfctn": "true", "Actvtd": "true", "TxSts": "ACSC"}
_NO_LONGER: Final = frozenset({"Rsn", "StsRsn"})

_BOMB: Final = "".join(
    f'<!ENTITY e{level} "{f"&e{level - 1};" * 10 if level else "lol" * 10}">' for level in range(10)
)
_HOSTILE: Final = {
    Fault.ENTITY_BOMB: (_BOMB, "&e9;"),
    Fault.EXTERNAL_ENTITY: (
        '<!ENTITY f SYSTEM "file:///etc/hostname"><!ENTITY h SYSTEM "http://127.0.0.1:9/x">',
        "&f;&h;",
    ),
}
HOSTILE: Final = tuple(_HOSTILE)
SIGNATURES: Final = (
    Fault.SIGNATURE_WRONG,
    Fault.SIGNATURE_OTHER_KEY,
    Fault.SIGNATURE_MISSING,
    Fault.SIGNATURE_WRAPPED,
)


def distort_rows(document: etree._Element, board: FaultBoard[Fault]) -> None:
    """Let the faults that concern the rows of a report strike."""
    report = document[0]
    rows = [child for child in report if _name(child) in _ROWS]
    if board.strikes(Fault.OUT_OF_ORDER):
        first = report.index(rows[0])
        for row in rows:
            report.insert(first, row)
        rows.reverse()
    # A report of nothing would break the schema, which is another fault.
    if board.strikes(Fault.MISSING_REPORT) and len(rows) > 1:
        report.remove(rows.pop())
    if board.strikes(Fault.DUPLICATE_REPORT):
        report.append(deepcopy(rows[0]))
    if board.strikes(Fault.MISSING_ORGNL_ID):
        rows[0].remove(rows[0][0])


def sign_badly(
    fault: Fault, envelope: etree._Element, signer: Signer, stranger: Signer
) -> etree._Element:
    """Sign an answer so that nobody should believe it."""
    match fault:
        case Fault.SIGNATURE_MISSING:
            return envelope
        case Fault.SIGNATURE_OTHER_KEY:
            return sign(envelope, stranger)
        case Fault.SIGNATURE_WRAPPED:
            return _wrap(envelope, signer)
        case _:
            return _flip(sign(envelope, signer))


def hostile_envelope(fault: Fault) -> bytes:
    """Write an envelope that declares entities."""
    entities, reference = _HOSTILE[fault]
    head = f"<AppHdr><Fr>{reference}</Fr></AppHdr>"
    text = f'<!DOCTYPE FPEnvelope [{entities}]><FPEnvelope xmlns="{ENVELOPE}">{head}</FPEnvelope>'
    return text.encode()


def _wrap(envelope: etree._Element, signer: Signer) -> etree._Element:
    """Carry a signature that is good, over a Document that is not the one to be read."""
    envelope.append(sign_apart(deepcopy(envelope[1]), signer))
    for found in list(envelope[1].iter()):
        if _name(found) in _ALL_WELL:
            found.text = _ALL_WELL[_name(found)]
        parent = found.getparent()
        if _name(found) in _NO_LONGER and parent is not None:
            parent.remove(found)
    return envelope


def _flip(envelope: etree._Element) -> etree._Element:
    value = envelope.find(f".//{{{DSIG}}}SignatureValue")
    # The first character of the second half: `s` changes, base64 stays in order.
    if value is not None and value.text is not None:
        text = "".join(value.text.split())
        changed = "B" if text[60] == "A" else "A"
        value.text = text[:60] + changed + text[61:]
    return envelope


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
