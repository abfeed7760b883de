"""The rows of the reports in our spelling.

Reads the elements it names and no other: true holders, balances and amounts, which banks send
unasked, pass by (docs/adapters/bank.md 4.2, 5).
"""

from typing import Final

from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.bank import codes
from adapters.kinds.bank.codes import Verdict
from adapters.kinds.bank.documents import require_echo
from adapters.kinds.bank.questions import Question
from adapters.kinds.bank.schemas import ACMT_024, PAYMENT, SSCARD
from adapters.port import FieldName, Finding, Indeterminate
from adapters.records import RawRecord, require_subject

# XML Schema 1.0 part 2, 3.2.2.1: both spellings of a truth value.
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


class RowBusy(DepartmentFailed):
    """The bank could not answer this one query now; it may be put again."""


def read_verdict(question: Question, row: etree._Element) -> Verdict:
    """Return what a verification found.

    Raises:
        AnswerMalformed: `Vrfctn` and `Rsn` do not go together.
        DepartmentFailed: SUBJECT_MISMATCH for another question's row; QUOTA; TIMEOUT.
    """
    require_echo(question, row)
    held = _TRUTH.get((row.findtext(f"{{{ACMT_024}}}Vrfctn") or "").strip())
    reason = row.find(f"{{{ACMT_024}}}Rsn")
    if held is None or held is (reason is not None):
        raise AnswerMalformed("a result has a reason, or none, against its kind")
    if reason is None:
        return codes.VERIFIED
    form = etree.QName(reason[0]).localname
    found = codes.REASONS.get((form, reason[0].text or ""), codes.UNKNOWN)
    if isinstance(found, Indeterminate):
        raise DepartmentFailed(found)
    return found


def record_of(verdict: Verdict) -> RawRecord:
    """Return a verification as a record; no reason, no value."""
    values: RawRecord = {
        FieldName("name_match"): verdict.name_match,
        FieldName("id_match"): verdict.id_match,
        FieldName("account_usable"): verdict.account_usable,
    }
    if verdict.reason is None:
        return values
    return {**values, FieldName("reason"): verdict.reason}


def read_query(question: Question, row: etree._Element) -> RawRecord | None:
    """Return what a bank holds of a person, None where it holds nothing.

    Raises:
        AnswerMalformed: Result and code do not go together.
        DepartmentFailed: SUBJECT_MISMATCH for another person's row; SUBJECT_UNRESOLVED; TIMEOUT;
            QUESTION_REJECTED.
    """
    namespace = question.operation.answers_in
    # Before any code: "none" has to be about this person as well.
    require_subject(question.subject, row.findtext(f"{{{namespace}}}IdNb") or "")
    code = row.findtext(f"{{{namespace}}}Cd") or ""
    name = "Acct" if namespace == SSCARD else "Pmt"
    content = row.find(f"{{{namespace}}}{name}")
    if (content is not None) is not (code == codes.FOUND):
        raise AnswerMalformed("a result stands with another code, or none with its own")
    if content is not None:
        return _read_account(content) if namespace == SSCARD else _read_payment(question, content)
    if code == codes.NOT_FOUND:
        return None
    if code == codes.BUSY:
        raise RowBusy(codes.QUERY_FAILURES[code])
    if code != codes.BAD_INPUT:
        unlisted = Indeterminate.PROVIDER_FAULT
        raise DepartmentFailed(codes.QUERY_FAILURES.get(code, unlisted))
    if namespace == PAYMENT:
        # No field of this dataset is a finding that could say whose error it is.
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return {FieldName("activated"): Finding.ERROR}


def _read_account(account: etree._Element) -> RawRecord:
    activated = account.findtext(f"{{{SSCARD}}}Actvtd") or ""
    return {
        FieldName("bank_code"): _text(account, f"{{{SSCARD}}}MmbId"),
        FieldName("account_no"): _text(account, f"{{{SSCARD}}}AcctNb"),
        FieldName("activated"): codes.ACTIVATED.get(activated, Finding.INDETERMINATE),
    }


def _read_payment(question: Question, payment: etree._Element) -> RawRecord:
    batch = _text(payment, f"{{{PAYMENT}}}BtchNo")
    if question.batch is not None and batch != question.batch:
        raise AnswerMalformed("a payment of another batch")
    status = payment.findtext(f"{{{PAYMENT}}}TxSts") or ""
    reason = payment.findtext(f"{{{PAYMENT}}}StsRsn")
    if (reason is not None) is not (status == codes.RETURNED):
        raise AnswerMalformed("a payment has a reason, or none, against its status")
    raw = {FieldName("batch_no"): batch}
    if status in codes.RESULTS:
        raw[FieldName("result_code")] = codes.RESULTS[status]
    if reason in codes.RETURN_REASONS:
        raw[FieldName("return_reason")] = reason
    return raw


def _text(element: etree._Element, path: str) -> str:
    text = element.findtext(path)
    if not text:
        raise AnswerMalformed("a mandatory member is empty")
    return text
