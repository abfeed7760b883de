"""What is open in a case is listed field by field; what is decided is not."""

import pytest

from hutong.client import (
    Answered,
    AnsweredField,
    AnswerState,
    Client,
    Effect,
    FieldOutcome,
    Finding,
    IndeterminateReason,
    Question,
    Review,
    find_reviews,
)
from hutong.client.review import is_open
from hutong.exchange.v1 import exchange_pb2
from tests.client.gateway_double import GatewayDouble
from tests.client.synthetic_world import PROVIDER


def _away(body: exchange_pb2.AnswerBody) -> None:
    body.state = exchange_pb2.ANSWER_STATE_INDETERMINATE
    body.indeterminate_reason = exchange_pb2.INDETERMINATE_REASON_PROVIDER_TIMEOUT
    body.record = ""
    body.ClearField("delete_by")
    for field in body.fields:
        if field.outcome != exchange_pb2.FIELD_OUTCOME_WITHHELD:
            field.outcome = exchange_pb2.FIELD_OUTCOME_INDETERMINATE


async def test_a_department_that_is_away_leaves_every_granted_field_open(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """With the reason and whose it is; a withheld field is decided, not open."""
    double.twists = {"body": _away}

    answer = await client.exchange(question)
    found = find_reviews([answer])

    granted = [each.name for each in answer.fields if each.outcome is not FieldOutcome.WITHHELD]
    assert 0 < len(granted) < len(answer.fields)
    assert found == tuple(
        Review(
            dataset=question.dataset,
            field=name,
            provider=PROVIDER,
            reason=IndeterminateReason.PROVIDER_TIMEOUT,
        )
        for name in granted
    )


async def test_an_answer_that_tells_everything_leaves_nothing_open(
    client: Client, question: Question
) -> None:
    """Values and findings of yes and no are decided."""
    answer = await client.exchange(question)

    assert isinstance(answer, Answered)
    assert answer.state is AnswerState.ANSWERED
    assert find_reviews([answer]) == ()


@pytest.mark.parametrize(
    ("finding", "is_opened"),
    [
        (Finding.YES, False),
        (Finding.NO, False),
        (Finding.NOT_APPLICABLE, False),
        (Finding.INDETERMINATE, True),
        (Finding.ERROR, True),
    ],
)
def test_a_finding_is_open_where_it_says_neither_yes_nor_no(
    finding: Finding, *, is_opened: bool
) -> None:
    """Not applicable is an answer; an error of the department is none."""
    field = AnsweredField(
        name="verified",
        effect=Effect.PREDICATE,
        effect_text="判断(是)",
        outcome=FieldOutcome.FINDING,
        finding=finding,
    )

    assert is_open(field) is is_opened
