"""What the members of a household share: names, sexes, address, the couple's marriage.

Knows no department. Everything is drawn from the household's own scope, so each member sees the
same.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from adapters.simulators.population.divisions import DIVISIONS, PROVINCE
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.names import given_name, minority_name, surname
from adapters.simulators.population.places import (
    MEMBERS,
    Place,
    Role,
    birth_date,
    place_of,
    role_of,
)
from adapters.simulators.population.planting import planted_household
from adapters.simulators.population.quirks import Quirk

_STREETS: Final = ("和平", "解放", "文化", "建设", "泉城", "东风", "新华", "齐鲁", "黄河", "幸福")
_VILLAGES: Final = ("李家", "王庄", "前河", "后岭", "东关", "西堤", "南洼", "北营", "柳行", "杏花")


class Bond(StrEnum):
    """What became of the couple of a household."""

    MARRIED = "married"
    DIVORCED = "divorced"
    NEVER = "never"


_BONDS: Final = ((Bond.MARRIED, 860), (Bond.DIVORCED, 80), (Bond.NEVER, 60))
"""Shares per mille."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """The shared facts of up to four people."""

    seed: int
    number: int
    place: Place
    quirk: Quirk | None
    head_sex: str
    bond: Bond
    wedding: date
    address: str
    village_code: str

    @property
    def draws(self) -> Draws:
        """The household's own scope of draws."""
        return Draws(seed=self.seed, scope="household", index=self.number)


@lru_cache(maxsize=4096)
def household_of(seed: int, index: int) -> Household:
    """Build the household of the person with this index."""
    number = index // MEMBERS
    planted = planted_household(number)
    place = planted.place if planted else place_of(seed, number)
    draws = Draws(seed=seed, scope="household", index=number)
    return Household(
        seed=seed,
        number=number,
        place=place,
        quirk=planted.quirk if planted else None,
        head_sex=planted.sex if planted else draws.pick("head/sex", "12"),
        bond=_bond(draws, planted.quirk if planted else None),
        wedding=_wedding(seed, place, draws),
        address=_address(place, draws, number),
        village_code=_village_code(place, draws),
    )


def sex_of(household: Household, role: Role) -> str:
    """Tell the sex of a member: 1 male, 2 female (GB/T 2261.1)."""
    match role:
        case Role.HEAD:
            return household.head_sex
        case Role.SPOUSE:
            return "2" if household.head_sex == "1" else "1"
        # Children and parents are of either sex, the couple is not (Civil Code 1046 ff.).
        case Role.CHILD | Role.PARENT | Role.SECOND_CHILD:
            return household.draws.pick(f"sex/{role.name}", "12")


def name_of(household: Household, role: Role) -> str:
    """Name a member; children bear the father's family name, a father the head's."""
    planted = planted_household(household.number)
    if role is Role.HEAD and planted:
        return planted.full_name
    draws = Draws(seed=household.seed, scope=f"name/{role.name}", index=household.number)
    if ethnicity_of(household) == "05":
        return minority_name(draws)
    return _surname_of(household, role) + given_name(draws)


def ethnicity_of(household: Household) -> str:
    """Tell the ethnic group (GB/T 3304): 01 Han, 03 Hui, 05 Uyghur, 11 Manchu."""
    planted = planted_household(household.number)
    if planted:
        return "05" if "\u00b7" in planted.full_name else "01"
    # Shandong has few minorities; two percent is more than the truth and shows more cases.
    place_in_hundred = household.draws.below("ethnicity", 200)
    return {0: "05", 1: "03", 2: "03", 3: "11"}.get(place_in_hundred, "01")


def _surname_of(household: Household, role: Role) -> str:
    own = surname(Draws(seed=household.seed, scope=f"name/{role.name}", index=household.number))
    planted = planted_household(household.number)
    draws = Draws(seed=household.seed, scope="name/HEAD", index=household.number)
    head = planted.full_name[0] if planted else surname(draws)
    match role:
        case Role.HEAD:
            return head
        case Role.SPOUSE:
            return own
        case Role.PARENT:
            return head if sex_of(household, role) == "1" else own
        case Role.CHILD | Role.SECOND_CHILD:
            return head if household.head_sex == "1" else _surname_of(household, Role.SPOUSE)


def _bond(draws: Draws, quirk: Quirk | None) -> Bond:
    if quirk is Quirk.DIVORCED_BY_COURT:
        return Bond.DIVORCED
    # A planted household is ordinary in all but its one case.
    if quirk is not None:
        return Bond.MARRIED
    return draws.weighted("bond", _BONDS)


def _wedding(seed: int, place: Place, draws: Draws) -> date:
    """One to two years before the first child."""
    child = birth_date(seed, place, role_of(place, Role.CHILD))
    return child - timedelta(days=300 + draws.below("wedding", 500))


def _village_code(place: Place, draws: Draws) -> str:
    """Compose twelve digits: county, town, village."""
    town, village = draws.below("town", 14) + 100, draws.below("village", 40) + 200
    return f"{place.division}{town}{village}"


def _address(place: Place, draws: Draws, number: int) -> str:
    # The household number makes the address a canary.
    where = PROVINCE + DIVISIONS[place.division]
    if draws.chance("rural", per_mille=400):
        return f"{where}{draws.pick('village/name', _VILLAGES)}村{number}号"
    street = draws.pick("street", _STREETS)
    unit, room = draws.below("unit", 6) + 1, draws.below("floor", 28) * 100 + 101
    return f"{where}{street}路{number}号{unit}单元{room}室"
