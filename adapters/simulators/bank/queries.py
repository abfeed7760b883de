"""The two messages of our own: card accounts and payment results (manual, section 5)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from lxml import etree

from adapters.simulators.bank.envelope import Header
from adapters.simulators.bank.register import Answer, Query
from adapters.simulators.bank.schemas import PAYMENT, PAYMENT_REPORT, SSCARD, Definition
from adapters.simulators.bank.xml import leaves, nested, node
from adapters.simulators.population import AS_OF
from adapters.simulators.population.bank import Account
from adapters.simulators.population.payments import PaymentResult

_STATUSES: Final = {"成功": "ACSC", "退票": "RJCT", "处理中": "PDNG"}


def parse_queries(document: etree._Element, _header: Header) -> tuple[Query, ...]:
    """Read the queries of a request that is valid by its schema."""
    rows = [leaves(child) for child in list(document[0])[2:]]
    return tuple(
        Query(id=row["Id"], name=row["Nm"], id_number=row["IdNb"], batch_no=row.get("BtchNo"))
        for row in rows
    )


def write_answers(
    definition: Definition, header: Header, answers: Iterable[Answer], related: str
) -> etree._Element:
    """Write the report of queries; `related` is the identifier it claims to answer."""
    ns = definition.namespace
    rows = [_write_row(definition, answer) for answer in answers]
    return nested(
        ns,
        f"Document/{definition.child}",
        node(ns, "MsgId", header.message_id),
        node(ns, "CreDtTm", header.created),
        node(ns, "OrgnlMsgId", related),
        *rows,
    )


def _write_row(definition: Definition, answer: Answer) -> etree._Element:
    ns = definition.namespace
    return node(
        ns,
        "Rslt",
        node(ns, "OrgnlId", answer.query.id),
        node(ns, "Cd", answer.told.value),
        node(ns, "IdNb", answer.query.id_number),
        _result(definition, answer),
    )


def _result(definition: Definition, answer: Answer) -> etree._Element | None:
    if answer.account is None:
        return None
    if definition is not PAYMENT_REPORT:
        return _account(answer.account)
    return _payment(answer.account, answer.payment) if answer.payment else None


def _account(account: Account) -> etree._Element:
    # Registers of different banks are brought up to date at different times.
    updated = AS_OF - timedelta(days=int(account.account_no[-4:]) % 30)
    values = {
        "MmbId": account.bank_code,
        "BkNm": account.bank_name,
        "AcctNb": account.account_no,
        "Actvtd": "true" if account.activated else "false",
        "Sts": account.state.name,
        "HldrNm": account.holder_name,
        "OpngDt": account.opened.isoformat(),
        "Bal": account.balance,
        "UpdDt": updated.isoformat(),
    }
    return node(SSCARD, "Acct", *(node(SSCARD, name, text) for name, text in values.items()))


def _payment(account: Account, payment: PaymentResult) -> etree._Element:
    ns = PAYMENT
    reason = payment.return_reason
    return node(
        ns,
        "Pmt",
        node(ns, "BtchNo", payment.batch_no),
        node(ns, "TxSts", _STATUSES[payment.result_code]),
        node(ns, "StsRsn", reason) if reason else None,
        node(ns, "Amt", payment.amount),
        node(ns, "AcctNb", account.account_no),
        node(ns, "HldrNm", account.holder_name),
        node(ns, "PmtDt", payment.paid_on.isoformat()),
    )
