"""Cases, consents and protected persons a sandbox begins with, for the planted people."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.port import Subject, SubjectType
from adapters.simulators.population import Planted, person_at, planted
from adapters.simulators.population.employers import employer_of
from gateway.cli.sandbox.world import DIVISION, HRSS
from gateway.credentials import load_credential
from gateway.policy.delivery import open_delivery
from gateway.policy.ports import CaseRecord, CaseState, ConsentKind, Occasion, Relation

YEAR_MS: Final = 365 * 86_400_000
SPECIAL_GRADE: Final = frozenset(
    {"ordinary_graduate", "diploma_17_digits", "mandatory_field_empty"}
)
"""Whose cases concern a senior title: M2 then needs the certificate number in clear."""
PROTECTED: Final = "protected_person"
OF_ENTERPRISES: Final = frozenset({"M6", "M9"})
"""Matters whose agreements ask about an enterprise that is a party: loans, employers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededCase:
    """One case of a planted person."""

    person: Planted = field(repr=False)
    matter: str
    number: str
    state: CaseState = CaseState.OPEN


def case_number(matter: str, person: Planted) -> str:
    """Return the number of the case a planted person has in a matter."""
    return f"SB-{matter}-{person.index:06d}"


def seed_registers(
    path: Path, key_file: Path, matters: tuple[str, ...], seed: int, now_ms: int
) -> None:
    """Open one case per planted person and matter, with consents in force for a year.

    `seed` is that of the people, which decides for whom they work.
    """
    with open_delivery(path, load_credential(key_file)) as delivery:
        for person in planted():
            subject = Subject(type=SubjectType.RESIDENT_ID, identifier=person.id_number)
            if person.name_of_case == PROTECTED:
                delivery.add_protected(subject)
            for matter in matters:
                delivery.add_case(
                    case_number(matter, person),
                    CaseRecord(
                        state=CaseState.OPEN,
                        matter=matter,
                        organisation=HRSS,
                        division=DIVISION,
                        relation=Relation.APPLICANT,
                        in_investigation=False,
                        special_grade=person.name_of_case in SPECIAL_GRADE,
                    ),
                    ((subject, Relation.APPLICANT), *_parties(seed, person, matter)),
                )
                occasion = Occasion(organisation=HRSS, matter=matter, at_ms=now_ms - 1000)
                delivery.add_consent(ConsentKind.CONSENT, subject, occasion, now_ms + YEAR_MS)


def _parties(seed: int, person: Planted, matter: str) -> tuple[tuple[Subject, Relation], ...]:
    """Return who is in a case beside the applicant: his employer, where it is about enterprises."""
    if matter not in OF_ENTERPRISES:
        return ()
    uscc = employer_of(person_at(seed, person.index)).uscc
    return ((Subject(type=SubjectType.USCC, identifier=uscc), Relation.PARTY),)
