"""What became of an enterprise and who stands behind it, a pure function of (seed, number).

Three households in a row own one enterprise and, where it exists, one former enterprise, so the
positions of a person are found by arithmetic. INVARIANT: whoever stands behind an enterprise is a
person of the same seed; in a small population his index may lie beyond its size.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from adapters.simulators.population.disagreements import (
    EnterpriseDisagreement,
    enterprise_disagreement,
)
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.employers import (
    FORMER,
    ORDINARY,
    PLANTED_FROM,
    Employer,
    registered,
)
from adapters.simulators.population.person import AS_OF, Person, person_at
from adapters.simulators.population.places import MEMBERS
from adapters.simulators.population.planting import HOUSEHOLDS
from adapters.simulators.population.quirks import Quirk

SOLE_TRADER: Final = "92"
"""First two characters of a sole trader's credit code (GB 32100)."""

_GROUP: Final = 3
"""Households that own one enterprise between them."""

_OWNERS: Final = frozenset(
    {
        Quirk.SOLE_TRADER,
        Quirk.LEGAL_REP_CHANGED,
        Quirk.EMPLOYER_REVOKED,
        Quirk.TWO_PEOPLE_ONE_ID,
    }
)
"""Planted people who stand behind their employer themselves; of others it is the spouse."""

_LAST_FOUNDED: Final = date(2017, 12, 31)
"""Before the first labour contract of the HRSS view."""


class RegisterState(StrEnum):
    """State of registration, as the register writes it."""

    ACTIVE = "存续（在营、开业、在册）"
    SUSPENDED = "歇业"
    REVOKED = "吊销.未注销"
    REVOKED_CANCELLED = "吊销.已注销"
    CANCELLED = "注销"
    MOVED = "迁出"


_ENDS: Final = (
    (RegisterState.CANCELLED, 600),
    (RegisterState.REVOKED_CANCELLED, 150),
    (RegisterState.REVOKED, 100),
    (RegisterState.SUSPENDED, 100),
    (RegisterState.MOVED, 50),
)
"""What became of former enterprises; shares per mille."""

_CAPITALS: Final = (100_000, 300_000, 375_500, 500_000, 1_000_000, 5_000_000, 10_000_000)
"""Yuan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of the capital: whose, how many yuan, how many hundredths of a percent."""

    holder: Person
    yuan: int
    hundredths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enterprise:
    """An employer as a legal person; `capital` in yuan, `shares` the largest first."""

    employer: Employer
    representative: Person
    predecessor: Person | None
    state: RegisterState
    founded: date
    approved: datetime
    valid_to: date | None
    capital: int
    shares: tuple[Share, ...]
    disagreement: EnterpriseDisagreement | None

    @property
    def sole(self) -> bool:
        """Tell whether this is a sole trader."""
        return self.employer.uscc.startswith(SOLE_TRADER)


def enterprise_at(seed: int, number: int) -> Enterprise | None:
    """Build the enterprise with this number, None where there never was one."""
    employer = registered(seed, number)
    if employer is None:
        return None
    draws = Draws(seed=seed, scope="enterprise", index=number)
    differs = enterprise_disagreement(draws) if number in ORDINARY else None
    behind, partner, predecessor = _people_behind(seed, number)
    founded = _founded(draws, behind)
    sole = employer.uscc.startswith(SOLE_TRADER)
    state = _state(draws, employer, differs)
    capital = 0 if sole else draws.pick("capital", _CAPITALS)
    shared = partner is not None and not sole and draws.chance("shared", per_mille=600)
    return Enterprise(
        employer=employer,
        representative=behind,
        predecessor=predecessor,
        state=state,
        founded=founded,
        approved=_approved(draws, founded, state, changed=predecessor is not None),
        valid_to=None if sole or draws.chance("endless", per_mille=300) else _term(founded),
        capital=capital,
        shares=() if sole else _shares(draws, capital, behind, partner if shared else None),
        disagreement=differs,
    )


