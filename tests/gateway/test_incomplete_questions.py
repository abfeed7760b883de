"""What a department would send back for the requester to complete is refused before it is asked."""

import dataclasses
from collections.abc import Callable

import pytest

from adapters.port import Lacking
from gateway.errors import TEXTS, Reason, Side
from gateway.exchange import LACKING
from gateway.outcome import Answered
from hutong.client import AnswerState, Client, Identity, Question, Refused, Subject
from hutong.client.requests import build_exchange
from tests.gateway.asking import (
    core_question,
    diploma_question,
    insured_question,
    moment,
    officer_of,
)
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _nameless(question: Question) -> Question:
    subject = Subject(identifier=question.subject.identifier)
    return dataclasses.replace(question, subject=subject)


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        (Lacking.SUBJECT_NAME, Reason.SUBJECT_NAME_NEEDED),
        (Lacking.OFFICER, Reason.OFFICER_NEEDED),
    ],
)
async def test_what_a_department_misses_is_refused_before_the_ask(
    core: Core, retirement: Identity, lacking: Lacking, reason: Reason
) -> None:
    """The log holds a refusal and no `ask`, the department hears nothing, the side is told."""
    core.spies["ps."].lacking = lacking
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    require_refused(outcome, reason)
    assert core.events == ["refuse"]
    assert TEXTS[reason].side is Side.REQUESTER


def _in_case(number: str) -> Callable[[Question], Question]:
    def change(question: Question) -> Question:
        purpose = dataclasses.replace(question.purpose, case_number=number)
        return dataclasses.replace(question, purpose=purpose)

    return change


def _about_nothing_granted(question: Question) -> Question:
    return dataclasses.replace(question, fields=("ethnicity",))


@pytest.mark.parametrize("lacking", list(Lacking))
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda question: question, id="all conditions hold"),
        pytest.param(_in_case("NO-SUCH-CASE"), id="no case"),
        pytest.param(_in_case("SB-M2-000004"), id="case of another subject"),
        pytest.param(_about_nothing_granted, id="field that is not granted"),
    ],
)
async def test_an_incomplete_question_tells_nothing_of_its_subject(
    core: Core, retirement: Identity, lacking: Lacking, change: Callable[[Question], Question]
) -> None:
    """It costs nothing, so it says the same whatever is known of subject and case."""
    core.spies["ps."].lacking = lacking
    request = build_exchange(retirement, change(core_question(retirement)), moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    require_refused(outcome, LACKING[lacking])
    assert core.events == ["refuse"]


async def test_what_a_department_demands_is_told_to_parties_only(
    core: Core, retirement: Identity
) -> None:
    """A system without the agreement learns neither of it nor of the department behind it."""
    core.spies["ps."].lacking = Lacking.SUBJECT_NAME
    question = dataclasses.replace(core_question(retirement), agreement="XY-2026-999")
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.AGREEMENT_NOT_APPLICABLE)


@pytest.mark.parametrize("ask", [core_question, diploma_question], ids=["police", "education"])
async def test_a_missing_name_is_the_requesters_side(
    client: Client, retirement: Identity, ask: Callable[[Identity], Question]
) -> None:
    """Both departments demand the name; neither is said to have failed."""
    with pytest.raises(Refused) as refused:
        await client.exchange(_nameless(ask(retirement)))

    assert (refused.value.reason, refused.value.side) == ("SUBJECT_NAME_NEEDED", "requester")
    assert refused.value.receipt is not None


@pytest.mark.parametrize(
    "wrong", [{"identifier": "123"}, {"name": None}, {"call_reason": "退休"}], ids=str
)
async def test_an_officer_out_of_form_is_the_requesters_side(
    client: Client, retirement: Identity, wrong: dict[str, str]
) -> None:
    """A mistyped number, no name, a reason too short: the officer's organisation mends it."""
    question = dataclasses.replace(
        core_question(retirement), officer=officer_of(retirement, **wrong)
    )

    with pytest.raises(Refused) as refused:
        await client.exchange(question)

    assert (refused.value.reason, refused.value.side) == ("OFFICER_NEEDED", "requester")


async def test_our_own_tables_demand_neither(client: Client, retirement: Identity) -> None:
    """What needs no name is answered without one."""
    question = dataclasses.replace(
        _nameless(insured_question(retirement)), officer=officer_of(retirement, identifier="123")
    )

    answer = await client.exchange(question)

    assert answer.state is AnswerState.ANSWERED


async def test_a_question_that_lacks_nothing_is_asked(core: Core, retirement: Identity) -> None:
    """The look at what is missing stops nobody else."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    assert isinstance(await core.ask(retirement, request), Answered)
