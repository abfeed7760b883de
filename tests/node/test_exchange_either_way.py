"""A requester cannot tell how a department is connected, but for what its record says itself."""

import dataclasses
import json
from pathlib import Path

import httpx
import pytest

from adapters.settings import NodeSection
from gateway.cli.sandbox.simulated import PREFIXES
from hutong.client import Answered, AnswerState, IndeterminateReason, Question
from signing.encoding import parse_b64url
from tests.gateway.asking import (
    core_question,
    deceased_question,
    diploma_question,
    insured_question,
    matter_question,
    person,
)
from tests.node.asking import Way

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]


def custody_of(answer: Answered) -> str:
    """Return what a record says of where its key lives."""
    assert answer.record is not None
    payload = json.loads(parse_b64url(answer.record.split(".")[1]))
    return str(payload["custody"])


def told_of(answer: Answered) -> list[tuple[str, str, str | tuple[str, ...] | None, str | None]]:
    """Return what an answer tells, field by field."""
    return [(each.name, each.outcome.value, each.value, each.finding) for each in answer.fields]


def questions_of(way: Way) -> dict[str, Question]:
    """Return one question to each department for an officer."""
    return {
        "ps": core_question(way.retirement),
        "hr": insured_question(way.retirement),
        "edu": diploma_question(way.retirement),
    }


@pytest.mark.parametrize("department", ["ps", "hr", "edu"])
async def test_every_department_answers(way: Way, department: str) -> None:
    """Education over REST, public security over SOAP, HRSS from its tables: proven values."""
    answer = await way.client.exchange(questions_of(way)[department])

    assert answer.state is AnswerState.ANSWERED
    assert {each.outcome.value for each in answer.fields} <= {"VALUE", "FINDING"}
    assert custody_of(answer) == ("provider_node" if way.is_remote else "embedded")


@pytest.mark.parametrize("department", ["ps", "hr", "edu"])
async def test_both_ways_tell_the_same(embedded: Way, remote: Way, department: str) -> None:
    """Same people, same agreement, same values."""
    told = [
        told_of(await way.client.exchange(questions_of(way)[department]))
        for way in (embedded, remote)
    ]

    assert told[0] == told[1]
    assert any(value is not None or finding is not None for _, _, value, finding in told[0])


async def test_a_system_job_is_answered(way: Way) -> None:
    """No officer asks; the department's own person answers for it, wherever that is configured."""
    answer = await way.job_client.exchange(deceased_question())

    assert answer.state is AnswerState.ANSWERED
    assert answer.fields[0].finding is not None


async def test_a_matter_asks_every_department(way: Way) -> None:
    """Items of one request are told apart, although they share its id."""
    answers = await way.client.exchange_matter(matter_question(way.retirement))

    assert [type(each) for each in answers] == [Answered] * 4
    states = [each.state for each in answers if isinstance(each, Answered)]
    assert states[0] is AnswerState.ANSWERED
    assert len({custody_of(each) for each in answers if isinstance(each, Answered)}) == 1


async def test_what_is_not_held_is_told_as_not_found(way: Way) -> None:
    """The department signs that it holds nothing."""
    question = diploma_question(way.retirement, "no_education")

    answer = await way.client.exchange(question)

    assert answer.state is AnswerState.NOT_FOUND
    assert custody_of(answer) == ("provider_node" if way.is_remote else "embedded")


async def test_a_pending_answer_is_told_later(way: Way) -> None:
    """A department that takes longer is asked again for the same question, by whoever asked it."""
    question = diploma_question(way.retirement, "diploma_before_2002")
    first = await way.client.exchange(question, timeout_s=1.5)

    later = await way.client.get_result(first.request_id, question)

    assert first.indeterminate_reason is IndeterminateReason.PENDING
    assert first.retry_after_s
    assert later.state is AnswerState.ANSWERED


async def test_a_department_in_trouble_is_told_as_such(way: Way) -> None:
    """What a department's protocol made of a fault comes through the node unchanged."""
    simulator = way.sandbox.simulators["education"]
    admin = f"http://127.0.0.1:{simulator.admin_port}/faults"
    headers = {"Authorization": f"Bearer {simulator.admin_token}"}
    async with httpx.AsyncClient(headers=headers) as http:
        await http.post(admin, json={"name": "other_person", "count": 1, "after": 0})
        answer = await way.client.exchange(diploma_question(way.retirement, "diploma_incomplete"))
        await http.delete(admin)

    assert answer.indeterminate_reason is IndeterminateReason.SUBJECT_MISMATCH
    assert answer.record is None


async def test_a_name_the_department_demands_is_missed_before_it_is_asked(way: Way) -> None:
    """The gateway knows what a kind demands, whoever holds its key."""
    question = core_question(way.retirement)
    someone = person("ordinary_pensioner")
    nameless = dataclasses.replace(question.subject, full_name="")
    with pytest.raises(Exception, match="SUBJECT_NAME_NEEDED"):
        await way.client.exchange(dataclasses.replace(question, subject=nameless))

    assert someone.full_name


async def test_a_gateway_with_nodes_names_no_key_of_a_department(remote: Way) -> None:
    """Neither its configuration nor its folder holds one."""
    config = remote.gateway.config
    sections = [getattr(config.departments, name) for name in PREFIXES]
    departments = Path(remote.sandbox.world.folders.departments)

    assert all(isinstance(each, NodeSection) for each in sections)
    assert str(departments) not in config.model_dump_json()
    assert not list(config.tls.key.parent.glob("*record*"))
