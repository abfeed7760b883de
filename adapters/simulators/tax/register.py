"""Answers one question from the department's view of the population.

Over-returns as real departments do: all months, taxable income, other years, tax and staff.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import (
    AS_OF,
    Person,
    Population,
    Quirk,
    planted_index,
    tax_record,
)
from adapters.simulators.population.bank import account_of
from adapters.simulators.population.employers import employer_of
from adapters.simulators.population.incomes import income_tax
from adapters.simulators.population.tax_contributions import held_periods
from adapters.simulators.population.taxpayers import taxpayer_at, taxpayer_of
from adapters.simulators.tax.faults import Fault
from adapters.simulators.tax.questions import Question, Service
from adapters.simulators.tax.shapes import (
    Members,
    write_contribution,
    write_income,
    write_taxpayer,
)

MESSAGES: Final = {
    "0000": "成功",
    "1001": "查无此人",
    "1002": "名称与号码不符",
    "1003": "没有记录",
    "1004": "一号多人",
    "1005": "请求不合格",
    "1006": "暂不能处理",
}
"""`JLXX` of each `JLDM`."""

_STAMP: Final = "%Y%m%d080000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One record as answered, and what it adds to the sum of the manifest, in cents."""

    members: Members
    cents: int = 0


class Register:
    """What the department knows; faults of records strike here."""

    def __init__(self, people: Population, board: FaultBoard[Fault]) -> None:
        self._people = people
        self._board = board

    def answer(self, service: Service, question: Question | None) -> Told:
        """Answer a question; None stands for one that was not acceptable."""
        if question is None:
            return _failed("1005")
        match service:
            case Service.CONTRIBUTION | Service.INCOME:
                return self._about_person(service, question)
            case Service.TAXPAYER:
                return self._about_taxpayer(question)
            case _:
                assert_never(service)

    def _about_person(self, service: Service, question: Question) -> Told:
        bearers = self._people.find(str(question["ZJHM"]))
        if not bearers:
            return _failed("1001")
        named = [one for one in bearers if tax_record(one).full_name == question["XM"]]
        if not named:
            return _failed("1002")
        if len(named) > 1:
            return _failed("1004")
        person = named[0]
        if self._board.strikes(Fault.OTHER_PERSON):
            person = next(one for one in self._others() if one != person)
        told = _contribution(person) if service is Service.CONTRIBUTION else _income(
            person, int(question["ND"])
        )  # fmt: skip
        if self._board.strikes(Fault.EVERY_FIELD):
            told.members.update(_everything(person))
        return told

    def _others(self) -> tuple[Person, Person]:
        """Find two people who work, so that there is something to tell of one of them."""
        one, other = (
            self._people.person(planted_index(quirk))
            for quirk in (Quirk.ORDINARY_EMPLOYEE, Quirk.CONTRIBUTION_TWICE)
        )
        return one, other

    def _about_taxpayer(self, question: Question) -> Told:
        found = taxpayer_at(self._people, str(question["NSRSBH"]))
        if found is None:
            return _failed("1001")
        if question.get("NSRMC", found.name) != found.name:
            return _failed("1002")
        if self._board.strikes(Fault.OTHER_PERSON):
            others = (taxpayer_of(one.seed, employer_of(one)) for one in self._others())
            found = next(other for other in others if other != found)
        members = write_taxpayer(found)
        if self._board.strikes(Fault.UNKNOWN_STATE):
            members["NSRZT_DM"] = "99"
        if self._board.strikes(Fault.EVERY_FIELD):
            members.update({"FDDBRSJ": "13900000000", "KHZH": "6217000000000000012"})
        return Told(members=_ok(members) | {"GXSJ": f"{AS_OF:{_STAMP}}"}, cents=found.arrears)


def _contribution(person: Person) -> Told:
    entries = tax_record(person).contribution
    first, last = held_periods()
    members = _subject(person) | {"ZXQQ": first, "ZXQZ": last}
    if not entries:
        return Told(members=_none(members))
    return Told(
        members=_ok(members | {"JFMX": [write_contribution(person, entry) for entry in entries]}),
        cents=sum(entry.paid_unit + entry.paid_person for entry in entries),
    )


def _income(person: Person, year: int) -> Told:
    found = income_tax(person, year)
    if found is None:
        return Told(members=_none(_subject(person) | {"ND": year}))
    written = write_income(found, income_tax(person, year - 1))
    return Told(members=_ok(_subject(person) | written), cents=found.taxable_income)


def _subject(person: Person) -> Members:
    record = tax_record(person)
    return {
        "ZJHM": record.person_id,
        "XM": record.full_name,
        "GXSJ": f"{record.as_of:{_STAMP}}",
    }


def _everything(person: Person) -> Members:
    return {
        "LXDZ": person.household.address,
        "SJHM": f"139{person.index:08d}",
        "YHZH": account_of(person).account_no,
        "XB": person.sex,
        "MZ": person.ethnicity,
        "rawDump": f"DJZRR|{person.id_number}",
    }


def failed_now() -> Told:
    """Tell that a record cannot be dealt with at present."""
    return _failed("1006")


def _failed(code: str) -> Told:
    return Told(members={"JLDM": code, "JLXX": MESSAGES[code]})


def _ok(members: Members) -> Members:
    return {"JLDM": "0000", "JLXX": MESSAGES["0000"], **members}


def _none(members: Members) -> Members:
    return {"JLDM": "1003", "JLXX": MESSAGES["1003"], **members}
