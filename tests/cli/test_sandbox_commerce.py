"""A sandbox whose commerce register is asked through the gateway, over mutual TLS."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio

from adapters.simulators.population import Planted, commerce_record, person_at, planted
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from hutong.client import (
    Answered,
    Client,
    Purpose,
    Question,
    Refused,
    Staff,
    Subject,
    SubjectType,
    load_identity,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

SEED = 7
"""Not the default one: who works for whom depends on it."""
STAFF = Staff(
    token="staff-0001",
    role="经办",
    unit="省社保中心（模拟）",
    unit_code="370000000000",
    level="province",
    division="370102",
    call_reason="参保单位登记",
    name="彭守正",
    identifier="370104198309239011",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """Run a sandbox with the systems of M3 and M9."""
    root = tmp_path_factory.mktemp("sandbox")
    systems = frozenset({f"{HRSS}/employer", f"{HRSS}/unemployment"})
    options = SandboxOptions(root=root, population=240, seed=SEED, systems=systems)
    async with prepared(options) as made, serving(made):
        yield made


def _person(case: str) -> Planted:
    return next(each for each in planted() if each.name_of_case == case)


def _uscc(person: Planted) -> str:
    return commerce_record(person_at(SEED, person.index)).enterprise.uscc


def _employer(case: str) -> Subject:
    return Subject(type=SubjectType.USCC, identifier=_uscc(_person(case)))


async def _ask(sandbox: Sandbox, slug: str, question: Question) -> Answered:
    """Ask as an officer of a system."""
    identity = load_identity(sandbox.world.folders.partner(slug))
    async with Client.open(identity) as client:
        return await client.exchange(replace(question, officer=identity.officer(STAFF)))


def _told(answered: Answered) -> Mapping[str, object]:
    return {
        each.name: each.value if each.finding is None else str(each.finding)
        for each in answered.fields
    }


def _of_employer(case: str, agreement: str, dataset: str, *fields: str) -> Question:
    return Question(
        agreement=agreement,
        dataset=dataset,
        fields=fields,
        subject=_employer(case),
        purpose=Purpose(
            matter="M9",
            legal_basis="社会保险法第五十七条",
            case_number=case_number("M9", _person(case)),
        ),
    )


def _verification(case: str, claims: Mapping[str, str]) -> Question:
    question = _of_employer(
        case, "XY-2026-902", "cm.enterprise_verify@1", "all_match", "mismatched_keys"
    )
    return replace(question, claims=claims)


async def test_an_employer_is_told_by_the_register(sandbox: Sandbox) -> None:
    """M9: the state is the catalog's word, the answer is proven and has its receipt."""
    fields = ("uscc", "name", "legal_representative", "reg_state", "registered_capital")
    held = commerce_record(person_at(SEED, _person("employer_revoked").index)).enterprise

    answered = await _ask(
        sandbox,
        "employer",
        _of_employer("employer_revoked", "XY-2026-901", "cm.enterprise@1", *fields),
    )

    assert str(answered.state) == "ANSWERED"
    assert answered.receipt is not None
    assert _told(answered) == {
        "uscc": held.uscc,
        "name": held.name,
        "legal_representative": held.legal_representative,
        "reg_state": "吊销",
        "registered_capital": f"{Decimal(held.registered_capital) / 10_000:f}",
    }


async def test_what_an_employer_has_to_correct_is_named(sandbox: Sandbox) -> None:
    """`mismatched_keys`: the catalog's names of what differs; empty where all agrees."""
    held = commerce_record(person_at(SEED, _person("legal_rep_changed").index)).enterprise
    right = {"name": held.name, "legal_representative": held.legal_representative}
    wrong = {**right, "legal_representative": "某某", "address": "甲路1号"}

    agreed = await _ask(sandbox, "employer", _verification("legal_rep_changed", right))
    differs = await _ask(sandbox, "employer", _verification("legal_rep_changed", wrong))

    assert _told(agreed) == {"all_match": "YES", "mismatched_keys": ()}
    assert _told(differs) == {
        "all_match": "NO",
        "mismatched_keys": ("legal_representative", "address"),
    }


async def test_a_sole_trader_cannot_be_verified_and_is_no_mismatch(sandbox: Sandbox) -> None:
    """NOT_APPLICABLE, and no list."""
    answered = await _ask(sandbox, "employer", _verification("sole_trader", {"name": "甲"}))

    assert _told(answered) == {"all_match": "NOT_APPLICABLE", "mismatched_keys": None}


async def test_a_verification_without_claims_is_the_requesters_to_mend(sandbox: Sandbox) -> None:
    """It says nothing of the enterprise."""
    answered = await _ask(sandbox, "employer", _verification("legal_rep_changed", {}))

    assert str(answered.indeterminate_reason) == "QUESTION_REJECTED"


@pytest.mark.parametrize(
    ("case", "finding"),
    [
        ("legal_rep_changed", "YES"),
        ("employer_revoked", "INDETERMINATE"),
        ("unemployed", "NO"),
    ],
)
async def test_whether_somebody_is_in_business_is_told_as_a_finding(
    sandbox: Sandbox, case: str, finding: str
) -> None:
    """M3: a revoked licence is neither yes nor no; no positions at all is no."""
    someone = _person(case)
    question = Question(
        agreement="XY-2026-303",
        dataset="cm.positions@1",
        fields=("has_active_entity",),
        subject=Subject(identifier=someone.id_number, full_name=someone.full_name),
        purpose=Purpose(
            matter="M3",
            legal_basis="社会保险法第五十一条",
            case_number=case_number("M3", someone),
        ),
    )

    answered = await _ask(sandbox, "unemployment", question)

    assert _told(answered) == {"has_active_entity": finding}


async def test_an_employer_of_another_case_is_refused(sandbox: Sandbox) -> None:
    """Who is no party of the case is not looked up."""
    question = _of_employer("sole_trader", "XY-2026-901", "cm.enterprise@1", "name")
    other = replace(question, subject=_employer("employer_revoked"))

    with pytest.raises(Refused) as refused:
        await _ask(sandbox, "employer", other)

    assert str(refused.value.reason) == "NOTHING_GRANTED"
