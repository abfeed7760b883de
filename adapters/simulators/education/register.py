"""What the register answers: match, mismatch, not found, pending. Knows no HTTP.

Rules: docs/adapters/education.md, sections 3 to 7.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.simulators.education.distortions import DISTORTIONS
from adapters.simulators.education.faults import Fault
from adapters.simulators.education.questions import Question
from adapters.simulators.education.shapes import (
    Members,
    degree_members,
    diploma_members,
    enrolment_members,
    everything_else,
)
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import Person, Population, education_record
from adapters.simulators.population.education import Degree, Diploma, education_name
from adapters.simulators.population.names import DOT, DOT_VARIANTS
from adapters.simulators.population.schooling import ELECTRONIC_FROM


class Kind(StrEnum):
    """Which of the three registers; the value is the scope of the token."""

    DIPLOMA = "diploma"
    DEGREE = "degree"
    ENROLMENT = "enrolment"


FLOOD: Final = 10_000
"""Records for a question about one person, under the fault `many_records`."""

NUMBER_MEMBERS: Final = {Kind.DIPLOMA: "zsbh", Kind.DEGREE: "xwzsbh"}
"""Which member holds the certificate number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Records that answer the question; `by_hand` when a clerk has to look first."""

    records: tuple[Members, ...]
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The certificate or the number exists, but not for who was named."""

    members: tuple[str, ...]
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Nothing of the kind is in the register; `expired` when the holder's code has ended."""

    expired: bool = False


Outcome = Found | Mismatch | Missing


class Register:
    """The department's records over the population."""

    def __init__(self, people: Population, board: FaultBoard[Fault]) -> None:
        self._people = people
        self._board = board

    def verify(self, kind: Kind, question: Question) -> Outcome:
        """Compare name, number and certificate number."""
        # By number first: only so can "not his" be told from "does not exist".
        holder = self._people.holder_of(question.certificate_no or "")
        held = _certificate(holder, kind) if holder else None
        if holder is None or held is None or held.certificate_no != question.certificate_no:
            return Missing()
        wrong = tuple(
            member
            for member, differs in (
                ("xm", not _same_name(question.full_name, education_name(holder))),
                ("zjhm", question.id_number != holder.id_number),
            )
            if differs
        )
        by_hand = _is_old(held)
        if wrong:
            return Mismatch(members=wrong, by_hand=by_hand)
        return Found(records=self._all_members(holder, kind), by_hand=by_hand)

    def query(self, kind: Kind, question: Question) -> Outcome:
        """Find the records of a person."""
        bearers = self._people.find(question.id_number)
        holders = [person for person in bearers if _holds(person, kind)]
        if not holders:
            return Missing()
        # The name decides between two people who share a number.
        named = [
            person for person in holders if _same_name(question.full_name, education_name(person))
        ]
        if not named:
            return Mismatch(members=("xm",))
        # One old diploma is enough to call the clerk.
        by_hand = any(_is_old(_certificate(person, kind)) for person in named)
        records = tuple(record for person in named for record in self._all_members(person, kind))
        if self._board.strikes(Fault.MANY_RECORDS):
            records *= FLOOD
        return Found(records=records, by_hand=by_hand)

    def query_by_code(self, kind: Kind, code: str, today: str) -> Outcome:
        """Find the record an online verification code was given for; `today` is yyyymmdd."""
        holder = self._people.holder_of_code(code)
        held = _certificate(holder, kind) if holder else None
        if holder is None or held is None or held.code != code:
            return Missing()
        if f"{held.code_until:%Y%m%d}" < today:
            return Missing(expired=True)
        return Found(records=self._all_members(holder, kind))

    def _all_members(self, person: Person, kind: Kind) -> tuple[Members, ...]:
        """Write the records, or somebody else's when a fault says so."""
        if self._board.strikes(Fault.OTHER_PERSON):
            person = self._someone_else(person, kind)
        records = _write(person, kind, revoked=self._board.strikes(Fault.DEGREE_REVOKED))
        for fault, distorted in DISTORTIONS.items():
            if self._board.strikes(fault):
                records = tuple(distorted(record) for record in records)
        if self._board.strikes(Fault.EVERY_FIELD):
            records = tuple(record | everything_else(person) for record in records)
        return records

    def _someone_else(self, person: Person, kind: Kind) -> Person:
        """Find the next person who has such a record."""
        for step in range(1, self._people.size):
            other = self._people.person((person.index + step) % self._people.size)
            if other.id_number != person.id_number and _holds(other, kind):
                return other
        return person


def _holds(person: Person, kind: Kind) -> bool:
    if kind is Kind.ENROLMENT:
        return education_record(person).enrolment is not None
    return _certificate(person, kind) is not None


def _certificate(person: Person, kind: Kind) -> Diploma | Degree | None:
    record = education_record(person)
    return record.diploma if kind is Kind.DIPLOMA else record.degree


def _is_old(certificate: Diploma | Degree | None) -> bool:
    return isinstance(certificate, Diploma) and certificate.graduation_date < ELECTRONIC_FROM


def _write(person: Person, kind: Kind, *, revoked: bool) -> tuple[Members, ...]:
    record = education_record(person)
    match kind:
        case Kind.DIPLOMA if record.diploma is not None:
            return (diploma_members(person, record.diploma),)
        case Kind.DEGREE if record.degree is not None:
            return (degree_members(person, record.degree, revoked=revoked),)
        case Kind.ENROLMENT:
            return tuple(enrolment_members(each) for each in record.enrolments)
        case _:
            return ()


def _same_name(asked: str, held: str) -> bool:
    return _one_dot(asked) == _one_dot(held)


def _one_dot(name: str) -> str:
    for variant in DOT_VARIANTS:
        name = name.replace(variant, DOT)
    return name
