"""What the register answers: found, not found, another name, a sole trader. Knows no HTTP.

Rules: docs/adapters/commerce.md, sections 4 to 7.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from adapters.simulators.commerce.faults import Fault
from adapters.simulators.commerce.questions import Question
from adapters.simulators.commerce.refusals import Json, Members
from adapters.simulators.commerce.shapes import (
    DATE_MEMBERS,
    enterprise_members,
    position_members,
    same_name,
    swap_date,
    trader_members,
    verification_members,
)
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import Person, Population
from adapters.simulators.population.commerce import (
    EnterpriseRecord,
    Position,
    enterprise_record,
    positions_of,
)
from adapters.simulators.population.employers import (
    ORDINARY,
    Employer,
    find_by_code,
    find_by_name,
)
from adapters.simulators.population.enterprises import RegisterState, enterprise_at

FLOOD: Final = 10_000
"""Records for a question about one, under the fault `many_records`."""

UNHEARD_OF: Final = "列入异常.待核"
"""A state that is not in the closed list, under the fault `unknown_state`."""

Answer = tuple[str, list[Members]]
"""Code and records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was entered since the start: the new state, and when."""

    state: RegisterState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The department's records over the population."""

    people: Population
    board: FaultBoard[Fault]
    entered: dict[int, Entry] = field(default_factory=dict)

    def base(self, question: Question) -> Answer:
        """Find a company by code or name."""
        found = self.find(question.get("uniscid"), question.get("entname"))
        if found is None:
            return "2004", []
        if found.sole:
            return "2006", []
        return self._answer([self._write(found, sole=False)])

    def verify(self, question: Question) -> Answer:
        """Compare what is declared of a company with what is held."""
        found = self.find(question["uniscid"], None)
        if found is None:
            return "2004", []
        if found.sole:
            return "2006", []
        if self.board.strikes(Fault.OTHER_ENTITY):
            found = self._another(found)
        leak = self.board.strikes(Fault.OUT_VAL_LEAK)
        return self._answer([self._extend(verification_members(found, question, leak=leak), found)])

    def trader(self, question: Question) -> Answer:
        """Find a sole trader by code or name."""
        found = self.find(question.get("epbno"), question.get("traname"))
        if found is None or not found.sole:
            return "2004", []
        return self._answer([self._write(found, sole=True)])

    def positions(self, question: Question) -> Answer:
        """Find what a person is to which enterprises."""
        bearers = self.people.find(question["cerno"])
        held = [(person, one) for person in bearers for one in positions_of(person).entity_list]
        if not held:
            return "2004", []
        # The name decides between two people who share a number.
        # All of his rows then: one that is misspelt is his as well.
        meant = {
            person.index for person, one in held if same_name(question["name"], one.person_name)
        }
        named = [pair for pair in held if pair[0].index in meant]
        if not named:
            return "2005", []
        if self.board.strikes(Fault.OTHER_ENTITY):
            named = self._somebody_else(named[0][0])
        return self._answer([self._write_position(person, one) for person, one in named])

    def find(self, uscc: str | None, name: str | None) -> EnterpriseRecord | None:
        """Find what is held of an enterprise now."""
        seed = self.people.seed
        employer = find_by_code(seed, uscc) if uscc else find_by_name(seed, name or "")
        return self.record(employer) if employer else None

    def record(self, employer: Employer) -> EnterpriseRecord | None:
        """Write an enterprise as it stands now."""
        enterprise = enterprise_at(self.people.seed, employer.number)
        entry = self.entered.get(employer.number)
        if enterprise is not None and entry is not None:
            enterprise = replace(enterprise, state=entry.state, approved=entry.at)
        return enterprise_record(enterprise) if enterprise else None

    def _write(self, record: EnterpriseRecord, *, sole: bool) -> Members:
        if self.board.strikes(Fault.OTHER_ENTITY):
            record = self._another(record)
        return self._extend(trader_members(record) if sole else enterprise_members(record), record)

    def _write_position(self, person: Person, position: Position) -> Members:
        employer = find_by_code(person.seed, position.enterprise.uscc)
        current = self.record(employer) if employer else None
        position = replace(position, enterprise=current or position.enterprise)
        return self._extend(position_members(position, person.id_number), position.enterprise)

    def _extend(self, members: Members, record: EnterpriseRecord) -> Members:
        """Add what nobody should ever see (fault `every_field`)."""
        if self.board.strikes(Fault.EVERY_FIELD):
            members["famaddr"] = record.home
            members["rawDump"] = f"CM-ALL-{record.uscc}-{record.legal_rep_id}"
        return members

    def _answer(self, items: list[Members]) -> Answer:
        """Distort the records as the faults say."""
        if self.board.strikes(Fault.DATES_SWAPPED):
            items = [_swap_dates(item) for item in items]
        if self.board.strikes(Fault.UNKNOWN_STATE):
            items = [{**item, "regstateCn": UNHEARD_OF} for item in items]
        if self.board.strikes(Fault.REVOKED_NOT_CANCELLED):
            items = [{**item, "regstateCn": RegisterState.REVOKED.value} for item in items]
        if self.board.strikes(Fault.NAME_EMPTY):
            items = [_without_name(item) for item in items]
        if self.board.strikes(Fault.MISSING_FIELD):
            items = [{k: v for k, v in item.items() if k != "regstateCn"} for item in items]
        # A verification is one answer, never a list of records.
        if "ent_idx" not in items[0] and self.board.strikes(Fault.MANY_RECORDS):
            items = items[:1] * FLOOD
        return "2000", items

    def _another(self, record: EnterpriseRecord) -> EnterpriseRecord:
        """Find the next enterprise of the same kind."""
        for number in ORDINARY:
            enterprise = enterprise_at(self.people.seed, number)
            if enterprise and enterprise.sole == record.sole:
                other = enterprise_record(enterprise)
                if other.uscc != record.uscc:
                    return other
        return record

    def _somebody_else(self, person: Person) -> list[tuple[Person, Position]]:
        """Find the next person with a position."""
        for step in range(1, self.people.size):
            other = self.people.person((person.index + step) % self.people.size)
            held = positions_of(other).entity_list
            if held and other.id_number != person.id_number:
                return [(other, one) for one in held]
        return []


def _swap_dates(item: Members) -> Members:
    return {
        name: swap_date(value) if name in DATE_MEMBERS and isinstance(value, int) else value
        for name, value in item.items()
    }


def _without_name(item: Members) -> Members:
    index = item.get("ent_idx")
    if isinstance(index, dict):
        nameless: dict[str, Json] = {**index, "entname": ""}
        return {**item, "ent_idx": nameless}
    return {name: "" if name in {"entname", "traname"} else item[name] for name in item}
