"""What is asked of a bank: one item of a message, in a form it can only take.

An item of wrong form would have the whole message refused, and with it the questions of everybody
else in it; so nothing leaves that a bank could object to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from stdnum import luhn

from adapters.errors import DepartmentFailed
from adapters.kinds.bank.codes import ASKERS_ERROR, NOTHING_NAMED, Verdict
from adapters.kinds.bank.schemas import ACMT_023, ACMT_024, PAYMENT, SSCARD
from adapters.mapping.names import fold_width, normalise_dots
from adapters.port import Indeterminate, Query, Subject
from adapters.records import require_name

MAX_NAME: Final = 140
"""Characters of `Nm` (ISO 20022 Max140Text)."""
_ACCOUNT: Final = re.compile(r"[0-9]{16,19}")
_MEMBER: Final = re.compile(r"[0-9]{12}")
_BATCH: Final = re.compile(r"P[0-9]{11}")
# Characters XML 1.0 cannot carry (section 2.2), and controls no name has.
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One pair of messages."""

    request: str
    """`MsgDefIdr` of the request."""
    report: str
    """`MsgDefIdr` of the report."""
    asks_in: str
    """Namespace of the request's document."""
    answers_in: str
    """Namespace of the report's document."""
    body: str
    """The only element of the request's document."""
    verifies: bool = False
    """Whether accounts are verified, each check being counted: never repeated by itself."""


OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "bk.account_verify": Operation(
            request="acmt.023.001.04",
            report="acmt.024.001.04",
            asks_in=ACMT_023,
            answers_in=ACMT_024,
            body="IdVrfctnReq",
            verifies=True,
        ),
        "bk.sscard_account": Operation(
            request="hts.sscard.req.01",
            report="hts.sscard.rpt.01",
            asks_in=SSCARD,
            answers_in=SSCARD,
            body="SsCardAcctReq",
        ),
        "bk.payment_result": Operation(
            request="hts.payment.req.01",
            report="hts.payment.rpt.01",
            asks_in=PAYMENT,
            answers_in=PAYMENT,
            body="PmtRsltReq",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One item of a message."""

    operation: Operation
    subject: Subject = field(repr=False)
    name: str = field(repr=False)
    account: str = field(default="", repr=False)
    """Of a verification alone."""
    bank_code: str | None = None
    batch: str | None = None


def is_name(text: str) -> bool:
    """Tell whether a name can stand in a message."""
    return 1 <= len(text) <= MAX_NAME and _NO_TEXT.search(text) is None


def build_question(
    operation: Operation, query: Query, card_prefixes: tuple[str, ...]
) -> Question | Verdict:
    """Return the item to ask, or what is found without asking anybody.

    Raises:
        DepartmentFailed: QUESTION_REJECTED without a name a message can hold, or for a batch that
            can be none.
    """
    name = normalise_dots(require_name(query))
    if not is_name(name):
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    if operation.verifies:
        return _verification(operation, query, name, card_prefixes)
    batch = _claimed(query, "batch_no") if operation.answers_in == PAYMENT else None
    if batch is not None and not _BATCH.fullmatch(batch):
        # No field of this dataset is a finding that could say whose error it is.
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return Question(operation=operation, subject=query.subject, name=name, batch=batch)


def _verification(
    operation: Operation, query: Query, name: str, card_prefixes: tuple[str, ...]
) -> Question | Verdict:
    account, bank_code = _claimed(query, "account_no"), _claimed(query, "bank_code")
    if account is None:
        return NOTHING_NAMED
    if not _ACCOUNT.fullmatch(account) or not _passes_luhn(account, card_prefixes):
        return ASKERS_ERROR
    if bank_code is not None and not _MEMBER.fullmatch(bank_code):
        return ASKERS_ERROR
    return Question(
        operation=operation,
        subject=query.subject,
        name=name,
        account=account,
        bank_code=bank_code,
    )


def _passes_luhn(account: str, card_prefixes: tuple[str, ...]) -> bool:
    # Some account numbers are no card numbers: ISO/IEC 7812-1 binds those of known issuers only.
    return not account.startswith(card_prefixes) or bool(luhn.is_valid(account))


def _claimed(query: Query, key: str) -> str | None:
    text = query.claims.get(key)
    return None if text is None else fold_width(text).replace(" ", "")
