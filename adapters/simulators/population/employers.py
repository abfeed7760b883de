"""Synthetic employers: valid credit codes, names and states, a pure function of (seed, number)."""

from dataclasses import dataclass
from typing import Final

from adapters.simulators.population.divisions import DIVISION_CODES, DIVISIONS
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.identity import credit_code
from adapters.simulators.population.person import Person
from adapters.simulators.population.quirks import Quirk

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_TRADES: Final = ("科技", "机械", "食品", "纺织", "物流", "建材", "化工", "医药", "农业", "商贸")

PEOPLE_PER_EMPLOYER: Final = 40
FIRST_PLANTED: Final = 20_000_000
"""Numbers from here on are those of planted people's employers: this plus the person's index."""
DRAWN: Final = 30_000
"""Ordinary employers are numbered below this."""


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
        return employer(person.seed, FIRST_PLANTED + person.index, quirk=person.quirk)
    return employer(person.seed, person.draws.below("employer", DRAWN))


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


def number_of(uscc: str) -> int | None:
    """Read the number of the employer out of a code, None when it is none of ours."""
    serial = uscc[11:16]
    if (
        len(uscc) != len("91370100MA3FAKE04Q")
        or uscc[8:11] != "MA3"
        or set(serial) - set(_ALPHABET)
    ):
        return None
    number = 0
    for character in serial:
        number = number * 31 + _ALPHABET.index(character)
    # Between the two ranges nobody is registered.
    return number if number < DRAWN or number >= FIRST_PLANTED else None


def _base31(number: int) -> str:
    """Write a number with five characters of the code's alphabet."""
    text = ""
    for _ in range(5):
        number, digit = divmod(number, 31)
        text = _ALPHABET[digit] + text
    return text
