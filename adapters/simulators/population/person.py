"""A synthetic person: who he is and the events of his life that several departments record.

Knows no department's view. INVARIANT: `person_at(seed, index)` is a pure function; nothing is
stored.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from adapters.simulators.population.disagreements import Disagreement, disagreement_of
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.household import (
    Household,
    ethnicity_of,
    household_of,
    name_of,
    sex_of,
)
from adapters.simulators.population.identity import birth_of
from adapters.simulators.population.names import former_name
from adapters.simulators.population.places import MEMBERS, Role, member_number, role_of
from adapters.simulators.population.planting import borrowed_place
from adapters.simulators.population.quirks import DEAD, NOT_CANCELLED, Quirk

AS_OF: Final = date(2026, 11, 1)
"""The day the registers were last brought up to date: no event of any life lies after it."""

ADULT: Final = 18

_CAUSES: Final = ("心血管疾病", "脑血管疾病", "恶性肿瘤", "呼吸系统疾病", "意外伤害")

# Share of the dead by age, per mille; ages up to the bound.
_MORTALITY: Final = ((18, 0), (50, 3), (65, 20), (75, 60), (85, 200), (95, 500), (200, 850))


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a life ended; `cause` must never leave the health department."""

    day: date
    cause: str
    cremated_at: datetime | None
    facility: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Why and when the household registration was cancelled."""

    day: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person of the population."""

    seed: int
    index: int
    id_number: str
    full_name: str
    former_name: str | None
    sex: str
    ethnicity: str
    birth_date: date
    role: Role
    household: Household
    quirk: Quirk | None
    drawn_disagreement: Disagreement | None
    death: Death | None
    cancellation: Cancellation | None
    moved_out: date | None

    @property
    def draws(self) -> Draws:
        """The person's own scope of draws."""
        return Draws(seed=self.seed, scope="person", index=self.index)

    @property
    def division(self) -> str:
        """County of the household registration (GB/T 2260)."""
        return self.household.place.division

    @property
    def age(self) -> int:
        """Full years on the day of the registers, whether alive or not."""
        return years_between(self.birth_date, AS_OF)


def years_between(first: date, last: date) -> int:
    """Count full years from one day to another."""
    return last.year - first.year - ((last.month, last.day) < (first.month, first.day))


def index_of(household: Household, member: int) -> int:
    """Number the member 0-3 of a household."""
    return household.number * MEMBERS + member


@lru_cache(maxsize=8192)
def person_at(seed: int, index: int) -> Person:
    """Build the person with this index."""
    household = household_of(seed, index)
    role = role_of(household.place, index % MEMBERS)
    sex = sex_of(household, role)
    quirk = household.quirk if role is Role.HEAD else None
    # Only the head of a planted household can carry another's number.
    own_place = borrowed_place(household.number) if quirk else household.place
    name = name_of(household, role)
    number = member_number(seed, own_place, role, sex)
    birth = birth_of(number) or AS_OF
    draws = Draws(seed=seed, scope="person", index=index)
    death = _death(draws, birth, quirk)
    renamed = quirk is None and draws.chance("renamed", per_mille=20)
    return Person(
        seed=seed,
        index=index,
        id_number=number,
        full_name=name,
        former_name=former_name(draws, name) if renamed else None,
        sex=sex,
        ethnicity=ethnicity_of(household),
        birth_date=birth,
        role=role,
        household=household,
        quirk=quirk,
        drawn_disagreement=None if household.quirk else disagreement_of(draws),
        death=death,
        cancellation=_cancellation(draws, birth, death, quirk),
        moved_out=date(2021, 5, 6) if quirk is Quirk.MOVED_OUT else None,
    )


def _death(draws: Draws, birth: date, quirk: Quirk | None) -> Death | None:
    age = years_between(birth, AS_OF)
    # Deaths of all earlier years count: this is who is dead now, not who dies this year.
    share = next(share for bound, share in _MORTALITY if age < bound)
    # Chance kills nobody who is planted for something else.
    if quirk not in DEAD and (quirk is not None or not draws.chance("death", per_mille=share)):
        return None
    if quirk is Quirk.CREMATED_NOT_CANCELLED:
        day = AS_OF - timedelta(days=730)
    else:
        day = draws.day("death/day", AS_OF - timedelta(days=2900), AS_OF - timedelta(days=60))
    hours = 24 + draws.below("cremation/hours", 72)
    cremated = quirk is not Quirk.DEAD_IN_PS_ALIVE_IN_CA and draws.chance("cremated", per_mille=950)
    if quirk in DEAD and quirk is not Quirk.DEAD_IN_PS_ALIVE_IN_CA:
        cremated = True
    at = datetime.combine(day, time(8)) + timedelta(hours=hours)
    return Death(
        day=day,
        cause=draws.pick("cause", _CAUSES),
        cremated_at=at if cremated else None,
        facility=f"殡仪馆{draws.below('facility', 90) + 10}号厅",
    )


def _cancellation(
    draws: Draws, birth: date, death: Death | None, quirk: Quirk | None
) -> Cancellation | None:
    if death is not None:
        # The family never went to the police station.
        if quirk in NOT_CANCELLED:
            return None
        return Cancellation(
            day=death.day + timedelta(days=2 + draws.below("cancel", 40)), reason="死亡"
        )
    abroad = (
        quirk is None
        and years_between(birth, AS_OF) >= ADULT
        and draws.chance("abroad", per_mille=2)
    )
    if abroad or quirk is Quirk.EMIGRANT:
        return Cancellation(day=draws.day("abroad/day", date(2010, 1, 1), AS_OF), reason="出国定居")
    return None
