"""The questions of the fault matrix: for each department one or more, by a name of the table."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.simulators.population import (
    Person,
    account_of,
    commerce_record,
    education_record,
    person_at,
    photo_of,
)
from adapters.simulators.population.employers import employer_of
from gateway.cli.sandbox.provinces import HRSS
from hutong.client import Identity, Purpose, Question, Subject, SubjectType
from tests.gateway.asking import officer_of, person

SEED = 1
"""Of the population, as a sandbox has it by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a system about a planted person, or about his employer."""

    system: str
    matter: str
    agreement: str
    dataset: str
    fields: tuple[str, ...]
    basis: str
    who: str
    claims: Mapping[str, str] = field(default_factory=dict)
    of_employer: bool = False
    by_officer: bool = True

    def subject(self) -> Subject:
        """Return about whom it is."""
        if self.of_employer:
            uscc = employer_of(_held(self.who)).uscc
            return Subject(type=SubjectType.USCC, identifier=uscc)
        someone = person(self.who)
        return Subject(identifier=someone.id_number, full_name=someone.full_name)

    def question(self, identity: Identity, case_number: str) -> Question:
        """Return it as asked in a case."""
        return Question(
            agreement=self.agreement,
            dataset=self.dataset,
            fields=self.fields,
            subject=self.subject(),
            purpose=Purpose(matter=self.matter, legal_basis=self.basis, case_number=case_number),
            officer=officer_of(identity) if self.by_officer else None,
            claims=dict(self.claims),
        )


def _held(who: str) -> Person:
    return person_at(SEED, person(who).index)


def _number_of(who: str) -> str:
    diploma = education_record(_held(who)).diploma
    assert diploma is not None
    return diploma.certificate_no


def _portrait_of(who: str) -> str:
    return hashlib.sha256(photo_of(_held(who))).hexdigest()


_ENTERPRISE = commerce_record(_held("legal_rep_changed")).enterprise

QUESTIONS: Mapping[str, Mapping[str, Asked]] = {
    "education": {
        "diploma": Asked(
            system="retirement",
            matter="M2",
            agreement="XY-2026-205",
            dataset="edu.diploma@1",
            fields=("institution_name",),
            basis="社会保险法第五十七条",
            who="ordinary_graduate",
        ),
        "certificate": Asked(
            system="retirement",
            matter="M2",
            agreement="XY-2026-205",
            dataset="edu.diploma@1",
            fields=("verified",),
            basis="社会保险法第五十七条",
            who="ordinary_graduate",
            claims={"certificate_no": _number_of("ordinary_graduate")},
        ),
        "verification": Asked(
            system="retirement",
            matter="M2",
            agreement="XY-2026-205",
            dataset="edu.diploma@1",
            fields=("verified",),
            basis="社会保险法第五十七条",
            who="diploma_before_2002",
            claims={"certificate_no": _number_of("diploma_before_2002")},
        ),
        "degree": Asked(
            system="title",
            matter="M5",
            agreement="XY-2026-502",
            dataset="edu.degree@1",
            fields=("revoked",),
            basis="社会保险经办条例第九条",
            who="ordinary_graduate",
        ),
    },
    "public_security": {
        "core": Asked(
            system="retirement",
            matter="M2",
            agreement="XY-2026-201",
            dataset="ps.person_core@1",
            fields=("sex",),
            basis="社会保险法第五十七条",
            who="ordinary_graduate",
        ),
        "portrait": Asked(
            system="card",
            matter="M8",
            agreement="XY-2026-802",
            dataset="ps.photo_compare@1",
            fields=("same_person",),
            basis="社会保险经办条例第六条",
            who="ordinary_graduate",
            claims={
                "photo_digest": hashlib.sha256(photo_of(_held("ordinary_graduate"))).hexdigest()
            },
        ),
    },
    "civil_affairs": {
        "cremation": Asked(
            system="survivor",
            matter="M4",
            agreement="XY-2026-402",
            dataset="ca.cremation@1",
            fields=("is_cremated",),
            basis="社会保险法第十七条",
            who="cremated_not_cancelled",
        ),
        "marriage": Asked(
            system="loan",
            matter="M6",
            agreement="XY-2026-604",
            dataset="ca.marriage_verify@1",
            fields=("current_status",),
            basis="创业担保贷款办法",
            who="ordinary_pensioner",
        ),
    },
    "tax": {
        "taxpayer": Asked(
            system="employer",
            matter="M9",
            agreement="XY-2026-903",
            dataset="tx.taxpayer@1",
            fields=("taxpayer_state",),
            basis="社会保险法第五十七条",
            who="ordinary_employee",
            of_employer=True,
        ),
    },
    "commerce": {
        "enterprise": Asked(
            system="employer",
            matter="M9",
            agreement="XY-2026-901",
            dataset="cm.enterprise@1",
            fields=("name", "reg_state", "establish_date"),
            basis="社会保险法第五十七条",
            who="ordinary_employee",
            of_employer=True,
        ),
        "verify": Asked(
            system="employer",
            matter="M9",
            agreement="XY-2026-902",
            dataset="cm.enterprise_verify@1",
            fields=("all_match", "mismatched_keys"),
            basis="社会保险法第五十七条",
            who="legal_rep_changed",
            claims={"name": _ENTERPRISE.name, "address": _ENTERPRISE.address},
            of_employer=True,
        ),
        "positions": Asked(
            system="unemployment",
            matter="M3",
            agreement="XY-2026-303",
            dataset="cm.positions@1",
            fields=("has_active_entity",),
            basis="社会保险法第五十一条",
            who="legal_rep_changed",
        ),
    },
    "bank": {
        "card": Asked(
            system="payment",
            matter="M10",
            agreement="XY-2026-1002",
            dataset="bk.sscard_account@1",
            fields=("activated",),
            basis="社会保险经办条例第六十二条",
            who="ordinary_pensioner",
            by_officer=False,
        ),
        "account": Asked(
            system="payment",
            matter="M10",
            agreement="XY-2026-1001",
            dataset="bk.account_verify@1",
            fields=("name_match", "id_match", "account_usable", "reason"),
            basis="社会保险经办条例第六十二条",
            who="ordinary_graduate",
            claims={"account_no": account_of(_held("ordinary_graduate")).account_no},
            by_officer=False,
        ),
        # A day's checks of one account are four.
        "other_account": Asked(
            system="payment",
            matter="M10",
            agreement="XY-2026-1001",
            dataset="bk.account_verify@1",
            fields=("name_match", "id_match", "account_usable", "reason"),
            basis="社会保险经办条例第六十二条",
            who="ordinary_employee",
            claims={"account_no": account_of(_held("ordinary_employee")).account_no},
            by_officer=False,
        ),
    },
    "health": {
        "certificate": Asked(
            system="recertification",
            matter="M1",
            agreement="XY-2026-104",
            dataset="hc.death_certificate@1",
            fields=("has_record",),
            basis="社会保险经办条例第二十六条",
            who="dead_pension_paid",
            by_officer=False,
        ),
    },
}
"""Of each department; the first is also put before and after every row, without a fault."""
SLUGS = frozenset(each.system for kind in QUESTIONS.values() for each in kind.values())
SYSTEMS = frozenset(f"{HRSS}/{slug}" for slug in SLUGS)
