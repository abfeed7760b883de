"""What the registers answer about a person (the manual, 3.3 and 3.4). Knows no HTTP.

INVARIANT: a wrong name and an unknown number give the same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.simulators.civil_affairs.questions import Question, Service
from adapters.simulators.civil_affairs.shapes import (
    assistance_lines,
    child_lines,
    cremation_lines,
    cremation_members,
    marriage_lines,
    needy_members,
    to_members,
)
from adapters.simulators.form_signing import Members
from adapters.simulators.population import CivilAffairsRecord, Population, civil_affairs_record
from adapters.simulators.population.civil_affairs import late_husbands
from adapters.simulators.population.household import Household
from adapters.simulators.population.names import DOT, DOT_VARIANTS
from adapters.simulators.population.places import MEMBERS
from adapters.simulators.population.planting import planted_index
from adapters.simulators.population.quirks import Quirk

NO_MATCH: Final = "匹配不成功"
"""Said inside a success."""

_RESULT: Final = (
    "op_type",
    "op_type_desc",
    "op_date",
    "reg_state",
    "cert_num_man",
    "name_man",
    "cert_num_woman",
    "name_woman",
    "folk_man",
    "folk_woman",
    "nation_man",
    "nation_woman",
)
_SWAPPED: Final = ("name", "cert_num", "nation", "folk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Somebody the department knows; `key` numbers what it holds of him."""

    record: CivilAffairsRecord
    home: Household
    key: str


class Registers:
    """The department's records over the population."""

    def __init__(self, people: Population) -> None:
        self._people = people
        self._late = late_husbands(people)

    def bearer_at(self, index: int) -> Bearer:
        """Know the person with this index."""
        person = self._people.person(index)
        return Bearer(
            record=civil_affairs_record(person), home=person.household, key=f"{index:09d}"
        )

    def everyone(self) -> Iterator[Bearer]:
        """Know everybody: the population in order, then whom no other department knows."""
        for index in range(self._people.size):
            yield self.bearer_at(index)
        for number in self._late:
            yield self._late_bearer(number)

    def rows(self, service: Service, question: Question) -> list[Members]:
        """Find the lines that answer a question; of a couple, those that name both."""
        name, number = question.asked[0]
        found = [bearer for bearer in self._bearers(number) if _named(bearer, name)]
        rows = [row for bearer in found for row in self.lines(service, bearer)]
        if service is Service.MARRIAGE_BOTH:
            return self._of_both(question, rows, found)
        return rows

    def other_rows(self, service: Service, question: Question) -> list[Members]:
        """Find the lines of the next person who has any (fault `other_person`)."""
        asked = {number for _, number in question.asked}
        first = max((found.index for found in self._people.find(question.asked[0][1])), default=0)
        for step in range(1, self._people.size):
            bearer = self.bearer_at((first + step) % self._people.size)
            # Not his family either: the spouse's line would name him.
            related = bearer.home.number == first // MEMBERS
            rows = [] if related else self.lines(service, bearer)
            if rows and bearer.record.person_id not in asked:
                return rows
        return []

    def lines(self, service: Service, bearer: Bearer) -> list[Members]:
        """Write the lines of one person as a service sends them, oldest first."""
        record, key = bearer.record, bearer.key
        match service:
            case Service.MARRIAGE_ONE | Service.MARRIAGE_BOTH | Service.MARRIAGE_RECORD:
                return [
                    to_members(line)
                    for registration, line in marriage_lines(bearer.home, record.as_of)
                    if registration.names(record.person_id)
                ]
            case Service.CREMATION:
                return [
                    cremation_members(to_members(line)) for line in cremation_lines(record, key)
                ]
            case Service.LOW_INCOME:
                return [to_members(line) for line in assistance_lines(record, key)]
            case Service.ADOPTION | Service.NEEDY_CHILD:
                rows = [to_members(line) for line in child_lines(record, key)]
                adopting = service is Service.ADOPTION
                wanted = [row for row in rows if (row["child_type"] == "1") == adopting]
                return wanted if adopting else [needy_members(row) for row in wanted]

    def _bearers(self, number: str) -> list[Bearer]:
        if number in self._late:
            return [self._late_bearer(number)]
        return [self.bearer_at(found.index) for found in self._people.find(number)]

    def _late_bearer(self, number: str) -> Bearer:
        index = planted_index(Quirk.REMARRIED_WIDOW)
        home = self._people.person(index).household
        return Bearer(record=self._late[number], home=home, key=f"{index:09d}Q")

    def _of_both(self, question: Question, rows: list[Members], men: list[Bearer]) -> list[Members]:
        # By sex: who is put into the other's place matches nobody.
        (_, man), (woman_name, woman) = question.asked
        women = [bearer for bearer in self._bearers(woman) if _named(bearer, woman_name)]
        wanted = {
            line.biz_id
            for bearer in men
            for registration, line in marriage_lines(bearer.home, bearer.record.as_of)
            if (registration.man.id_number, registration.woman.id_number) == (man, woman)
        }
        return [row for row in rows if women and row["biz_id"] in wanted]


def result_of(service: Service, question: Question, rows: list[Members]) -> Members:
    """Write the one result of a verification: the last of these registrations, or no match."""
    if not rows:
        return {**dict.fromkeys((*_RESULT, "marry_status"), ""), "op_type_desc": NO_MATCH}
    last, asked = rows[-1], question.asked[0][1]
    own = "man" if _is_man(asked) else "woman"
    result = {member: last[member] for member in _RESULT}
    result["marry_status"] = last[f"marry_status_{own}"]
    # In the question about one person `man` is whoever was asked about.
    if service is Service.MARRIAGE_ONE and own == "woman":
        for member in _SWAPPED:
            result[f"{member}_man"] = last[f"{member}_woman"]
            result[f"{member}_woman"] = last[f"{member}_man"]
    return result


def _is_man(number: str) -> bool:
    return int(number[16]) % 2 == 1


def _named(bearer: Bearer, name: str) -> bool:
    return _one_dot(bearer.record.full_name) == _one_dot(name)


def _one_dot(name: str) -> str:
    for variant in DOT_VARIANTS:
        name = name.replace(variant, DOT)
    return name
