"""Step 4: what is only doubtful about a subject's identifier is counted and refuses nothing."""

import dataclasses

import pytest

from adapters.mapping.identifiers import Problem
from adapters.port import Subject, SubjectType
from gateway.errors import Reason, Refusal
from gateway.metrics import Metrics, MetricsObserver
from gateway.outcome import Refused
from gateway.statement.identifiers import doubts_about, normalised_identifier
from hutong.client import Identity, QuestionRefused
from hutong.client import Subject as AskedSubject
from hutong.client import SubjectType as AskedType
from hutong.client.requests import build_exchange
from tests.gateway.asking import core_question, moment
from tests.gateway.core import Core

NOW_MS = 1_795_449_600_000
PERSON = "370102198203150024"
NOWHERE = "379999195603150020"
"""A right number of a division that no table has."""


@pytest.mark.asyncio(loop_scope="session")
async def test_a_doubt_is_counted_once_and_the_question_goes_on(
    core: Core, retirement: Identity
) -> None:
    """It is the policy that refuses here, two steps later: nobody opened a case for him."""
    subject = AskedSubject(identifier=NOWHERE, full_name="李明")
    question = dataclasses.replace(core_question(retirement), subject=subject)

    outcome = await core.ask(
        retirement, build_exchange(retirement, question, moment(core.now_ms)), patience_s=10.0
    )

    assert core.observed.doubts == [Problem.REGION]
    assert not isinstance(outcome, Refused) or outcome.reason is not Reason.SUBJECT_INVALID


@pytest.mark.asyncio(loop_scope="session")
async def test_an_ordinary_subject_is_not_counted(core: Core, retirement: Identity) -> None:
    """Each planted person has a known division."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    await core.ask(retirement, request, patience_s=10.0)

    assert core.observed.doubts == []


@pytest.mark.parametrize(
    ("kind", "identifier", "doubts"),
    [
        (SubjectType.RESIDENT_ID, PERSON, ()),
        (SubjectType.RESIDENT_ID, NOWHERE, (Problem.REGION,)),
        (SubjectType.USCC, "91370100MA3FAKE04Q", ()),
        (SubjectType.USCC, "91370100MA3FAKE041", (Problem.CREDIT_CODE_CHECK,)),
    ],
)
def test_doubts_are_those_of_the_one_policy(
    kind: SubjectType, identifier: str, doubts: tuple[Problem, ...]
) -> None:
    """And what has a doubt still has its normal form."""
    assert doubts_about(Subject(type=kind, identifier=identifier), NOW_MS) == doubts
    assert normalised_identifier(kind, identifier, NOW_MS) == identifier


@pytest.mark.parametrize(
    ("kind", "identifier", "problem"),
    [
        (SubjectType.RESIDENT_ID, PERSON[:-1] + "5", Problem.PERSON_CHECK),
        (SubjectType.RESIDENT_ID, "370102210001010014", Problem.BIRTH_IN_FUTURE),
        (SubjectType.RESIDENT_ID, f" {PERSON}", Problem.FORMAT),
        (SubjectType.RESIDENT_ID, f"\uff13{PERSON[1:]}", Problem.FORMAT),
        (SubjectType.USCC, "91370100ma3fake04q", Problem.FORMAT),
        (SubjectType.USCC, "9137AB00MA3FAKE04Q", Problem.FORMAT),
    ],
)
def test_a_refusal_names_the_problem_to_the_operator_alone(
    kind: SubjectType, identifier: str, problem: Problem
) -> None:
    """The texts say what to do and nothing of the number; a signed identifier has one spelling."""
    with pytest.raises(Refusal) as caught:
        normalised_identifier(kind, identifier, NOW_MS)

    assert caught.value.reason is Reason.SUBJECT_INVALID
    assert caught.value.diagnostics == f"identifier: {problem}"


def test_doubts_stand_in_the_metrics_by_problem() -> None:
    """The label is the problem, of a closed list."""
    metrics = Metrics()
    observer = MetricsObserver(metrics)

    for _ in range(2):
        observer.doubted(Problem.CREDIT_CODE_CHECK)

    line = 'hutong_identifier_doubt_total{problem="CREDIT_CODE_CHECK"} 2.0\n'
    assert line in metrics.exposition().decode()


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        (SubjectType.RESIDENT_ID, PERSON),
        (SubjectType.RESIDENT_ID, PERSON.lower()),
        (SubjectType.RESIDENT_ID, "370102820315002"),
        (SubjectType.RESIDENT_ID, NOWHERE),
        (SubjectType.USCC, "91370100MA3FAKE041"),
    ],
)
def test_the_client_takes_what_the_gateway_takes(kind: SubjectType, identifier: str) -> None:
    """Two implementations, one normal form: a partner is not turned away at home."""
    asked = AskedSubject(type=AskedType(kind.value), identifier=identifier, full_name="李明")

    assert asked.identifier == normalised_identifier(kind, identifier, NOW_MS)


@pytest.mark.parametrize("identifier", [PERSON[:-1] + "5", f" {PERSON}", "1", ""])
def test_the_client_refuses_what_has_no_form(identifier: str) -> None:
    """Before anything is signed."""
    with pytest.raises(QuestionRefused):
        AskedSubject(identifier=identifier, full_name="李明")
