"""Contributions as the tax department collected them: one entry for each month and insurance.

Agrees with the months of the HRSS detail (`contributions.recent`); the planted quirks and the
dead, for whom nobody pays, are where the two differ.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from adapters.simulators.population.contributions import MonthPaid, recent
from adapters.simulators.population.employers import Employer, employer_of
from adapters.simulators.population.person import AS_OF, Person
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.working_life import Career, career_of

PAID: Final = "1"
REFUNDED: Final = "3"
"""Kinds of entries; a refund is negative and no contribution."""

# Insurance → unit's and person's share per 10,000 of the base, urban employees.
_URBAN: Final = {"110": (1600, 800), "210": (70, 30), "310": (800, 200), "410": (40, 0)}
# Insurance → cents a month a resident pays for himself, whatever his base.
_RESIDENT: Final = {"170": 2_500, "310": 4_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A record of tx.contribution; amounts in cents, negative in a refund.

    `paid_in_period` tells of the period named, over all entries of its insurance.
    """

    period: str
    insurance_kind: str
    base_amount: int
    paid_unit: int
    paid_person: int
    paid_date: date
    voucher_no: str
    entry: str
    payer: Employer | None
    paid_in_period: bool


def held_periods() -> tuple[str, str]:
    """Name the first and the last period kept online: the twelve months before the registers."""
    year, month = AS_OF.year, AS_OF.month
    last = f"{year}{month - 1:02d}" if month > 1 else f"{year - 1}12"
    return f"{year - 1}{month:02d}", last


def tax_contributions(person: Person) -> tuple[Contribution, ...]:
    """List the entries of the last twelve months, the latest first."""
    career = career_of(person)
    if career is None:
        return ()
    months = [month for month in recent(person, career) if is_paid(person, month)]
    entries = [entry for month in months for entry in _entries(person, career, month)]
    return _with_quirk(person, tuple(entries))


def is_paid(person: Person, month: MonthPaid) -> bool:
    """Tell whether money arrived for a month: not after a death the HRSS has not heard of."""
    return month.paid and (person.death is None or month.period <= f"{person.death.day:%Y%m}")


def _entries(person: Person, career: Career, month: MonthPaid) -> list[Contribution]:
    base = int(month.base.split(".")[0]) * 100
    shares = {kind: (base * unit // 10_000, base * own // 10_000)
              for kind, (unit, own) in _URBAN.items()}  # fmt: skip
    if not career.urban:
        shares = {kind: (0, own) for kind, own in _RESIDENT.items()}
    year, number = int(month.period[:4]), int(month.period[4:])
    day = date(year, number, 5 + person.draws.below(f"tax/day/{month.period}", 20))
    return [
        Contribution(
            period=month.period,
            insurance_kind=kind,
            base_amount=base,
            paid_unit=unit,
            paid_person=own,
            paid_date=day,
            voucher_no=_voucher(person, month.period, place),
            entry=PAID,
            payer=employer_of(person) if career.urban else None,
            paid_in_period=True,
        )
        for place, (kind, (unit, own)) in enumerate(shares.items())
    ]


def _voucher(person: Person, period: str, place: int) -> str:
    """Number a voucher: province, period, place in the month, index of the person."""
    return f"37{period[2:]}{place}{person.index:011d}"


def _with_quirk(person: Person, entries: tuple[Contribution, ...]) -> tuple[Contribution, ...]:
    """Plant what goes wrong with the last month."""
    first, last = held_periods()
    before = f"{int(last) - 1}" if not last.endswith("01") else first
    latest = [entry for entry in entries if entry.period == last]
    earlier = [entry for entry in entries if entry.period != last]
    match person.quirk:
        case Quirk.TAX_PERIOD_WRONG:
            # The money is there, booked for the month before: the last month looks unpaid.
            return (*(replace(entry, period=before) for entry in latest), *earlier)
        case Quirk.TAX_REFUND_NEGATIVE:
            # Paid and taken back: two entries, and nothing is left of the month.
            back = [_refund(entry) for entry in latest]
            unpaid = [replace(entry, paid_in_period=False) for entry in latest]
            return (*back, *unpaid, *earlier)
        case Quirk.CONTRIBUTION_TWICE:
            # The same vouchers arrive again, octet for octet.
            return (*latest, *latest, *earlier)
        case _:
            return entries


def _refund(entry: Contribution) -> Contribution:
    return replace(
        entry,
        paid_unit=-entry.paid_unit,
        paid_person=-entry.paid_person,
        paid_date=entry.paid_date.replace(day=28),
        # A refund has a voucher of its own.
        voucher_no=entry.voucher_no[:6] + str(int(entry.voucher_no[6]) + 5) + entry.voucher_no[7:],
        entry=REFUNDED,
        paid_in_period=False,
    )
