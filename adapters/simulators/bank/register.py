"""What the banks answer to each question. Knows no XML and no HTTP (manual, sections 4 and 5)."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from adapters.simulators.bank.limits import CardQuota
from adapters.simulators.population import (
    Person,
    Population,
    account_of,
    bank_record,
    find_account,
)
from adapters.simulators.population.bank import BANK_CODES, Account, AccountState
from adapters.simulators.population.identity import card_number, is_identity_number
from adapters.simulators.population.payments import PaymentResult

CARD_LENGTHS: Final = range(16, 20)
"""Digits of an account number (domain.md, section 6)."""


class Finding(StrEnum):
    """What a check found; the value is the reason on the wire, OK has none."""

    OK = ""
    ID_FORMAT = "ID_FORMAT"
    CARD_FORMAT = "CARD_FORMAT"
    BANK_UNKNOWN = "BANK_UNKNOWN"
    QUOTA = "QUOTA"
    BUSY = "BUSY"
    NOT_FOUND = "AC01"
    HOLDER_MISMATCH = "HOLDER_MISMATCH"
    NAME_MISMATCH = "NAME_MISMATCH"
    ID_MISMATCH = "ID_MISMATCH"
    CLOSED = "AC04"
    FROZEN = "AC06"
    LOST = "LOST"
    DORMANT = "DORMANT"


class Told(StrEnum):
    """What a query of our own messages met."""

    FOUND = "FOUND"
    NONE = "NONE"
    MISMATCH = "MISMATCH"
    AMBIGUOUS = "AMBIGUOUS"
    BUSY = "BUSY"
    BAD_INPUT = "BAD_INPUT"


_STATES: Final = {
    AccountState.NORMAL: Finding.OK,
    AccountState.CLOSED: Finding.CLOSED,
    AccountState.FROZEN: Finding.FROZEN,
    AccountState.LOST: Finding.LOST,
    AccountState.DORMANT: Finding.DORMANT,
}
_FORCED_REASONS: Final = {AccountState.CLOSED: "AC04", AccountState.FROZEN: "AC06"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One Vrfctn; `bank_code` is None where any bank is meant."""

    id: str
    name: str
    id_number: str
    account_no: str
    bank_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answer to a check; `account` is what the bank tells too much of."""

    check: Check
    finding: Finding
    account: Account | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One Qry; `batch_no` is None where the latest batch is meant."""

    id: str
    name: str
    id_number: str
    batch_no: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a query: with FOUND an account and, when asked for, a payment."""

    query: Query
    told: Told
    account: Account | None = None
    payment: PaymentResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The day, and the faults that strike this message."""

    today: date
    forced: AccountState | None = None
    every_other_busy: bool = False
    no_quota: bool = False
    other_person: bool = False


class Register:
    """The accounts of the population and how often each was checked."""

    def __init__(self, people: Population) -> None:
        self._people = people
        self._quota = CardQuota()

    def verify(self, number: int, check: Check, around: Circumstances) -> Checked:
        """Answer a check, the `number`-th of its message counted from 1."""
        if around.other_person:
            check = self._about_another(check)
        account = find_account(self._people, check.account_no)
        finding = self._malformed(check) or self._unwilling(number, account, around)
        if finding is None:
            # Held elsewhere is not held here.
            here = account and check.bank_code in {None, account.bank_code}
            account = account if here else None
            finding = _judge(check, account, around.forced)
        told = account if finding not in {Finding.QUOTA, Finding.BUSY} else None
        return Checked(check=check, finding=finding, account=told)

    def find_card_account(self, number: int, query: Query, around: Circumstances) -> Answer:
        """Tell which account is behind the card of a person."""
        query, person = self._identify(number, query, around)
        if isinstance(person, Told):
            return Answer(query=query, told=person)
        account = account_of(person)
        if around.forced:
            account = replace(account, state=around.forced)
        return Answer(query=query, told=Told.FOUND, account=account)

    def find_payment(self, number: int, query: Query, around: Circumstances) -> Answer:
        """Tell what became of a pension of a person."""
        query, person = self._identify(number, query, around)
        if isinstance(person, Told):
            return Answer(query=query, told=person)
        results = bank_record(person).payment_result
        # The latest stands first.
        wanted = [found for found in results if query.batch_no in {None, found.batch_no}]
        if not wanted:
            return Answer(query=query, told=Told.NONE)
        payment = wanted[0]
        if around.forced:
            reason = _FORCED_REASONS[around.forced]
            payment = replace(payment, result_code="退票", return_reason=reason)
        return Answer(query=query, told=Told.FOUND, account=account_of(person), payment=payment)

    def _malformed(self, check: Check) -> Finding | None:
        number = check.account_no
        if not is_identity_number(check.id_number):
            return Finding.ID_FORMAT
        digits = number.isascii() and number.isdigit() and len(number) in CARD_LENGTHS
        if not digits or card_number(number[:-1]) != number:
            return Finding.CARD_FORMAT
        if check.bank_code is not None and check.bank_code not in BANK_CODES:
            return Finding.BANK_UNKNOWN
        return None

    def _unwilling(
        self, number: int, account: Account | None, around: Circumstances
    ) -> Finding | None:
        # Counted before it is answered, whatever the answer will be.
        spent = account and not self._quota.admits(account.account_no, around.today)
        if spent or around.no_quota:
            return Finding.QUOTA
        return Finding.BUSY if around.every_other_busy and number % 2 else None

    def _identify(
        self, number: int, query: Query, around: Circumstances
    ) -> tuple[Query, Person | Told]:
        if not is_identity_number(query.id_number):
            return query, Told.BAD_INPUT
        if around.no_quota or (around.every_other_busy and number % 2):
            return query, Told.BUSY
        if around.other_person:
            other = self._someone_else(query.id_number)
            return replace(query, id_number=other.id_number), other
        bearers = self._people.find(query.id_number)
        named = [person for person in bearers if person.full_name == query.name]
        if len(named) == 1:
            return query, named[0]
        # A historic duplicate: nobody guesses which of two namesakes is meant.
        if named:
            return query, Told.AMBIGUOUS
        return query, Told.MISMATCH if bearers else Told.NONE

    def _about_another(self, check: Check) -> Check:
        other = self._someone_else(check.id_number)
        account = account_of(other)
        return Check(
            id=check.id,
            name=other.full_name,
            id_number=other.id_number,
            account_no=account.account_no,
            bank_code=account.bank_code,
        )

    def _someone_else(self, id_number: str) -> Person:
        bearers = self._people.find(id_number)
        start = bearers[-1].index if bearers else 0
        return self._people.person((start + 5) % self._people.size)


def _judge(check: Check, account: Account | None, forced: AccountState | None) -> Finding:
    if account is None:
        return Finding.NOT_FOUND
    same_name = account.holder_name == check.name
    same_id = account.holder_id == check.id_number
    match same_name, same_id:
        case False, False:
            return Finding.HOLDER_MISMATCH
        case False, True:
            return Finding.NAME_MISMATCH
        case True, False:
            return Finding.ID_MISMATCH
        case _:
            return _STATES[forced or account.state]
