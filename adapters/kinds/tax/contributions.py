"""Entries of contributions: which are one, what of them is a contribution, what a period is worth.

A voucher that arrives twice is one payment; a refund is no contribution; money booked for another
period pays that one (docs/adapters/tax.md, 6.1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed
from adapters.kinds.tax.codes import INSURANCE_KINDS, PAID, REFUNDED
from adapters.kinds.tax.members import (
    NOTHING,
    Members,
    require_amount,
    require_day,
    require_filled,
    require_month,
    require_rows,
    require_voucher,
)
from adapters.kinds.tax.questions import Question
from adapters.port import FieldName, Finding

MAX_ENTRIES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One payment or refund."""

    period: str
    insurance_kind: str
    base: Decimal = field(repr=False)
    unit: Decimal = field(repr=False)
    person: Decimal = field(repr=False)
    paid_date: str = field(repr=False)
    voucher_no: str = field(repr=False)
    kind: str

    @property
    def paid(self) -> Decimal:
        """Return what unit and person paid together."""
        return self.unit + self.person


def sum_of_entries(members: Members) -> Decimal:
    """Return what the manifest adds up: every entry as it stands there, also twice.

    Raises:
        AnswerMalformed: An amount of another form, or too many entries.
    """
    rows = require_rows(members, "JFMX", MAX_ENTRIES)
    return sum((require_amount(row, name) for row in rows for name in ("DWJE", "GRJE")), NOTHING)


def read_online(members: Members) -> tuple[str, str]:
    """Return the first and the last period the department keeps.

    Raises:
        AnswerMalformed: No periods, or the last before the first.
    """
    first, last = require_month(members, "ZXQQ"), require_month(members, "ZXQZ")
    if last < first:
        raise AnswerMalformed("online periods end before they begin")
    return first, last


def read_contributions(question: Question, members: Members) -> dict[FieldName, RawValue]:
    """Return the entry that is meant and whether the asked period was paid.

    Raises:
        AnswerMalformed: An entry that breaks the manual.
    """
    entries = _read_entries(members)
    found = decide_paid(question, read_online(members), entries)
    raw: dict[FieldName, RawValue] = {FieldName("paid_in_period"): found}
    if question.unasked is Finding.ERROR:
        # Whose values these would be, the claim does not say.
        return raw
    for name, value in _values(_meant(question, entries)).items():
        raw[FieldName(name)] = value
    return raw


def decide_paid(
    question: Question, online: tuple[str, str], entries: Sequence[Entry] = ()
) -> Finding:
    """Return whether the asked period was paid for; outside of what is kept nobody can tell."""
    if question.unasked is not None:
        return question.unasked
    first, last = online
    if question.period is None or not first <= question.period <= last:
        return Finding.INDETERMINATE
    of_period = [each for each in entries if each.period == question.period]
    own = [each for each in of_period if _is_of_kind(question, each)]
    # An entry of a sort nobody explained may add to the period or take from it.
    if not _are_explained(own):
        return Finding.INDETERMINATE
    if sum((each.paid for each in own), NOTHING) > 0:
        return Finding.YES
    # An insurance nobody explained may be the asked one by another code.
    strange = any(each.insurance_kind not in INSURANCE_KINDS for each in of_period)
    return Finding.INDETERMINATE if strange else Finding.NO


def _read_entries(members: Members) -> Sequence[Entry]:
    entries: dict[str, Entry] = {}
    for row in require_rows(members, "JFMX", MAX_ENTRIES):
        entry = _read_entry(row)
        # One number on two different entries: neither can be believed.
        if entries.setdefault(entry.voucher_no, entry) != entry:
            raise AnswerMalformed("one voucher number on two entries")
    return tuple(entries.values())


def _read_entry(row: Members) -> Entry:
    entry = Entry(
        period=require_month(row, "SSQ"),
        insurance_kind=require_filled(row, "XZ"),
        base=require_amount(row, "JFJS"),
        unit=require_amount(row, "DWJE"),
        person=require_amount(row, "GRJE"),
        paid_date=require_day(row, "RKRQ"),
        voucher_no=require_voucher(row, "SPHM"),
        kind=require_filled(row, "LXDM"),
    )
    amounts = (entry.unit, entry.person)
    if entry.kind == PAID and min(amounts) < 0:
        raise AnswerMalformed("a payment of less than nothing")
    if entry.kind == REFUNDED and max(amounts) > 0:
        raise AnswerMalformed("a refund that pays")
    return entry


def _is_of_kind(question: Question, entry: Entry) -> bool:
    return question.insurance_kind in {None, entry.insurance_kind}


def _are_explained(entries: Iterable[Entry]) -> bool:
    return all(each.kind in {PAID, REFUNDED} for each in entries)


def _meant(question: Question, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of one period and one insurance: those asked about, or the foremost.

    Where no period is named the latest stands for the person; where no insurance is, the one of the
    smallest code: pension comes first.
    """
    of_kind = [each for each in entries if _is_of_kind(question, each)]
    period = question.period or max((each.period for each in of_kind), default="")
    own = [each for each in of_kind if each.period == period]
    foremost = min((each.insurance_kind for each in own), default="")
    return [each for each in own if each.insurance_kind == foremost]


def _values(own: Sequence[Entry]) -> dict[str, str]:
    """Return the values of one period and insurance: amounts net, the rest of its payment."""
    if not own:
        return {}
    values = {"period": own[0].period}
    if own[0].insurance_kind in INSURANCE_KINDS:
        values["insurance_kind"] = own[0].insurance_kind
    payments = [each for each in own if each.kind == PAID]
    # A refund is no contribution: its voucher and day would pass for one.
    if payments:
        latest = max(payments, key=lambda each: (each.paid_date, each.voucher_no))
        values |= {"paid_date": latest.paid_date, "voucher_no": latest.voucher_no}
    # An entry of a sort nobody explained may change each of the amounts.
    return values | _amounts(own, payments) if _are_explained(own) else values


def _amounts(own: Sequence[Entry], payments: Sequence[Entry]) -> dict[str, str]:
    values = {
        "paid_unit": str(sum((each.unit for each in own), NOTHING)),
        "paid_person": str(sum((each.person for each in own), NOTHING)),
    }
    if base := _single(str(each.base) for each in payments):
        values["base_amount"] = base
    return values


def _single(texts: Iterable[str]) -> str | None:
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else None
