"""acmt.023 and acmt.024 in the Chinese profile (manual, section 4)."""

from collections.abc import Iterable
from typing import Final

from lxml import etree

from adapters.simulators.bank.envelope import FRONT, Header
from adapters.simulators.bank.refusals import Refused
from adapters.simulators.bank.register import Check, Checked, Finding
from adapters.simulators.bank.schemas import ACMT_REPORT
from adapters.simulators.bank.xml import leaves, nested, node
from adapters.simulators.population.bank import Account, AccountState

_NAME: Final = "Pty/Nm"
_ID: Final = "Pty/Id/PrvtId/Othr/Id"
_SCHEME: Final = "Pty/Id/PrvtId/Othr/SchmeNm/Cd"
_ACCOUNT: Final = "Acct/Id/Othr/Id"
_SYSTEM: Final = "Agt/FinInstnId/ClrSysMmbId/ClrSysId/Cd"
_BANK: Final = "Agt/FinInstnId/ClrSysMmbId/MmbId"
_NEEDED: Final = frozenset({_NAME, _ID, _SCHEME, _ACCOUNT})
_AGENT: Final = frozenset({_SYSTEM, _BANK})
_CLEARING_DIGITS: Final = 12

_ASSIGNMENT: Final = (
    "MsgId",
    "CreDtTm",
    "Assgnr/Pty/Id/OrgId/Othr/Id",
    "Assgne/Agt/FinInstnId/Othr/Id",
)
_CODES: Final = frozenset({Finding.NOT_FOUND, Finding.CLOSED, Finding.FROZEN})
"""Reasons that are codes of ISO 20022; the others are ours."""
_STATE_NAMES: Final = {
    AccountState.NORMAL: "正常",
    AccountState.CLOSED: "销户",
    AccountState.FROZEN: "冻结",
    AccountState.LOST: "挂失",
    AccountState.DORMANT: "睡眠",
}


def parse_checks(document: etree._Element, header: Header) -> tuple[Check, ...]:
    """Read the checks of a request that is valid by its schema.

    Raises:
        Refused: HDR01 or PRF01.
    """
    request = document[0]
    assignment = leaves(request[0])
    if tuple(assignment) != _ASSIGNMENT:
        raise Refused("PRF01")
    if tuple(assignment.values())[2:] != (header.sender, header.receiver):
        raise Refused("HDR01")
    return tuple(_parse_check(child) for child in list(request)[1:])


def write_report(
    header: Header, original: Header, answers: Iterable[Checked], related: str
) -> etree._Element:
    """Write the report that answers a request; `related` is the identifier it claims to answer."""
    ns = ACMT_REPORT
    assignment = node(
        ns,
        "Assgnmt",
        node(ns, "MsgId", header.message_id),
        node(ns, "CreDtTm", header.created),
        nested(ns, "Assgnr/Agt/FinInstnId/Othr/Id", FRONT),
        nested(ns, "Assgne/Pty/Id/OrgId/Othr/Id", header.receiver),
    )
    about = node(
        ns, "OrgnlAssgnmt", node(ns, "MsgId", related), node(ns, "CreDtTm", original.created)
    )
    rows = [_write_row(answer) for answer in answers]
    return nested(ns, "Document/IdVrfctnRpt", assignment, about, *rows)


def _parse_check(child: etree._Element) -> Check:
    if etree.QName(child).localname != "Vrfctn":  # SplmtryData
        raise Refused("PRF01")
    found = leaves(child[1])
    agent = found.keys() & _AGENT
    if found.keys() - _AGENT != _NEEDED or agent not in (frozenset(), _AGENT):
        raise Refused("PRF01")
    if found[_SCHEME] != "NIDN" or found.get(_SYSTEM, "CNAPS") != "CNAPS":
        raise Refused("PRF01")
    bank = found.get(_BANK)
    if bank is not None and not (
        bank.isascii() and bank.isdigit() and len(bank) == _CLEARING_DIGITS
    ):
        raise Refused("PRF01")
    return Check(
        id=child[0].text or "",
        name=found[_NAME],
        id_number=found[_ID],
        account_no=found[_ACCOUNT],
        bank_code=bank,
    )


def _write_row(answer: Checked) -> etree._Element:
    ns, finding, check = ACMT_REPORT, answer.finding, answer.check
    reason = None
    if finding is not Finding.OK:
        reason = nested(ns, "Rsn/Cd" if finding in _CODES else "Rsn/Prtry", finding.value)
    asked = (
        _party(check.name, check.id_number),
        nested(ns, "Acct/Id/Othr/Id", check.account_no),
        _agent(check.bank_code, None) if check.bank_code else None,
    )
    return node(
        ns,
        "Rpt",
        node(ns, "OrgnlId", check.id),
        node(ns, "Vrfctn", "true" if finding is Finding.OK else "false"),
        reason,
        node(ns, "OrgnlPtyAndAcctId", *asked),
        _overshare(answer.account) if answer.account else None,
    )


def _overshare(account: Account) -> etree._Element:
    """Write what the bank holds, asked for or not."""
    ns = ACMT_REPORT
    number = nested(ns, "Id/Othr/Id", account.account_no)
    return node(
        ns,
        "UpdtdPtyAndAcctId",
        _party(account.holder_name, account.holder_id),
        node(ns, "Acct", number, node(ns, "Nm", _STATE_NAMES[account.state])),
        _agent(account.bank_code, account.bank_name),
    )


def _party(name: str, id_number: str) -> etree._Element:
    ns = ACMT_REPORT
    scheme = nested(ns, "SchmeNm/Cd", "NIDN")
    identity = nested(ns, "Id/PrvtId/Othr", node(ns, "Id", id_number), scheme)
    return node(ns, "Pty", node(ns, "Nm", name), identity)


def _agent(bank_code: str, bank_name: str | None) -> etree._Element:
    ns = ACMT_REPORT
    system = nested(ns, "ClrSysId/Cd", "CNAPS")
    member = node(ns, "ClrSysMmbId", system, node(ns, "MmbId", bank_code))
    named = node(ns, "Nm", bank_name) if bank_name else None
    return nested(ns, "Agt/FinInstnId", member, named)
