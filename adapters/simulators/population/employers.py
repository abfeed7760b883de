"""Synthetic employers: valid credit codes, names and states, a pure function of (seed, number).

Which numbers are registered, and back from a code or a name to the number; what the commerce
register holds of each stands in `enterprises`.
"""

import re
from dataclasses import dataclass
from typing import Final

from adapters.simulators.population.divisions import DIVISION_CODES, DIVISIONS
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.identity import credit_code
from adapters.simulators.population.person import Person
from adapters.simulators.population.places import MEMBERS
from adapters.simulators.population.planting import HOUSEHOLDS
from adapters.simulators.population.quirks import Quirk

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_TRADES: Final = ("科技", "机械", "食品", "纺织", "物流", "建材", "化工", "医药", "农业", "商贸")

PEOPLE_PER_EMPLOYER: Final = 40

ORDINARY: Final = range(30_000)
"""Numbers of employers people can have."""
FORMER: Final = range(40_000, 70_000)
"""Numbers of enterprises nobody works for any more; about three in ten of them exist."""
PLANTED_FROM: Final = 20_000_000
"""A planted person's employer has this number plus his index."""

_NAME: Final = re.compile(r"示例..([1-9][0-9]{0,7}|0)号")
_NUMBER_IN_CODE: Final = slice(8, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Employer:
    """A company or, with code 92, a sole trader."""

    number: int
    uscc: str
    name: str
    state: str
    division: str


def employer_of(person: Person) -> Employer:
    """Find the employer of a person; planted people have one to themselves."""
    # Far above the drawn numbers, so no ordinary person shares a planted employer.
    if person.quirk is not None:
        return employer(person.seed, PLANTED_FROM + person.index, quirk=person.quirk)
    return employer(person.seed, person.draws.below("employer", len(ORDINARY)))


def employer(seed: int, number: int, *, quirk: Quirk | None = None) -> Employer:
    """Build the employer with this number."""
    draws = Draws(seed=seed, scope="employer", index=number)
    division = draws.pick("division", DIVISION_CODES)
    sole = quirk is Quirk.SOLE_TRADER or (quirk is None and draws.chance("sole", per_mille=100))
    trade = draws.pick("trade", _TRADES)
    name = f"{DIVISIONS[division]}示例{trade}{number}号"
    return Employer(
        number=number,
        uscc=credit_code("92" if sole else "91", division, f"MA3{_base31(number)}"),
        name=name + ("商店" if sole else "有限公司"),
        state="吊销" if quirk is Quirk.EMPLOYER_REVOKED else "在营",
        division=division,
    )


def registered(seed: int, number: int) -> Employer | None:
    """Find the employer or former enterprise with this number, None where there never was one."""
    if number in ORDINARY:
        return employer(seed, number)
    if number in FORMER:
        existed = Draws(seed=seed, scope="employer", index=number).chance("former", per_mille=300)
        return employer(seed, number) if existed else None
    head = number - PLANTED_FROM
    # Only heads of planted households have an employer to themselves.
    if head not in range(0, len(HOUSEHOLDS) * MEMBERS, MEMBERS):
        return None
    return employer(seed, number, quirk=HOUSEHOLDS[head // MEMBERS].quirk)


def find_by_code(seed: int, uscc: str) -> Employer | None:
    """Find who has a credit code."""
    body = uscc[_NUMBER_IN_CODE]
    if not body.startswith("MA3") or not set(body[3:]) <= set(_ALPHABET):
        return None
    number = 0
    for character in body[3:]:
        number = number * 31 + _ALPHABET.index(character)
    found = registered(seed, number)
    # The rest of the code must be his as well: a guess does not find him.
    return found if found is not None and found.uscc == uscc else None


def find_by_name(seed: int, name: str) -> Employer | None:
    """Find who bears a name, to the last character."""
    numbered = _NAME.search(name)
    found = registered(seed, int(numbered[1])) if numbered else None
    return found if found is not None and found.name == name else None


def _base31(number: int) -> str:
    """Write a number with five characters of the code's alphabet."""
    text = ""
    for _ in range(5):
        number, digit = divmod(number, 31)
        text = _ALPHABET[digit] + text
    return text
