"""Planted people as an applicant brings them to the counter: number, name, spouse, diploma.

The one module of the demo that looks into the population; nothing of it reaches the gateway but
what an officer would type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.simulators.population import Planted, education_record, person_at, planted
from gateway.cli.demo.expectations import ASKED, DIPLOMA, HOUSEHOLD, Person
from gateway.cli.sandbox.cases import case_number
from hutong.client import (
    AgreementHint,
    DatasetQuery,
    MatterQuestion,
    Officer,
    Purpose,
    Staff,
    Subject,
)

SEED: Final = 1

OFFICER: Final = Staff(
    token="sandbox-officer-1",  # noqa: S106  a pseudonym of a person, no secret
    role="经办",
    unit="模拟养老保险经办处",
    unit_code="370102000000",
    level="county",
    division="370102",
    call_reason="退休申请",
    name="彭守正",
    identifier="370104198309239011",
)
"""A synthetic officer; public security demands his name and number and gets them alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One person and the question of his matter."""

    person: Person
    planted: Planted = field(repr=False)
    question: MatterQuestion = field(repr=False)


def build_asked(person: Person, hints: tuple[AgreementHint, ...], officer: Officer | None) -> Asked:
    """Return the question of a person's matter, under the agreements of the identity."""
    found = [each for each in planted() if each.name_of_case == person.case][person.nth]
    own = {hint.dataset: hint for hint in hints if person.matter in hint.matters}
    basis = next(iter(own.values())).legal_basis
    question = MatterQuestion(
        queries=tuple(
            DatasetQuery(
                agreement=own[dataset].number,
                dataset=dataset,
                fields=fields,
                claims=_claims(person, found, dataset),
            )
            for dataset, fields in ASKED[person.matter].items()
        ),
        subject=Subject(identifier=found.id_number, full_name=found.full_name),
        purpose=Purpose(
            matter=person.matter,
            legal_basis=basis,
            case_number=case_number(person.matter, found),
        ),
        officer=officer,
    )
    return Asked(person=person, planted=found, question=question)


def _claims(person: Person, found: Planted, dataset: str) -> Mapping[str, str]:
    """Return what the applicant says of himself, to be compared where the data is."""
    if dataset == HOUSEHOLD:
        # The spouse follows the head (docs/population.md).
        spouse = person_at(SEED, found.index + 1)
        return {"relative_id": spouse.id_number, "relative_name": spouse.full_name}
    diploma = education_record(person_at(SEED, found.index)).diploma
    if dataset == DIPLOMA and person.names_certificate and diploma is not None:
        return {"certificate_no": diploma.certificate_no}
    return {}
