"""Planted people as an applicant brings them to the counter: number, name, spouse, papers.

The one module of the demo that looks into the population; nothing of it reaches the gateway but
what an officer would type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from adapters.simulators.population import (
    Person as Someone,
)
from adapters.simulators.population import (
    Planted,
    account_of,
    education_record,
    hrss_record,
    old_account_of,
    person_at,
    photo_of,
    planted,
)
from adapters.simulators.population.employers import employer_of
from gateway.cli.demo.expectations import DIPLOMA, HOUSEHOLD, About, Clerk, Person
from gateway.cli.demo.matters import (
    ACCOUNT,
    CARD_ACCOUNT,
    CHILD,
    DEGREE,
    ENTERPRISE_VERIFY,
    INCOME,
    MARRIAGE,
    PHOTO,
    QUALIFICATION,
)
from gateway.cli.sandbox.cases import CHILD_AT, SPOUSE_AT, case_number
from hutong.client import (
    AssertionSource,
    DatasetQuery,
    Identity,
    MatterQuestion,
    Purpose,
    Staff,
    Subject,
    SubjectType,
)

SEED: Final = 1
_TAX_YEAR: Final = "2026"

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
_CLERKS: Final[Mapping[Clerk, Mapping[str, str]]] = MappingProxyType(
    {
        Clerk.COUNTY: {},
        Clerk.OTHER_COUNTY: {
            "unit": "模拟外县经办处",
            "unit_code": "370523000000",
            "division": "370523",
        },
        Clerk.TOWNSHIP: {"unit": "模拟街道便民服务中心", "level": "township"},
        Clerk.VILLAGE: {"unit": "模拟社区便民服务站", "level": "village"},
    }
)
"""How clerks differ from the ordinary one."""
SYSTEM_JOBS: Final = frozenset({"M1", "M10"})
"""Matters in which no officer asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One person and the question of his matter."""

    person: Person
    planted: Planted = field(repr=False)
    question: MatterQuestion = field(repr=False)


def build_asked(person: Person, identity: Identity, title: str) -> Asked:
    """Return the question of a person's matter, under the agreements of the identity."""
    found = [each for each in planted() if each.name_of_case == person.case][person.nth]
    own = {hint.dataset: hint for hint in identity.agreements if person.matter in hint.matters}
    basis = next(iter(own.values())).legal_basis
    subject, someone = _subject(person, found)
    question = MatterQuestion(
        queries=tuple(
            DatasetQuery(
                agreement=own[dataset].number,
                dataset=dataset,
                fields=tuple(expected.fields),
                claims=_claims(person, someone, dataset),
            )
            for dataset, expected in person.datasets.items()
        ),
        subject=subject,
        purpose=Purpose(
            matter=person.matter,
            legal_basis=basis,
            case_number=case_number(person.matter, found),
        ),
        officer=_officer(person, identity, title),
    )
    return Asked(person=person, planted=found, question=question)


def _officer(person: Person, identity: Identity, title: str) -> AssertionSource | None:
    if person.matter in SYSTEM_JOBS:
        return None
    officer = replace(OFFICER, call_reason=title)
    return identity.officer(replace(officer, **_CLERKS[person.clerk]))


def _subject(person: Person, found: Planted) -> tuple[Subject, Someone]:
    match person.about:
        case About.EMPLOYER:
            head = person_at(SEED, found.index)
            employer = employer_of(head)
            subject = Subject(
                identifier=employer.uscc, full_name=employer.name, type=SubjectType.USCC
            )
            return subject, head
        case About.SPOUSE:
            spouse = person_at(SEED, found.index + SPOUSE_AT)
            return Subject(identifier=spouse.id_number, full_name=spouse.full_name), spouse
        case _:
            someone = person_at(SEED, found.index)
            return Subject(identifier=found.id_number, full_name=found.full_name), someone


def _claims(person: Person, someone: Someone, dataset: str) -> Mapping[str, str]:
    """Return what the applicant says of himself, to be compared where the data is."""
    if dataset == DIPLOMA and not person.names_certificate:
        return {}
    if dataset == PHOTO and person.portrait_of is About.SPOUSE:
        return _photo(person_at(SEED, someone.index + SPOUSE_AT))
    claim = _CLAIMS.get(dataset)
    return {} if claim is None else claim(someone)


def _relative(someone: Someone) -> Mapping[str, str]:
    spouse = person_at(SEED, someone.index + SPOUSE_AT)
    return {"relative_id": spouse.id_number, "relative_name": spouse.full_name}


def _spouse(someone: Someone) -> Mapping[str, str]:
    spouse = person_at(SEED, someone.index + SPOUSE_AT)
    return {"spouse_id": spouse.id_number, "spouse_name": spouse.full_name}


def _child(someone: Someone) -> Mapping[str, str]:
    child = person_at(SEED, someone.index + CHILD_AT)
    return {"child_id": child.id_number, "child_name": child.full_name}


def _diploma(someone: Someone) -> Mapping[str, str]:
    diploma = education_record(someone).diploma
    return {} if diploma is None else {"certificate_no": diploma.certificate_no}


def _degree(someone: Someone) -> Mapping[str, str]:
    degree = education_record(someone).degree
    return {} if degree is None else {"certificate_no": degree.certificate_no}


def _skill(someone: Someone) -> Mapping[str, str]:
    skills = hrss_record(someone).qualification
    return {"certificate_no": skills[0].certificate_no} if skills else {}


def _account(someone: Someone) -> Mapping[str, str]:
    """The account on the slip the applicant kept: the old one where the card was replaced."""
    account = old_account_of(someone) or account_of(someone)
    return {"account_no": account.account_no}


def _income(_someone: Someone) -> Mapping[str, str]:
    return {"tax_year": _TAX_YEAR}


def _enterprise(someone: Someone) -> Mapping[str, str]:
    """The papers name whoever was the head until the day before yesterday: the spouse."""
    spouse = person_at(SEED, someone.index + SPOUSE_AT)
    return {"name": employer_of(someone).name, "legal_representative": spouse.full_name}


def _photo(someone: Someone) -> Mapping[str, str]:
    return {"photo_digest": sha256(photo_of(someone)).hexdigest()}


_CLAIMS: Final[Mapping[str, Callable[[Someone], Mapping[str, str]]]] = MappingProxyType(
    {
        HOUSEHOLD: _relative,
        MARRIAGE: _spouse,
        CHILD: _child,
        DIPLOMA: _diploma,
        DEGREE: _degree,
        QUALIFICATION: _skill,
        ACCOUNT: _account,
        CARD_ACCOUNT: _account,
        INCOME: _income,
        ENTERPRISE_VERIFY: _enterprise,
        PHOTO: _photo,
    }
)
