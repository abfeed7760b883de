"""What a good gateway answers is accepted, and what it says reaches the caller."""

import asyncio
import base64
import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.client import (
    Answered,
    AnswerState,
    BreakerState,
    Client,
    DepartmentCounts,
    DepartmentFigures,
    Effect,
    FieldOutcome,
    Finding,
    MatterQuestion,
    NotWritten,
    Question,
    Refused,
    Staff,
)
from hutong.evidence import Expected, parse_log_key, parse_receipt, verify_receipt
from tests.client.gateway_double import GatewayDouble
from tests.client.synthetic_world import PERSON, PROVIDER, World


async def test_a_good_answer_is_accepted(client: Client, question: Question) -> None:
    """Each field asked comes back with its outcome, and values only where there are some."""
    answer = await client.exchange(question)

    assert answer.state is AnswerState.ANSWERED
    assert answer.provider == PROVIDER
    assert [each.name for each in answer.fields] == list(question.fields)
    assert answer.field_named("full_name").value == "李*"
    assert answer.field_named("full_name").effect is Effect.MASK
    assert answer.field_named("is_married").finding is Finding.YES
    assert answer.field_named("spouse_name").outcome is FieldOutcome.WITHHELD
    assert answer.field_named("registered_on").outcome is FieldOutcome.ABSENT


async def test_a_receipt_file_stands_without_the_client(
    client: Client, question: Question, world: World, tmp_path: Path
) -> None:
    """The file written holds all that the stand-alone verifier needs beside the bytes."""
    answer = await client.exchange(question)

    answer.receipt.write(tmp_path / "receipt.json")

    proven = verify_receipt(
        parse_receipt((tmp_path / "receipt.json").read_bytes()),
        parse_log_key(world.log_key),
        request_payload=answer.receipt.request_payload,
        answer_body=answer.receipt.answer_body,
        expected=Expected(request_id=answer.request_id),
    )
    assert proven.provenance.request_bound
    assert proven.provenance.answer_bound


async def test_a_receipt_file_is_private_and_written_once(
    client: Client, question: Question, tmp_path: Path
) -> None:
    """An earlier receipt is the only proof of an earlier answer: nothing is written over it."""
    answer = await client.exchange(question)
    (tmp_path / "earlier.json").write_text("an earlier one")

    answer.receipt.write(tmp_path / "receipt.json")
    with pytest.raises(NotWritten, match="FILE_NOT_WRITTEN"):
        answer.receipt.write(tmp_path / "earlier.json")

    assert _modes(tmp_path)["receipt.json"] == 0o600
    assert (tmp_path / "earlier.json").read_text() == "an earlier one"


async def test_parts_of_a_receipt_are_private(
    client: Client, question: Question, tmp_path: Path
) -> None:
    """Request and answer hold personal data: nobody else may read their files."""
    answer = await client.exchange(question)

    answer.receipt.write_parts(tmp_path)

    modes = _modes(tmp_path)
    assert modes == {"receipt.json": 0o600, "request.bin": 0o600, "answer.bin": 0o600}


async def test_no_repr_shows_personal_data(client: Client, question: Question) -> None:
    """Neither question nor answer shows a value, a name or a number when printed."""
    answer = await client.exchange(question)

    shown = repr(answer) + repr(question) + repr(answer.receipt) + repr(client.identity)

    assert not any(secret in shown for secret in (PERSON, "李明", "李*", "C-1"))


async def test_an_officer_assertion_is_bound_to_the_request(
    client: Client, double: GatewayDouble, question: Question
) -> None:
    """The assertion of an officer names the request id and this system's TLS certificate."""
    staff = Staff(
        token="t-1",
        role="经办",
        unit="社保中心",
        unit_code="1",
        level="province",
        division="370000",
    )
    await client.exchange(replace(question, officer=client.identity.officer(staff)))

    payload = double.seen[0].statement.purpose.officer_assertion.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    thumbprint = base64.urlsafe_b64encode(client.identity.tls.thumbprint).rstrip(b"=").decode()
    assert claims["jti"] == double.seen[0].header.request_id.hex()
    assert claims["cnf"] == {"x5t#S256": thumbprint}
    assert claims["aud"] == client.identity.gateway_id


async def test_a_matter_has_one_outcome_per_query(client: Client, matter: MatterQuestion) -> None:
    """A refused query costs its own item only, and keeps its place."""
    outcomes = await client.exchange_matter(matter)

    assert [type(each) for each in outcomes] == [Answered, Refused, Answered]
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].reason == "NOTHING_GRANTED"
    assert outcomes[1].receipt is not None


