"""The documents inside the envelopes: many questions out, one row of the report for each back.

Knows no envelope and no meaning of a code. `UpdtdPtyAndAcctId`, where banks name the true holder,
is never looked at.
INVARIANT: an answer reaches the question of its own id only, and only if it repeats that question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.bank.questions import Operation, Question
from adapters.kinds.bank.schemas import ACMT_023, ACMT_024, root_of
from adapters.port import Indeterminate

MAX_ITEMS: Final = 100
"""Items of one message. A message may have 500; above 100 the front answers later, which costs
everybody in it a second question."""

Rows = Mapping[int, etree._Element]  # noqa: SLF001 - the class lxml gives no public name
"""Rows of a report by the number of their question, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands in the envelope's header and in the document alike."""

    sender: str
    receiver: str
    message_id: str
    created: str


def build_document(
    operation: Operation, head: Head, questions: Sequence[Question]
) -> etree._Element:
    """Return the document of a request; items are numbered from 1."""
    # A tree and not a template: names are people's texts, and one could close a tag.
    document = root_of(operation.asks_in, "Document")
    body = _add(document, operation.body)
    top = _add(body, "Assgnmt") if operation.verifies else body
    _add(top, "MsgId", head.message_id)
    _add(top, "CreDtTm", head.created)
    if operation.verifies:
        _add(_path(top, "Assgnr", "Pty", "Id", "OrgId", "Othr"), "Id", head.sender)
        _add(_path(top, "Assgne", "Agt", "FinInstnId", "Othr"), "Id", head.receiver)
    for number, question in enumerate(questions, start=1):
        item = _add(body, "Vrfctn" if operation.verifies else "Qry")
        _add(item, "Id", str(number))
        if operation.verifies:
            item.append(_party_and_account(question))
        else:
            _add_query(item, question)
    return document


def require_report(operation: Operation, head: Head, document: etree._Element) -> Rows:
    """Return the rows of a report to one request; a number that stands twice is left out.

    `head` is of the answer.

    Raises:
        AnswerMalformed: The report is not of this operation, its header says something else than
            the envelope's, or it has a row nobody asked for.
    """
    body = document[0]
    top = body.find(f"{{{ACMT_024}}}Assgnmt") if operation.verifies else body
    namespace = operation.answers_in
    if top is None or (
        top.findtext(f"{{{namespace}}}MsgId") != head.message_id
        or top.findtext(f"{{{namespace}}}CreDtTm") != head.created
    ):
        raise AnswerMalformed("report and envelope are two messages")
    if operation.verifies:
        _require_parties(top, head)
    rows = body.findall(f"{{{namespace}}}{'Rpt' if operation.verifies else 'Rslt'}")
    return _by_number(rows, namespace)


def related_of(operation: Operation, document: etree._Element) -> str | None:
    """Return the id of the request a report says it answers."""
    place = "OrgnlAssgnmt/{*}MsgId" if operation.verifies else "OrgnlMsgId"
    return document[0].findtext(f"{{*}}{place}")


def require_echo(question: Question, row: etree._Element) -> None:
    """Prove that a row of a verification repeats its question.

    Raises:
        DepartmentFailed: SUBJECT_MISMATCH.
    """
    echoed = row.find(f"{{{ACMT_024}}}OrgnlPtyAndAcctId")
    if echoed is None or _texts(echoed) != _texts(_party_and_account(question)):
        raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH)


def _require_parties(top: etree._Element, head: Head) -> None:
    front = top.findtext("{*}Assgnr/{*}Agt/{*}FinInstnId/{*}Othr/{*}Id")
    asker = top.findtext("{*}Assgne/{*}Pty/{*}Id/{*}OrgId/{*}Othr/{*}Id")
    if (front, asker) != (head.sender, head.receiver):
        raise AnswerMalformed("report and envelope have other parties")


def _by_number(rows: Sequence[etree._Element], namespace: str) -> Rows:
    found: dict[int, etree._Element] = {}
    repeated: set[int] = set()
    numbers = {str(number): number for number in range(1, MAX_ITEMS + 1)}
    for row in rows:
        number = numbers.get(row.findtext(f"{{{namespace}}}OrgnlId") or "")
        if number is None:
            raise AnswerMalformed("a row answers no question")
        if number in found:
            # Two answers to one question: nobody can tell which is meant, so neither is.
            repeated.add(number)
        found[number] = row
    return {number: row for number, row in found.items() if number not in repeated}


def _party_and_account(question: Question) -> etree._Element:
    whole = root_of(ACMT_023, "PtyAndAcctId")
    party = _add(whole, "Pty")
    _add(party, "Nm", question.name)
    identity = _path(party, "Id", "PrvtId", "Othr")
    _add(identity, "Id", question.subject.identifier)
    _add(_add(identity, "SchmeNm"), "Cd", "NIDN")
    _add(_path(whole, "Acct", "Id", "Othr"), "Id", question.account)
    if question.bank_code is not None:
        member = _path(whole, "Agt", "FinInstnId", "ClrSysMmbId")
        _add(_add(member, "ClrSysId"), "Cd", "CNAPS")
        _add(member, "MmbId", question.bank_code)
    return whole


def _add_query(item: etree._Element, question: Question) -> None:
    if question.batch is not None:
        _add(item, "BtchNo", question.batch)
    _add(item, "Nm", question.name)
    _add(item, "IdNb", question.subject.identifier)


def _texts(element: etree._Element) -> tuple[tuple[int, str, str], ...]:
    """Return what stands in an element: depth, name and text of each one in it."""
    parts: list[tuple[int, str, str]] = []
    for child in element:
        # Blanks between elements say nothing; those within a text do.
        text = (child.text or "") if len(child) == 0 else ""
        parts.append((0, etree.QName(child).localname, text))
        parts += [(depth + 1, name, inner) for depth, name, inner in _texts(child)]
    return tuple(parts)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    element.text = text
    return element


def _path(parent: etree._Element, *names: str) -> etree._Element:
    for name in names:
        parent = _add(parent, name)
    return parent
