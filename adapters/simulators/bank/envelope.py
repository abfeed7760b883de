"""The envelope around every message: a header, a Document, a signature (manual, section 2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from adapters.simulators.bank.refusals import Refused
from adapters.simulators.bank.schemas import ENVELOPE, REPORTS, Definition
from adapters.simulators.bank.xml import leaves, node

FRONT: Final = "91370000MA3DEM0931"
"""Who answers: the credit code of the front."""
WINDOW_MS: Final = 300_000
"""By how much the clock of a caller may differ."""

_REQUESTS: Final = {definition.name: definition for definition in REPORTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """An AppHdr; `related` is None where it is absent."""

    sender: str
    receiver: str
    message_id: str
    definition: str
    created: str
    related: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request whose envelope is valid; its signature is not looked at here."""

    header: Header
    document: etree._Element


def parse_envelope(root: etree._Element) -> Message:
    """Read an envelope that is valid by its schema.

    Raises:
        Refused: XSD01, the root is another element.
    """
    if root.tag != f"{{{ENVELOPE}}}FPEnvelope":
        raise Refused("XSD01")
    values = leaves(root[0])
    header = Header(
        sender=values["Fr"],
        receiver=values["To"],
        message_id=values["BizMsgIdr"],
        definition=values["MsgDefIdr"],
        created=values["CreDt"],
        related=values.get("Rltd"),
    )
    return Message(header=header, document=root[1])


def require_header(message: Message, now_ms: int) -> Definition:
    """Demand that the header fits the Document and the time; tell what is asked.

    Raises:
        Refused: HDR01 or TIM01.
    """
    header, child = message.header, message.document[0]
    definition = _REQUESTS.get(header.definition)
    if definition is None or header.receiver != FRONT or header.related is not None:
        raise Refused("HDR01")
    if child.tag != f"{{{definition.namespace}}}{definition.child}":
        raise Refused("HDR01")
    # acmt messages keep the two values one level deeper than ours.
    told = child[0] if len(child[0]) else child
    if (told[0].text, told[1].text) != (header.message_id, header.created):
        raise Refused("HDR01")
    created_ms = int(datetime.fromisoformat(header.created).timestamp() * 1000)
    if abs(created_ms - now_ms) > WINDOW_MS:
        raise Refused("TIM01")
    return definition


def build_envelope(header: Header, document: etree._Element) -> etree._Element:
    """Build an envelope without a signature."""
    parts = (
        node(ENVELOPE, "Fr", header.sender),
        node(ENVELOPE, "To", header.receiver),
        node(ENVELOPE, "BizMsgIdr", header.message_id),
        node(ENVELOPE, "MsgDefIdr", header.definition),
        node(ENVELOPE, "CreDt", header.created),
        node(ENVELOPE, "Rltd", header.related) if header.related else None,
    )
    return node(ENVELOPE, "FPEnvelope", node(ENVELOPE, "AppHdr", *parts), document)
