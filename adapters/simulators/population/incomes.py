"""Income as withholding agents declare it: wages of the insured, fees of some others."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.simulators.population.contributions import average_base, recent
from adapters.simulators.population.employers import ORDINARY, Employer, employer, employer_of
from adapters.simulators.population.person import AS_OF, Person
from adapters.simulators.population.tax_contributions import held_periods, is_paid
from adapters.simulators.population.working_life import Career, State, career_of

FIRST_YEAR: Final = 2019
"""Comprehensive income is declared since this year."""
WAGES: Final = "0101"
FEES: Final = "0400"

# Yuan up to which each band reaches; what is above the last is B5.
_BANDS: Final = ((60_000, "B1"), (120_000, "B2"), (200_000, "B3"), (500_000, "B4"))
_ALLOWANCE: Final = 5_000_00
"""Cents free of tax for each month with income."""
_OWN_SHARE: Final = 1030
"""Per 10,000 of a wage that goes to insurance before tax."""
# Cents of taxable income up to which a rate (per cent) holds, with its quick deduction in cents.
_RATES: Final = (
    (3_600_000, 3, 0),
    (14_400_000, 10, 252_000),
    (30_000_000, 20, 1_692_000),
    (42_000_000, 25, 3_192_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDeclared:
    """The income of one month, in cents."""

    period: str
    item: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeTax:
    """A record of tx.income_tax for one year; amounts in cents."""

    tax_year: int
    income_band: str
    taxable_income: int
    withholding_agent: str
    has_wage_income: bool
    agent_name: str
    gross: int
    tax: int
    months: tuple[MonthDeclared, ...]


def income_tax(person: Person, year: int) -> IncomeTax | None:
    """Tell what was declared of a person in a year, None when nothing was."""
    career = career_of(person)
    if career is None or not FIRST_YEAR <= year <= AS_OF.year:
        return None
    months = _wages(person, career, year) if career.urban else _fees(person, career, year)
    if not months:
        return None
    agent = employer_of(person) if career.urban else _payer_of_fees(person)
    gross = sum(month.amount for month in months)
    own = gross * _OWN_SHARE // 10_000 if career.urban else 0
    taxable = max(gross - own - _ALLOWANCE * len(months), 0)
    return IncomeTax(
        tax_year=year,
        income_band=band_of(gross),
        taxable_income=taxable,
        withholding_agent=agent.uscc,
        has_wage_income=career.urban,
        agent_name=agent.name,
        gross=gross,
        tax=_tax(taxable),
        months=months,
    )


def band_of(gross: int) -> str:
    """Name the band of a yearly income given in cents."""
    return next((band for bound, band in _BANDS if gross <= bound * 100), "B5")


def _tax(taxable: int) -> int:
    for bound, rate, quick in _RATES:
        if taxable <= bound:
            return max(taxable * rate // 100 - quick, 0)
    return taxable * 30 // 100 - 5_292_000


def _wages(person: Person, career: Career, year: int) -> tuple[MonthDeclared, ...]:
    # Whoever pays contributions declares the wage they are reckoned from.
    paid = {month.period for month in recent(person, career) if is_paid(person, month)}
    wage = int(average_base(person).split(".")[0]) * 100
    declared = []
    for number in range(1, 13):
        period = f"{year}{number:02d}"
        online = period >= held_periods()[0]
        if period in paid if online else _worked(person, career, period):
            # A thirteenth wage in January.
            amount = wage * 2 if number == 1 else wage
            declared.append(MonthDeclared(period=period, item=WAGES, amount=amount))
    return tuple(declared)


def _worked(person: Person, career: Career, period: str) -> bool:
    """Tell whether a person worked in a month before those the HRSS details."""
    ends = [day for day in (career.retired, _gone(person)) if day is not None]
    return f"{career.first:%Y%m}" <= period < min((f"{day:%Y%m}" for day in ends), default="999912")


def _gone(person: Person) -> date | None:
    if person.death is not None:
        return person.death.day
    return person.cancellation.day if person.cancellation else None


def _fees(person: Person, career: Career, year: int) -> tuple[MonthDeclared, ...]:
    """One resident in eight is paid a fee now and then, which is no wage."""
    if career.state is not State.INSURED or not person.draws.chance("fees", per_mille=125):
        return ()
    number = 1 + person.draws.below(f"fees/{year}", 10)
    period = f"{year}{number:02d}"
    if not f"{career.first:%Y%m}" <= period:
        return ()
    amount = 80_000 + person.draws.below("fees/amount", 40) * 10_000
    return (MonthDeclared(period=period, item=FEES, amount=amount),)


def _payer_of_fees(person: Person) -> Employer:
    return employer(person.seed, person.draws.below("fees/payer", len(ORDINARY)))
