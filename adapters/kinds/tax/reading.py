"""The department's records in our spelling: one record in, raw values or why there are none.

Knows no message form. Members that are not read here are dropped: the department sends other
periods, other years, names, payers and amounts unasked. What the catalog withholds is read for the
sum of the manifest only and never becomes a raw value.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.codes import (
    ABSENT,
    CREDIT_GRADES,
    EMPTY,
    HELD,
    INCOME_BANDS,
    INCOME_ITEMS,
    RECORD_FAILURES,
    SOLE_TRADER,
    TAXPAYER_STATE,
    WAGES,
    YES_NO,
)
from adapters.kinds.tax.contributions import (
    decide_paid,
    read_contributions,
    read_online,
    sum_of_entries,
)
from adapters.kinds.tax.members import (
    NOTHING,
    Members,
    require_amount,
    require_filled,
    require_month,
    require_rows,
)
from adapters.kinds.tax.questions import Question, Service
from adapters.mapping.documents import optional_text
from adapters.mapping.identifiers import parse_uscc
from adapters.port import FieldName, Finding
from adapters.records import RawRecord, require_subject

_Values = dict[FieldName, RawValue]
_MONTHS: Final = 12
_PAID: Final = FieldName("paid_in_period")
_WAGE: Final = FieldName("has_wage_income")
_CLAIMED: Final[Mapping[Service, FieldName]] = MappingProxyType(
    {Service.CONTRIBUTION: _PAID, Service.INCOME_TAX: _WAGE}
)
"""What is found of the period or year that the asker claims."""


def sum_record(service: Service, members: Members) -> Decimal:
    """Return what a record adds to the sum of its manifest (section 3).

    Raises:
        AnswerMalformed: No code, or an amount of another form.
    """
    if require_filled(members, "JLDM") != HELD:
        return NOTHING
    return _SUMS[service](members)


def read_record(question: Question, members: Members) -> RawRecord | None:
    """Return what the department holds, None where the catalog may say what that means.

    Raises:
        AnswerMalformed: A code of no list, a member that is missing, empty or of another form.
        DepartmentFailed: SUBJECT_MISMATCH for another's record; what the record's code says.
    """
    code = require_filled(members, "JLDM")
    if code == ABSENT:
        return _absent(question)
    if code in RECORD_FAILURES:
        raise DepartmentFailed(RECORD_FAILURES[code])
    if code == HELD:
        _require_own(question, members)
        return _HELD[question.service](question, members)
    if code == EMPTY and question.service in _EMPTY:
        _require_own(question, members)
        return _EMPTY[question.service](question, members)
    raise AnswerMalformed("record code stands in no list")


def _require_own(question: Question, members: Members) -> None:
    if question.service is Service.TAXPAYER:
        name = optional_text(members, "NSRMC")
        require_subject(question.subject, require_filled(members, "NSRSBH"), name)
    else:
        name = require_filled(members, "XM")
        require_subject(question.subject, require_filled(members, "ZJHM"), name)


def _absent(question: Question) -> RawRecord | None:
    """Return what can be told of a subject the department does not have.

    "Not found" would be told as the catalog's NO: also of a claim that nobody can judge, and of a
    period outside of what is kept, which code 1001 does not state.
    """
    name = _CLAIMED.get(question.service)
    if name is None:
        return None
    found = question.unasked
    if found is None and question.service is Service.CONTRIBUTION:
        found = Finding.INDETERMINATE
    return None if found is None else {name: found}


def _no_contribution(question: Question, members: Members) -> RawRecord | None:
    found = decide_paid(question, read_online(members))
    # "Not found" would be told as the catalog's NO, also of a period that nobody keeps.
    return None if found is Finding.NO else {_PAID: found}


def _no_income(question: Question, members: Members) -> RawRecord | None:
    _require_year(question, members)
    unasked = question.unasked
    return None if unasked is None else {_WAGE: unasked}


def _income(question: Question, members: Members) -> RawRecord:
    _require_year(question, members)
    raw: _Values = {_WAGE: _decide_wages(question, members)}
    if question.unasked not in {None, Finding.NOT_APPLICABLE}:
        # The record is of a year that stands in for the claimed one, and is no answer for it.
        return raw
    raw[FieldName("tax_year")] = str(question.year)
    band = require_filled(members, "SRDC")
    if band in INCOME_BANDS:
        raw[FieldName("income_band")] = band
    agent = _find_uscc(require_filled(members, "KJYWRSBH"))
    if agent is not None:
        raw[FieldName("withholding_agent")] = agent
    return raw


def _decide_wages(question: Question, members: Members) -> Finding:
    items: set[str] = set()
    for row in require_rows(members, "SRMX", _MONTHS):
        item, amount = require_filled(row, "SDXM"), require_amount(row, "SRE")
        if require_month(row, "SSQ").startswith(str(question.year)) and amount > 0:
            items.add(item)
    if question.unasked is not None:
        return question.unasked
    if WAGES in items:
        return Finding.YES
    # An item nobody explained may be a wage.
    return Finding.NO if items <= INCOME_ITEMS else Finding.INDETERMINATE


def _require_year(question: Question, members: Members) -> None:
    year = members.get("ND")
    # bool is an int in Python and none in JSON.
    if isinstance(year, bool) or year != question.year:
        raise AnswerMalformed("a record of another year")


def _find_uscc(text: str) -> str | None:
    try:
        return parse_uscc(text).code
    except AnswerMalformed:
        # Taxed under another number than a credit code: a payer, and no value of this field.
        return None


def _taxpayer(_: Question, members: Members) -> RawRecord:
    number = require_filled(members, "NSRSBH")
    state = require_filled(members, "NSRZT_DM")
    if not TAXPAYER_STATE.fullmatch(state):
        raise AnswerMalformed("state of a taxpayer has another form")
    raw: _Values = {
        FieldName("taxpayer_id"): number,
        FieldName("taxpayer_state"): state,
        FieldName("in_arrears"): _finding(members, "QSBZ"),
        FieldName("is_micro"): _finding(members, "XWQYBZ"),
    }
    grade = _read_grade(number, members)
    if grade is not None:
        raw[FieldName("credit_grade")] = grade
    return raw


def _read_grade(number: str, members: Members) -> RawValue | None:
    if number.startswith(SOLE_TRADER) and optional_text(members, "NSXYJB") is None:
        return Finding.NOT_APPLICABLE
    grade = require_filled(members, "NSXYJB")
    return grade if grade in CREDIT_GRADES else None


def _finding(members: Members, name: str) -> Finding:
    return YES_NO.get(require_filled(members, name), Finding.INDETERMINATE)


_SUMS: Final[Mapping[Service, Callable[[Members], Decimal]]] = MappingProxyType(
    {
        Service.CONTRIBUTION: sum_of_entries,
        Service.INCOME_TAX: lambda members: require_amount(members, "YNSSDE"),
        Service.TAXPAYER: lambda members: require_amount(members, "QSJE"),
    }
)
_HELD: Final[Mapping[Service, Callable[[Question, Members], RawRecord]]] = MappingProxyType(
    {
        Service.CONTRIBUTION: read_contributions,
        Service.INCOME_TAX: _income,
        Service.TAXPAYER: _taxpayer,
    }
)
_EMPTY: Final[Mapping[Service, Callable[[Question, Members], RawRecord | None]]] = MappingProxyType(
    {Service.CONTRIBUTION: _no_contribution, Service.INCOME_TAX: _no_income}
)
"""Services that know persons of whom nothing is recorded; a taxpayer is one or is none."""