async def test_a_stream_answers_every_question(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Outcomes come back in another order than asked, each with its own question."""
    double.stream_order = lambda held: held[::-1]
    questions = [
        dataclasses.replace(question, agreement=name) for name in ("A-1", "A-REFUSED", "A-3")
    ]

    outcomes = [each async for each in client.exchange_stream(_source(questions))]

    assert [each.question for each in outcomes] == questions[::-1]
    assert [type(each.outcome) for each in outcomes] == [Answered, Refused, Answered]


async def test_a_pending_result_is_asked_for_again(client: Client, question: Question) -> None:
    """GetResult carries the whole question and is proven like any answer."""
    answer = await client.get_result(bytes(16), question)

    assert answer.state is AnswerState.ANSWERED


async def test_an_explanation_is_proven(client: Client, question: Question) -> None:
    """Explain answers per field asked."""
    explained = await client.explain(question)

    assert [each.name for each in explained.fields] == list(question.fields)
    assert explained.receipt.index > 0


async def test_agreements_are_proven(client: Client) -> None:
    """The agreements come signed and logged."""
    listed = await client.list_agreements()

    assert listed.agreements[0].number == "A-2026-001"
    assert listed.agreements[0].fields == (("is_married", ("判断(在婚)",)),)


async def test_datasets_are_listed(client: Client) -> None:
    """The catalog needs the channel only."""
    (dataset,) = await client.list_datasets()

    assert dataset.fields[0].ceiling is Effect.PREDICATE
    assert dataset.fields[0].sharing_class == "CONDITIONAL"


async def test_departments_are_listed(client: Client) -> None:
    """Absent figures and counts are None, and so is a time that nothing took."""
    told = await client.list_departments()

    operator, partner = told.departments
    assert told.window_s == 600
    assert operator.breaker is BreakerState.HALF_OPEN
    assert operator.figures == DepartmentFigures(answered_percent=97, p50_s=0.0025, p95_s=None)
    assert operator.counts == DepartmentCounts(asked=40, answered=39, waiting=2, room=256)
    assert (partner.breaker, partner.figures, partner.counts) == (BreakerState.CLOSED, None, None)


async def test_an_earlier_receipt_is_given_again(client: Client, question: Question) -> None:
    """GetReceipt gives the receipt of the exchange, older than the look at it."""
    answer = await client.exchange(question)

    receipt = await client.get_receipt(answer.request_id)

    assert receipt.index == answer.receipt.index
    assert parse_receipt(receipt.encode()).entry == answer.receipt.form.entry


async def test_a_log_seen_empty_is_followed_as_well(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The first checkpoint of a new gateway is of no entries; each later tree extends it."""
    double.log.entries.clear()
    empty = await client.get_checkpoint()
    await client.exchange(question)

    later = await client.get_checkpoint()

    assert (empty.head.size, later.head.size > 0) == (0, True)
    assert await client.get_consistency_proof(empty.head) == ()


async def test_checkpoints_are_followed_by_consistency_proofs(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A newer checkpoint is proven to extend the newest one seen."""
    answer = await client.exchange(question)
    for _ in range(5):
        double.log.add({"kind": "tick", "queue": 0, "size": 1})

    checkpoint = await client.get_checkpoint()

    assert checkpoint.head.size == len(double.log.entries)
    assert await client.get_consistency_proof(answer.receipt.tree)
    proof = await client.get_inclusion_proof(answer.receipt.index)
    assert proof.tree == checkpoint.head


async def test_a_checkpoint_is_kept_over_a_restart(
    client: Client, question: Question, world: World
) -> None:
    """The next client starts from the newest checkpoint seen by the last."""
    await client.exchange(question)

    again = Client.open(
        client.identity, clock=lambda: world.now_ms, known_checkpoint=client.newest_checkpoint
    )

    assert again.newest_checkpoint == client.newest_checkpoint
    await again.close()


def _modes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}


async def _source(questions: list[Question]) -> AsyncIterator[Question]:
    for question in questions:
        yield question


@pytest.mark.parametrize("at_once", [40])
async def test_many_questions_at_once_are_each_proven(
    client: Client, question: Question, at_once: int
) -> None:
    """Answers under older checkpoints than the newest seen are no fork."""
    answers = await asyncio.gather(*(client.exchange(question) for _ in range(at_once)))

    assert len({each.request_id for each in answers}) == at_once
