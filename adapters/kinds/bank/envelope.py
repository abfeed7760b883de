"""The envelope around every document: built and signed, opened and distrusted.

How an answer is opened (docs/adapters/bank.md, section 7), in this order: XML, envelope's schema,
signature, parties, document's schema, the request it answers, its id not seen before.
INVARIANT: nothing is read of a letter but of the tree its signature covers.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from lxml import etree

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.bank.documents import (
    MAX_ITEMS,
    Head,
    Rows,
    build_document,
    related_of,
    require_report,
)
from adapters.kinds.bank.questions import Operation, Question
from adapters.kinds.bank.schemas import ENVELOPE, REJECT, conforms, root_of
from adapters.kinds.bank.signature import require_es256, sign_letter, verify_letter
from adapters.mapping.documents import parse_text, parse_xml
from adapters.port import Indeterminate
from signing.signer import Signer

_REJECTION: Final = "hts.reject.01"
_MARKUP: Final = re.compile(r"<!--|<\?")
_DECLARATION: Final = re.compile(r"\A<\?xml\s[^?]*\?>")
_STRANGER: Final = "0" * 18
"""`To` of an answer to a caller whose TLS certificate is not registered (section 6)."""
_NOT_REGISTERED: Final = "PTY01"
_SEEN_S: Final = 24 * 3600.0
_MOST_SEEN: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontIdentity:
    """Who we are to the front of the banks, and who it is to us."""

    party: str
    """`Fr`: our USCC as registered there."""
    front: str
    """`To`: the front's USCC."""
    signer: Signer = field(repr=False)
    registered: x509.Certificate = field(repr=False)
    """The certificate the front signs with, as it gave it out."""
    card_prefixes: tuple[str, ...] = ()
    """Beginnings of numbers known to be cards'."""


class Rejected(AdapterError):
    """The front did not accept a message; `code` is its own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Envelopes:
    """Seals requests and opens answers."""

    def __init__(
        self, identity: FrontIdentity, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._identity = identity
        self._certificate = require_es256(identity.signer)
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def seal(
        self, operation: Operation, message_id: str, created: str, questions: Sequence[Question]
    ) -> bytes:
        """Return a request as octets.

        Raises:
            DepartmentFailed: PROVIDER_FAULT for what is not as the schemas say, which is a mistake
                of ours or of the schemas, never the requester's.
        """
        identity = self._identity
        head = Head(
            sender=identity.party,
            receiver=identity.front,
            message_id=message_id,
            created=created,
        )
        letter = root_of(ENVELOPE, "FPEnvelope")
        header = etree.SubElement(letter, f"{{{ENVELOPE}}}AppHdr")
        for name, text in (
            ("Fr", head.sender),
            ("To", head.receiver),
            ("BizMsgIdr", head.message_id),
            ("MsgDefIdr", operation.request),
            ("CreDt", head.created),
        ):
            etree.SubElement(header, f"{{{ENVELOPE}}}{name}").text = text
        document = build_document(operation, head, questions)
        if not conforms(operation.asks_in, document):
            raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
        letter.append(document)
        return sign_letter(letter, identity.signer, self._certificate)

    def open(self, body: bytes, operation: Operation | None, message_id: str, asked: int) -> Rows:
        """Return the rows of the report to a message of so many items.

        No operation: no report is expected, only a rejection.

        Raises:
            AnswerMalformed: Not the XML of an answer.
            DepartmentFailed: PROVIDER_UNPROVEN for an answer that is not the front's, not to us,
                not to this message, or that was given before.
            Rejected: The front did not accept the message.
        """
        document, header, head = self._proven(body)
        definition = header.findtext(f"{{{ENVELOPE}}}MsgDefIdr")
        related = header.findtext(f"{{{ENVELOPE}}}Rltd")
        if definition == _REJECTION:
            raise Rejected(self._read_rejection(document, head, related, message_id))
        if operation is None or definition != operation.report or head.receiver == _STRANGER:
            raise AnswerMalformed("answer is no report of this operation")
        _require_schema(document, operation.answers_in)
        # Before anything is read of it: what a late answer says is not about this message.
        if {related, related_of(operation, document)} != {message_id}:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        self._require_unseen(head.message_id)
        rows = require_report(operation, head, document)
        if any(not 1 <= number <= min(asked, MAX_ITEMS) for number in rows):
            raise AnswerMalformed("a row answers no question")
        return rows

    def _proven(self, body: bytes) -> tuple[etree._Element, etree._Element, Head]:
        # Comments and processing instructions are no part of a letter, and a parser that drops
        # them would read another text than was signed (CVE-2017-11427).
        if _MARKUP.search(_DECLARATION.sub("", parse_text(body), count=1)):
            raise AnswerMalformed("letter holds more than elements")
        letter = parse_xml(body)
        if not conforms(ENVELOPE, letter):
            raise AnswerMalformed("envelope is not as its schema says")
        signed = verify_letter(letter, self._identity.registered)
        header, document = signed
        head = Head(
            sender=header.findtext(f"{{{ENVELOPE}}}Fr") or "",
            receiver=header.findtext(f"{{{ENVELOPE}}}To") or "",
            message_id=header.findtext(f"{{{ENVELOPE}}}BizMsgIdr") or "",
            created=header.findtext(f"{{{ENVELOPE}}}CreDt") or "",
        )
        to_us = head.receiver in {self._identity.party, _STRANGER}
        if head.sender != self._identity.front or not to_us:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        if any(element.attrib for element in signed.iter()):
            # Also xsi:type and xsi:nil, with which a schema says yes to another form.
            raise AnswerMalformed("an element has attributes")
        return document, header, head

    def _read_rejection(
        self, document: etree._Element, head: Head, related: str | None, message_id: str
    ) -> str:
        _require_schema(document, REJECT)
        body = document[0]
        own = (body.findtext(f"{{{REJECT}}}MsgId"), body.findtext(f"{{{REJECT}}}CreDtTm"))
        if own != (head.message_id, head.created):
            raise AnswerMalformed("rejection and envelope are two messages")
        code = body.findtext(f"{{{REJECT}}}Cd") or ""
        if (head.receiver == _STRANGER) and code != _NOT_REGISTERED:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        if related != body.findtext(f"{{{REJECT}}}OrgnlMsgId"):
            raise AnswerMalformed("rejection names two messages")
        # A front that has not read our envelope names none.
        if related is not None and related != message_id:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        self._require_unseen(head.message_id)
        return code

    def _require_unseen(self, message_id: str) -> None:
        now = self._clock()
        while self._seen and (
            len(self._seen) >= _MOST_SEEN or next(iter(self._seen.values())) < now - _SEEN_S
        ):
            self._seen.popitem(last=False)
        if message_id in self._seen:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        self._seen[message_id] = now


def _require_schema(document: etree._Element, namespace: str) -> None:
    if etree.QName(document).namespace != namespace or not conforms(namespace, document):
        raise AnswerMalformed("document is not as its schema says")
