"""When a person began to be insured, whether he still pays, and when he retired."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.people import disagreement
from adapters.simulators.population.person import ADULT, AS_OF, Person
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.schooling import schooling_of, study_of


class State(StrEnum):
    """State of participation, as the HRSS writes it."""

    INSURED = "参保"
    INTERRUPTED = "中断"
    ENDED = "终止"
    RECEIVING = "领取"


@dataclass(frozen=True, slots=True, kw_only=True)
class Career:
    """An insured life; `urban` employees' insurance, else that of residents."""

    first: date
    state: State
    urban: bool
    retired: date | None


_EMPLOYED = frozenset(
    {
        Quirk.ORDINARY_EMPLOYEE,
        Quirk.EMPLOYER_REVOKED,
        Quirk.SOLE_TRADER,
        Quirk.LEGAL_REP_CHANGED,
        Quirk.CONTRIBUTION_TWICE,
        Quirk.UNEMPLOYED,
        Quirk.QUALIFICATION_REVOKED,
        Quirk.TAX_PERIOD_WRONG,
        Quirk.TAX_REFUND_NEGATIVE,
        Quirk.OFFICER_WITH_RELATIVE,
    }
)


def career_of(person: Person) -> Career | None:
    """Tell the insured life of a person, None for the young and for a few who never joined."""
    draws = person.draws
    if person.age < ADULT or study_of(person) is not None:
        return None
    if person.quirk is None and draws.chance("never", per_mille=30):
        return None
    urban = person.quirk is not None or draws.chance("urban", per_mille=450)
    schooling = schooling_of(person)
    begin = date(person.birth_date.year + 18, 8, 1)
    if schooling and urban:
        begin = max(begin, date(schooling.graduated.year, 8, 1))
    # Employees are insured since 1992, residents since 2010; nothing begins after the registers.
    first = min(max(begin, date(1992, 1, 1) if urban else date(2010, 1, 1)), date(2026, 8, 1))
    retired = _retirement(person, urban=urban)
    return Career(
        first=min(first, retired or first),
        state=_state(person, retired),
        urban=urban,
        retired=retired,
    )


def _retirement(person: Person, *, urban: bool) -> date | None:
    """First day of the month after reaching the age: 60, women in urban insurance 55."""
    age = 55 if urban and person.sex == "2" else 60
    year, month = person.birth_date.year + age, person.birth_date.month % 12 + 1
    # Pensions begin in the month after the birthday.
    day = date(year + (1 if month == 1 else 0), month, 1)
    end = person.death.day if person.death else AS_OF
    return day if day <= end and person.quirk not in _EMPLOYED else None


def _state(person: Person, retired: date | None) -> State:
    # The HRSS has not heard of the death: by disagreement or by plan.
    lagging = disagreement(person) is Disagreement.HRSS_STATE_LAG or person.quirk in {
        Quirk.DEAD_PENSION_PAID,
        Quirk.CREMATED_NOT_CANCELLED,
        Quirk.DEAD_IN_CA_ALIVE_IN_PS,
    }
    gone = person.cancellation is not None or person.death is not None
    if gone and not lagging:
        return State.ENDED
    if retired is not None:
        return State.RECEIVING
    interrupted = person.quirk is Quirk.UNEMPLOYED or (
        person.quirk is None and person.draws.chance("interrupted", per_mille=100)
    )
    return State.INTERRUPTED if interrupted else State.INSURED
