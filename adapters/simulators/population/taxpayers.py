"""Employers as taxpayers: state, credit, arrears; found by the number they are taxed under."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.simulators.population.draw import Draws
from adapters.simulators.population.employers import (
    FORMER,
    PLANTED_FROM,
    Employer,
    find_by_code,
)
from adapters.simulators.population.people import Population
from adapters.simulators.population.person import AS_OF

NORMAL: Final = "03"
ABNORMAL: Final = "05"

# NSRZT_DM with shares per mille: normal, suspended, abnormal, cancelled.
_STATES: Final = ((NORMAL, 930), ("04", 20), (ABNORMAL, 30), ("07", 20))
_GRADES: Final = (("A", 120), ("B", 480), ("M", 280), ("C", 80), ("D", 40))
MICRO: Final = 300
"""Staff up to which an enterprise counts as small with thin profits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxpayer:
    """A record of tx.taxpayer; `arrears` in cents. Sole traders are not graded."""

    taxpayer_id: str
    taxpayer_state: str
    credit_grade: str | None
    in_arrears: bool
    is_micro: bool
    name: str
    registration_no: str
    registered: date
    arrears: int
    staff: int


def taxpayer_at(people: Population, taxpayer_id: str) -> Taxpayer | None:
    """Find the taxpayer with this number, None when nobody is taxed under it."""
    found = find_by_code(people.seed, taxpayer_id)
    # Nobody asks about those that are long gone, and what tax still holds of them is not modelled.
    if found is None or found.number in FORMER:
        return None
    return taxpayer_of(people.seed, found)


def taxpayer_of(seed: int, who: Employer) -> Taxpayer:
    """View an employer as the tax department does."""
    draws = Draws(seed=seed, scope="taxpayer", index=who.number)
    sole = who.uscc.startswith("92")
    planted = who.number >= PLANTED_FROM
    # A planted employer has its own case only: no debts by chance.
    late = not planted and draws.chance("arrears", per_mille=40)
    staff = 1 + draws.below("staff", 8 if sole else 420)
    return Taxpayer(
        taxpayer_id=who.uscc,
        taxpayer_state=_state(draws, who, planted=planted),
        credit_grade=None if sole else draws.weighted("grade", _GRADES),
        in_arrears=late,
        is_micro=staff <= MICRO,
        name=who.name,
        registration_no=f"1013700000{who.number:010d}",
        registered=draws.day("registered", date(1995, 1, 1), date(AS_OF.year - 2, 12, 31)),
        arrears=10_000 + draws.below("owed", 5_000_000) if late else 0,
        staff=staff,
    )


def _state(draws: Draws, who: Employer, *, planted: bool) -> str:
    # A licence revoked but not cancelled: nobody answers, the duty to pay goes on.
    if who.state == "吊销":
        return ABNORMAL
    return NORMAL if planted else draws.weighted("state", _STATES)