def enterprises_of(person: Person) -> tuple[Enterprise, ...]:
    """Find the enterprises a person stands behind: represents, owns a part of, trades as."""
    household = person.index // MEMBERS
    if household < len(HOUSEHOLDS):
        numbers: tuple[int, ...] = (PLANTED_FROM + household * MEMBERS,)
    else:
        group = (household - len(HOUSEHOLDS)) // _GROUP
        # Beyond the last employer people own nothing.
        numbers = (group, FORMER.start + group) if group in ORDINARY else ()
    found = (enterprise_at(person.seed, number) for number in numbers)
    return tuple(one for one in found if one is not None and _stands_behind(person, one))


def _stands_behind(person: Person, enterprise: Enterprise) -> bool:
    holders = {share.holder.index for share in enterprise.shares}
    return person.index in holders | {enterprise.representative.index}


def _people_behind(seed: int, number: int) -> tuple[Person, Person | None, Person | None]:
    """Name representative, partner and predecessor of the representative."""
    if number >= PLANTED_FROM:
        head = person_at(seed, number - PLANTED_FROM)
        spouse = person_at(seed, head.index + 1)
        changed = head.quirk is Quirk.LEGAL_REP_CHANGED
        return head if head.quirk in _OWNERS else spouse, None, spouse if changed else None
    former = number in FORMER
    group = number - FORMER.start if former else number
    turn = Draws(seed=seed, scope="enterprise", index=group).below("owner", _GROUP)
    first = len(HOUSEHOLDS) + _GROUP * group
    if former:
        return _adult(seed, first + (turn + 2) % _GROUP), None, None
    return _adult(seed, first + turn), _adult(seed, first + (turn + 1) % _GROUP), None


def _adult(seed: int, household: int) -> Person:
    """Choose head or spouse: who is alive, else the head, whom nobody has replaced yet."""
    couple = [person_at(seed, household * MEMBERS + member) for member in (0, 1)]
    if Draws(seed=seed, scope="enterprise/owner", index=household).chance("spouse", per_mille=300):
        couple.reverse()
    living = [one for one in couple if one.death is None and one.cancellation is None]
    return living[0] if living else couple[0]


def _founded(draws: Draws, behind: Person) -> date:
    # Nobody stands behind an enterprise before he is of age.
    of_age = date(behind.birth_date.year + 19, 1, 1)
    return draws.day("founded", max(of_age, date(1995, 1, 1)), _LAST_FOUNDED)


def _state(
    draws: Draws, employer: Employer, differs: EnterpriseDisagreement | None
) -> RegisterState:
    if employer.state == "吊销" or differs is EnterpriseDisagreement.REVOKED_STILL_INSURING:
        return RegisterState.REVOKED
    if employer.number in FORMER:
        return draws.weighted("end", _ENDS)
    return RegisterState.ACTIVE


def _approved(draws: Draws, founded: date, state: RegisterState, *, changed: bool) -> datetime:
    """Tell when the last change was entered: yesterday, where the representative changed."""
    day = draws.day("approved", founded + timedelta(days=400), AS_OF - timedelta(days=30))
    if state is not RegisterState.ACTIVE:
        day = draws.day("ended", AS_OF - timedelta(days=2000), AS_OF - timedelta(days=30))
    at = time(9 + draws.below("hour", 8), draws.below("minute", 60))
    return datetime.combine(AS_OF - timedelta(days=1) if changed else day, at)


def _term(founded: date) -> date:
    """Forty years, to the day before."""
    return date(founded.year + 40, founded.month, 1) - timedelta(days=1)


def _shares(
    draws: Draws, capital: int, behind: Person, partner: Person | None
) -> tuple[Share, ...]:
    if partner is None:
        return (Share(holder=behind, yuan=capital, hundredths=10_000),)
    larger = draws.pick("share", (5_100, 6_000, 7_000, 8_500))
    most = Share(holder=behind, yuan=capital * larger // 10_000, hundredths=larger)
    rest = Share(holder=partner, yuan=capital - most.yuan, hundredths=10_000 - larger)
    return most, rest
