"""What the banks tell about paid pensions, and the whole view they have of a person.

The bk.* datasets; field names are those of the catalog.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from adapters.simulators.population.bank import Account, AccountState, account_of
from adapters.simulators.population.hrss import hrss_record
from adapters.simulators.population.person import AS_OF, Person

KEPT: Final = 12
"""Batches the banks keep."""

_REASONS: Final = {
    AccountState.CLOSED: "AC04",
    AccountState.FROZEN: "AC06",
    AccountState.LOST: "AC06",
    AccountState.DORMANT: "AC06",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountVerify:
    """A record of bk.account_verify, as asked with the right name, number and account."""

    name_match: bool
    id_match: bool
    account_usable: bool
    reason: str | None
    holder_name: str
    balance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SscardAccount:
    """A record of bk.sscard_account."""

    bank_code: str
    account_no: str
    activated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentResult:
    """A record of bk.payment_result."""

    batch_no: str
    result_code: str
    return_reason: str | None
    amount: str
    paid_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRecord:
    """What the banks hold of one person; payments with the latest first."""

    account_verify: AccountVerify
    sscard_account: SscardAccount
    payment_result: tuple[PaymentResult, ...]


def bank_record(person: Person) -> BankRecord:
    """View a person as the banks do."""
    account = account_of(person)
    usable = account.state is AccountState.NORMAL
    return BankRecord(
        account_verify=AccountVerify(
            name_match=account.holder_name == person.full_name,
            id_match=True,
            account_usable=usable,
            reason=None if usable else account.state.value,
            holder_name=account.holder_name,
            balance=account.balance,
        ),
        sscard_account=SscardAccount(
            bank_code=account.bank_code,
            account_no=account.account_no,
            activated=account.activated,
        ),
        payment_result=payments_to(person),
    )


@lru_cache(maxsize=1)
def batch_days() -> tuple[date, ...]:
    """List the pay days the banks keep, the latest first: the 15th of each month."""
    # The batch of the month of the registers has not been paid yet.
    months = [AS_OF.year * 12 + AS_OF.month - 1 - back for back in range(1, KEPT + 1)]
    return tuple(date(month // 12, month % 12 + 1, 15) for month in months)


def payments_to(person: Person) -> tuple[PaymentResult, ...]:
    """List the pensions sent to a person, the latest first."""
    pension = hrss_record(person).pension
    # HRSS sends money to those whose pension it holds to be in payment.
    if pension is None or not pension.is_receiving:
        return ()
    account = account_of(person)
    return tuple(
        _payment(person, account, day, pension.monthly_amount)
        for day in batch_days()
        if f"{day:%Y%m}" >= pension.start_month
    )


def _payment(person: Person, account: Account, day: date, amount: str) -> PaymentResult:
    code, reason = "成功", None
    if account.state in _REASONS:
        code, reason = "退票", _REASONS[account.state]
    elif account.holder_name != person.full_name:
        code, reason = "退票", "BE01"
    # The last batch is not wholly settled.
    elif day == batch_days()[0] and not person.quirk and person.draws.chance("pdng", per_mille=20):
        code = "处理中"
    return PaymentResult(
        batch_no=f"P{day:%Y%m%d}001",
        result_code=code,
        return_reason=reason,
        amount=amount,
        paid_on=day,
    )
