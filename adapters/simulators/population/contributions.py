"""How many months a person has paid, the last twelve, and on what base."""

from dataclasses import dataclass
from typing import Final

from adapters.simulators.population.person import AS_OF, Person
from adapters.simulators.population.working_life import Career, State

INTERRUPTED_FOR: Final = 6
"""Months without a contribution of those whose insurance is interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPaid:
    """One month of the detail."""

    period: str
    base: str
    paid: bool


def months_paid(person: Person, career: Career) -> int:
    """Count the months paid; a month that arrived twice counts once."""
    end = career.retired or (person.death.day if person.death else AS_OF)
    span = max((end.year - career.first.year) * 12 + end.month - career.first.month, 0)
    # Few lives are without a gap; planted ones are, to be predictable.
    gaps = person.draws.below("gaps", 25) if person.quirk is None else 0
    return max(span - gaps, min(span, 1))


def recent(person: Person, career: Career) -> tuple[MonthPaid, ...]:
    """List the last twelve months, the latest first; none are paid after retirement or death."""
    base = average_base(person)
    months: list[MonthPaid] = []
    year, month = AS_OF.year, AS_OF.month
    for step in range(12):
        # The current month is not due yet.
        month -= 1
        if month == 0:
            year, month = year - 1, 12
        stopped = career.state is not State.INSURED and not (
            career.state is State.INTERRUPTED and step >= INTERRUPTED_FOR
        )
        paid = not stopped and (year, month) >= (career.first.year, career.first.month)
        months.append(MonthPaid(period=f"{year}{month:02d}", base=base, paid=paid))
    return tuple(months)


def average_base(person: Person) -> str:
    """Tell the average base, in yuan."""
    return f"{4_200 + person.draws.below('base', 160) * 100 + person.index % 100}.00"
