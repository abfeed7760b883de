"""Reads XML from strangers and builds XML for them: no DTD, no entities, no comments."""

import re
from typing import Final

from lxml import etree

from adapters.simulators.bank.refusals import Refused

_DECLARED: Final = re.compile(r"""<\?xml[^>]*\sencoding=["']([^"']*)["']""")
_BOM: Final = "\ufeff"


def parse_xml(body: bytes) -> etree._Element:
    """Parse a message.

    Raises:
        Refused: XML01, not the one form of XML that is taken.
    """
    # Decoded here: an encoding we do not look into could hide a document type.
    try:
        text = body.decode("utf-8", "strict")
    except UnicodeDecodeError as cause:
        raise Refused("XML01") from cause
    declared = _DECLARED.match(text)
    if declared and declared[1].upper() != "UTF-8":
        raise Refused("XML01")
    # Refused before parsing: no entity of a stranger is ever expanded.
    if text.startswith(_BOM) or "<!DOCTYPE" in text:
        raise Refused("XML01")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as cause:
        raise Refused("XML01") from cause
    # A comment inside a text would be outside the signature and split what is read.
    if any(not isinstance(found.tag, str) for found in root.iter()):
        raise Refused("XML01")
    return root


def node(namespace: str, name: str, *content: "etree._Element | str | None") -> etree._Element:
    """Build an element of texts and elements; None is left out."""
    space = {None: namespace}
    built = etree.Element(f"{{{namespace}}}{name}", nsmap=space)  # type: ignore[arg-type]  # the stubs forget the default namespace
    for part in content:
        if isinstance(part, str):
            built.text = part
        elif part is not None:
            built.append(part)
    return built


def nested(namespace: str, path: str, *content: "etree._Element | str | None") -> etree._Element:
    """Build elements one in another along a path `A/B/C`, the content in the last."""
    *outer, last = path.split("/")
    built = node(namespace, last, *content)
    for name in reversed(outer):
        built = node(namespace, name, built)
    return built


def leaves(element: etree._Element) -> dict[str, str]:
    """Read the texts below an element by path `A/B/C`.

    Raises:
        Refused: PRF01, a path occurs twice.
    """
    found: dict[str, str] = {}
    for child in element:
        name = etree.QName(child).localname
        inner = leaves(child) if len(child) else {"": child.text or ""}
        for path, text in inner.items():
            whole = f"{name}/{path}" if path else name
            if whole in found:
                raise Refused("PRF01")
            found[whole] = text
    return found
