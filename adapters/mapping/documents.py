"""Bounded parsing of what departments send: JSON and XML in UTF-8, nothing else.

Knows no department and no field. Charset is strict: GBK bytes where UTF-8 is due are malformed,
never guessed. XML is read without document types, entities, network or huge trees.
INVARIANT: nothing here raises anything but `AnswerMalformed`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from signing.encoding import JsonLimits, JsonValue, parse_json_strict
from signing.errors import Malformed

# Deepest nesting of any department answer is 5 (docs/adapters); a parser needs no more than this.
MAX_DEPTH: Final = 16
# Elements of 500 records of 30 members and change (docs/adapters/public_security.md 3.1).
MAX_ELEMENTS: Final = 40_000
# Each element takes one or two of them, and each attribute one equals sign: more than this is more
# than MAX_ELEMENTS, or attributes no department writes.
_MAX_MARKS: Final = 2 * MAX_ELEMENTS + 100
# Characters XML 1.0 cannot carry (section 2.2), and controls no text of a person has.
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_XML_DECLARATION: Final = re.compile(
    r"""<\?xml\s+version=["']1\.[01]["'](?:\s+encoding=["'](?P<encoding>[A-Za-z0-9._-]+)["'])?"""
)


def parse_text(body: bytes) -> str:
    """Return the text of UTF-8 bytes.

    Raises:
        AnswerMalformed: Empty, not UTF-8, or a NUL inside.
    """
    if not body:
        raise AnswerMalformed("body is empty", Cause.BODY_EMPTY)
    try:
        text = body.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise AnswerMalformed(
            "body is not UTF-8", Cause.NOT_UTF8
        ) from None  # cause: quotes the bytes
    # C libraries below end a text there and would read another document than we bounded.
    if "\x00" in text:
        raise AnswerMalformed("body holds a NUL")
    return text


def parse_json_object(body: bytes) -> Mapping[str, JsonValue]:
    """Return the members of a JSON object such as `{"result": "FOUND", "records": []}`.

    Raises:
        AnswerMalformed: Not UTF-8, not JSON, not an object, or one that two parsers may
            read differently (signing.encoding.parse_json_strict).
    """
    value = _parse_json(body)
    if not isinstance(value, dict):
        raise AnswerMalformed("body is no JSON object", Cause.NOT_JSON)
    return value


def parse_json_list(body: bytes) -> Sequence[JsonValue]:
    """Return the items of a JSON list such as `["110", "210"]`.

    Raises:
        AnswerMalformed: As `parse_json_object`, or not a list.
    """
    value = _parse_json(body)
    if not isinstance(value, list):
        raise AnswerMalformed("body is no JSON list", Cause.NOT_JSON)
    return value


def _parse_json(body: bytes) -> JsonValue:
    text = parse_text(body)
    try:
        return parse_json_strict(text, JsonLimits(max_bytes=len(body), max_depth=MAX_DEPTH))
    except Malformed as cause:
        raise AnswerMalformed(cause.what, Cause.NOT_JSON) from cause


def require_text(members: Mapping[str, object], name: str) -> str:
    """Return a member that must be a string.

    Raises:
        AnswerMalformed: Absent or of another type.
    """
    value = members.get(name)
    if not isinstance(value, str):
        raise AnswerMalformed(f"member {name} is no text", Cause.MEMBER_FORM)
    return value


def optional_text(members: Mapping[str, JsonValue], name: str) -> str | None:
    """Return a string member, None where it is absent, null or empty.

    Raises:
        AnswerMalformed: Of another type.
    """
    value = members.get(name)
    if value is None or value == "":
        return None
    return require_text(members, name)


def require_objects(
    members: Mapping[str, JsonValue], name: str, *, at_most: int
) -> Sequence[Mapping[str, JsonValue]]:
    """Return a member that must be a list of 1 to `at_most` objects.

    Raises:
        AnswerMalformed: Absent, of another type, empty or longer.
    """
    value = members.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= at_most:
        what = f"member {name} is no list of 1 to {at_most} objects"
        raise AnswerMalformed(what, Cause.RECORD_COUNT)
    objects = [item for item in value if isinstance(item, dict)]
    if len(objects) != len(value):
        what = f"member {name} holds something else than objects"
        raise AnswerMalformed(what, Cause.MEMBER_FORM)
    return objects


def is_xml_text(text: str) -> bool:
    """Tell whether each character can stand in a message of XML."""
    return _NO_TEXT.search(text) is None


def parse_xml(body: bytes) -> etree._Element:
    """Return the root of an XML document without a document type.

    Raises:
        AnswerMalformed: Not UTF-8, another declared encoding, a document type or entity, not
            well-formed, too deep or too many elements.
    """
    text = parse_text(body)
    # By text and before the parser: no external entity (XXE), no entity that grows when expanded.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise AnswerMalformed("XML declares a document type", Cause.XML_DOCUMENT_TYPE)
    # By text as well: a tree takes thirty times the room of the text it is built from.
    if text.count("<") > _MAX_MARKS or text.count("=") > _MAX_MARKS:
        raise AnswerMalformed("XML is too large", Cause.BODY_TOO_LARGE)
    if text.startswith("<?xml"):
        _require_utf8_declared(text)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        # `.text` ends at the first comment: one inside a number would cut it short
        # (CVE-2017-11427).
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise AnswerMalformed("body is not XML", Cause.NOT_XML) from None  # cause: quotes the text
    _require_bounded_tree(root)
    return root


def require_plain(element: etree._Element) -> None:
    """Prove that an element holds elements and nothing else: blanks between them at most.

    Raises:
        AnswerMalformed: It has attributes, or text stands before or between its elements.
    """
    # What is not looked at might be the answer: "service down" where rows are due is not "none".
    between = [element.text, *(child.tail for child in element)]
    if element.attrib or any(text and text.strip() for text in between):
        raise AnswerMalformed("attributes or text between elements")


def text_of(element: etree._Element) -> str:
    """Return the text of an element that holds nothing else, `""` where it is empty.

    Raises:
        AnswerMalformed: It has attributes or elements.
    """
    if len(element) or element.attrib:
        raise AnswerMalformed("an element where a text is due", Cause.MEMBER_FORM)
    return element.text or ""


def _require_utf8_declared(text: str) -> None:
    match = _XML_DECLARATION.match(text)
    if match is None or (match["encoding"] or "utf-8").lower() != "utf-8":
        raise AnswerMalformed("XML declares another encoding than UTF-8", Cause.NOT_UTF8)


def _require_bounded_tree(root: etree._Element) -> None:
    depth = 0
    # Walked, not recursed: depth is what is being bounded.
    for count, (event, _) in enumerate(etree.iterwalk(root, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH or count > 2 * MAX_ELEMENTS:
            raise AnswerMalformed("XML is too deep or too large", Cause.BODY_TOO_LARGE)
