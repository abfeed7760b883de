"""Cases, consents and protected persons a sandbox begins with, for the planted people."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.port import Subject, SubjectType
from adapters.simulators.population import Planted, person_at, planted
from adapters.simulators.population.employers import employer_of
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.world import DIVISION
from gateway.credentials import load_credential
from gateway.policy.delivery import open_delivery
from gateway.policy.ports import CaseRecord, CaseState, ConsentKind, Occasion, Relation

YEAR_MS: Final = 365 * 86_400_000
SPECIAL_GRADE: Final = frozenset(
    {"ordinary_graduate", "diploma_17_digits", "mandatory_field_empty"}
)
"""Whose cases concern a senior title: M2 then needs the certificate number in clear."""
PROTECTED: Final = "protected_person"
UNMANDATED: Final = frozenset({"pension_suspended"})
"""Whose families gave no mandate to examine their means."""
UNCONSENTED: Final = frozenset({"household_split"})
"""Who did not consent to what is asked with consent alone: the comparison of portraits in M8."""
OUTWARD_MATTER: Final = "M14"
OUTWARD: Final = ("11370000MB2DEM045P", "12370000MB2DEM0882")
"""Who asks the HRSS department in M14: civil affairs and the housing fund."""
FAMILY_MATTERS: Final = frozenset({"M4"})
EMPLOYER_MATTERS: Final = frozenset({"M6", "M9"})
SPOUSE_AT: Final = 1
CHILD_AT: Final = 2
"""Where the members of a household follow its head (docs/population.md)."""


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
    path: Path, key_file: Path, matters: tuple[str, ...], *, seed: int, now_ms: int
) -> None:
    """Open one case per planted person and matter, with consents in force for a year."""
    with open_delivery(path, load_credential(key_file)) as delivery:
        for person in planted():
            subject = Subject(type=SubjectType.RESIDENT_ID, identifier=person.id_number)
            if person.name_of_case == PROTECTED:
                delivery.add_protected(subject)
            for matter, organisation in _dockets(matters):
                delivery.add_case(
                    case_number(matter, person),
                    CaseRecord(
                        state=CaseState.OPEN,
                        matter=matter,
                        organisation=organisation,
                        division=DIVISION,
                        relation=Relation.APPLICANT,
                        in_investigation=False,
                        special_grade=person.name_of_case in SPECIAL_GRADE,
                    ),
                    ((subject, Relation.APPLICANT), *_parties(seed, matter, person)),
                )
                occasion = Occasion(organisation=organisation, matter=matter, at_ms=now_ms - 1000)
                for kind in _consents(organisation, person):
                    delivery.add_consent(kind, subject, occasion, now_ms + YEAR_MS)


def _dockets(matters: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each matter with each organisation that keeps cases of it."""
    for matter in matters:
        for organisation in OUTWARD if matter == OUTWARD_MATTER else (HRSS,):
            yield matter, organisation


def _parties(seed: int, matter: str, person: Planted) -> tuple[tuple[Subject, Relation], ...]:
    """Return whom a case concerns besides the applicant."""
    if matter in FAMILY_MATTERS:
        family = (person_at(seed, person.index + place) for place in (SPOUSE_AT, CHILD_AT))
        numbers = [(SubjectType.RESIDENT_ID, each.id_number) for each in family]
    elif matter in EMPLOYER_MATTERS:
        numbers = [(SubjectType.USCC, employer_of(person_at(seed, person.index)).uscc)]
    else:
        return ()
    return tuple(
        (Subject(type=kind, identifier=number), Relation.PARTY) for kind, number in numbers
    )


def _consents(organisation: str, person: Planted) -> tuple[ConsentKind, ...]:
    """Return what the applicant signed: a mandate where another authority examines his means."""
    if organisation == HRSS:
        return () if person.name_of_case in UNCONSENTED else (ConsentKind.CONSENT,)
    return () if person.name_of_case in UNMANDATED else (ConsentKind.MANDATE,)
