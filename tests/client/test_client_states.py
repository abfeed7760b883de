"""Answered, not found and indeterminate stay three different things."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from certs.registry_file import KeyPurpose
from hutong.catalog.v1 import catalog_pb2
from hutong.client import (
    AnswerState,
    Client,
    ClientReason,
    FieldOutcome,
    Finding,
    IdentityRefused,
    IndeterminateReason,
    Question,
    Unproven,
)
from hutong.client.identity import pinned_key
from hutong.client.known_log import REMEMBERED, KnownLog
from hutong.client.proof import Proving
from hutong.evidence import ProvenCheckpoint, TreeHead
from hutong.exchange.v1 import exchange_pb2
from signing.record import RecordClaims, RecordState
from tests.client.gateway_double import GatewayDouble
from tests.client.synthetic_world import ORIGIN, PROVIDER, World

R = ClientReason


def _untold(body: exchange_pb2.AnswerBody) -> None:
    body.state = exchange_pb2.ANSWER_STATE_INDETERMINATE
    body.indeterminate_reason = exchange_pb2.INDETERMINATE_REASON_PENDING
    body.retry_after.FromMilliseconds(1_500)
    body.record = ""
    body.ClearField("delete_by")
    for field in body.fields:
        if field.outcome != exchange_pb2.FIELD_OUTCOME_WITHHELD:
            field.outcome = exchange_pb2.FIELD_OUTCOME_INDETERMINATE


async def test_a_pending_answer_says_when_to_come_back(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """It could not be told: no value, no record, and a time to ask again."""
    double.twists = {"body": _untold}

    answer = await client.exchange(question)

    assert answer.state is AnswerState.INDETERMINATE
    assert answer.indeterminate_reason is IndeterminateReason.PENDING
    assert answer.retry_after_s == 1.5
    assert answer.record is None
    assert answer.delete_by is None
    assert answer.field_named("full_name").outcome is FieldOutcome.INDETERMINATE


def _not_found(body: exchange_pb2.AnswerBody) -> None:
    body.state = exchange_pb2.ANSWER_STATE_NOT_FOUND
    body.fields[0].outcome = exchange_pb2.FIELD_OUTCOME_ABSENT
    body.fields[1].outcome = exchange_pb2.FIELD_OUTCOME_FINDING


def _no_value(disclosed: dict[str, object]) -> None:
    disclosed.clear()
    disclosed["is_married"] = {"effect": "PREDICATE", "finding": "NO"}


def _says_not_found(claims: RecordClaims) -> RecordClaims:
    return dataclasses.replace(claims, state=RecordState.NOT_FOUND)


async def test_not_found_is_signed_by_the_department(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The record says it, and what its predicates find then."""
    double.twists = {"body": _not_found, "disclosed": _no_value}
    double.claims_hook = _says_not_found

    answer = await client.exchange(question)

    assert answer.state is AnswerState.NOT_FOUND
    assert answer.field_named("is_married").finding is Finding.NO


_TOLD_AS = {
    "ANSWERED": lambda _body: None,
    "NOT_FOUND": _not_found,
}


@pytest.mark.parametrize(
    ("told_as", "signed_as"),
    [
        ("ANSWERED", RecordState.NOT_FOUND),
        ("NOT_FOUND", RecordState.FOUND),
        ("NOT_FOUND", RecordState.NOT_TOLD),
    ],
)
async def test_a_state_the_department_did_not_sign_is_found(
    told_as: str,
    signed_as: RecordState,
    client: Client,
    question: Question,
    double: GatewayDouble,
) -> None:
    """The gateway may turn neither "none is held" into an answer nor an answer into that."""
    double.twists = {"body": _TOLD_AS[told_as]}
    if told_as == "NOT_FOUND":
        double.twists["disclosed"] = _no_value
    double.claims_hook = lambda claims: dataclasses.replace(claims, state=signed_as)

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert (told.value.reason, told.value.detail) == (R.STATE_INCONSISTENT, "record")


async def test_an_answer_may_leave_open_whether_a_record_exists(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Where the agreement withholds it, the department signs NOT_TOLD beside its findings."""
    double.claims_hook = lambda claims: dataclasses.replace(claims, state=RecordState.NOT_TOLD)

    answer = await client.exchange(question)

    assert answer.state is AnswerState.ANSWERED


async def test_not_found_has_no_value(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A value of a record that does not exist contradicts itself."""
    double.twists = {
        "body": lambda body: setattr(body, "state", exchange_pb2.ANSWER_STATE_NOT_FOUND)
    }
    double.claims_hook = _says_not_found

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.STATE_INCONSISTENT


async def test_an_untold_finding_is_not_a_no(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A predicate that could not be told is an outcome of its own, with its disclosure."""

    def untold(body: exchange_pb2.AnswerBody) -> None:
        body.fields[1].outcome = exchange_pb2.FIELD_OUTCOME_INDETERMINATE

    double.twists = {
        "body": untold,
        "disclosed": lambda members: members.update(
            is_married={"effect": "PREDICATE", "finding": "INDETERMINATE"}
        ),
    }

    answer = await client.exchange(question)

    field = answer.field_named("is_married")
    assert (field.outcome, field.finding) == (FieldOutcome.INDETERMINATE, Finding.INDETERMINATE)


async def test_a_list_of_values_is_a_tuple(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A field with many values gives all of them."""
    double.twists = {
        "disclosed": lambda members: members.update(
            full_name={"effect": "MASK", "value": ["李*", "王*"]}
        )
    }

    answer = await client.exchange(question)

    assert answer.field_named("full_name").value == ("李*", "王*")


def _derived(body: exchange_pb2.AnswerBody) -> None:
    field = body.fields[3]
    field.outcome = exchange_pb2.FIELD_OUTCOME_VALUE
    field.derived.text = "1980"
    field.derived.source_digest = bytes(32)


async def test_a_derived_value_is_marked(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """What the gateway worked out itself is not the source department's word."""
    double.twists = {"body": _derived}

    answer = await client.exchange(question)

    assert answer.field_named("registered_on").derived
    assert answer.field_named("registered_on").value == "1980"
    assert not answer.field_named("full_name").derived


async def test_an_unknown_name_is_a_key_error(client: Client, question: Question) -> None:
    """A field that was not asked is not there."""
    answer = await client.exchange(question)

    with pytest.raises(KeyError):
        answer.field_named("spouse_id")


async def test_a_record_key_out_of_its_dates_is_found(
    client: Client, question: Question, world: World
) -> None:
    """The department's pinned certificate is believed within its own dates only."""
    at = datetime.fromtimestamp(world.now_ms / 1000, UTC) - timedelta(days=30)
    old = world.authority.issue_signing(
        world.subject, world.record_key, KeyPurpose.RECORD, at=at, lifetime=timedelta(days=1)
    )
    key = pinned_key(old, PROVIDER, KeyPurpose.RECORD)
    identity = dataclasses.replace(client.identity, record_keys={PROVIDER: {key.keyid: key}})
    client._proving = Proving(
        identity=identity, log=client._proving.log, now_ms=client._proving.now_ms
    )

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.RECORD_SIGNER_NOT_CURRENT


def test_a_certificate_that_signs_nothing_is_no_pin(world: World) -> None:
    """A key of a kind we do not sign with cannot be pinned."""
    weak = dataclasses.replace(world.record_certificate, accepted_key=None)

    with pytest.raises(IdentityRefused, match="kind of key"):
        pinned_key(weak, PROVIDER, KeyPurpose.RECORD)


async def test_a_catalog_without_ceiling_is_refused(client: Client, double: GatewayDouble) -> None:
    """An unsigned list has its form too."""

    def spoil(response: catalog_pb2.ListDatasetsResponse) -> None:
        response.datasets[0].fields[0].ceiling = exchange_pb2.EFFECT_UNSPECIFIED

    double.twists = {"looked_up": spoil}

    with pytest.raises(Unproven) as told:
        await client.list_datasets()

    assert told.value.reason is R.PAYLOAD_MALFORMED


async def test_a_breaker_in_no_state_is_refused(client: Client, double: GatewayDouble) -> None:
    """Not stated is nothing to act on; a number of no state is refused by the form."""

    def spoil(response: catalog_pb2.ListDepartmentsResponse) -> None:
        response.departments[0].breaker = catalog_pb2.BREAKER_STATE_UNSPECIFIED

    double.twists = {"looked_up": spoil}

    with pytest.raises(Unproven) as told:
        await client.list_departments()

    assert told.value.reason is R.PAYLOAD_MALFORMED


@pytest.mark.parametrize(
    ("note", "reason"), [(b"no note", R.RECEIPT_MALFORMED), (b"", R.RECEIPT_MALFORMED)]
)
async def test_a_checkpoint_that_is_none_is_found(
    note: bytes, reason: ClientReason, client: Client, double: GatewayDouble
) -> None:
    """GetCheckpoint gives a signed note or nothing."""
    double.twists = {"looked_up": lambda response: setattr(response, "checkpoint", note)}

    with pytest.raises(Unproven) as told:
        await client.get_checkpoint()

    assert told.value.reason is reason


async def test_a_checkpoint_of_another_log_is_found(client: Client, double: GatewayDouble) -> None:
    """The pinned log signs its own origin."""
    other = double.world.sign_note(1, bytes(32), "other.invalid/log")
    double.twists = {"looked_up": lambda response: setattr(response, "checkpoint", other)}

    with pytest.raises(Unproven) as told:
        await client.get_checkpoint()

    assert told.value.reason is R.CHECKPOINT_UNSIGNED


async def test_an_older_tree_is_compared_with_the_newest(
    client: Client, double: GatewayDouble
) -> None:
    """A consistency proof asks for the newest checkpoint where none was seen yet."""
    older = TreeHead(size=1, root_hash=bytes(32))
    double.log.add({"kind": "tick", "queue": 0, "size": 1})

    with pytest.raises(Unproven) as told:
        await client.get_consistency_proof(older)

    assert told.value.reason is R.CONSISTENCY_INVALID


def _checkpoint(client: Client, size: int, root: bytes = bytes(32)) -> ProvenCheckpoint:
    return ProvenCheckpoint(
        origin=ORIGIN,
        head=TreeHead(size=size, root_hash=root),
        extensions=(),
        key=client.identity.log_key,
    )


async def test_what_was_seen_is_bounded(client: Client) -> None:
    """A client that runs for years forgets the oldest heads, and never the newest."""
    log = KnownLog()
    for size in range(1, REMEMBERED + 3):
        log.take(_checkpoint(client, size), b"%d" % size)

    log.take(_checkpoint(client, 1, b"x" * 32), b"")  # forgotten: nothing to compare with
    with pytest.raises(Unproven) as told:
        log.take(_checkpoint(client, REMEMBERED + 2, b"x" * 32), b"")

    assert told.value.reason is R.CHECKPOINT_FORKED
    assert log.size == REMEMBERED + 2
    assert log.newest_checkpoint == b"%d" % (REMEMBERED + 2)


async def test_two_roots_of_one_size_are_a_fork_in_any_answer(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The fork is found wherever the second root shows up."""
    answer = await client.exchange(question)

    with pytest.raises(Unproven) as told:
        client._log.take(_checkpoint(client, answer.receipt.tree.size), b"")

    assert told.value.reason is R.CHECKPOINT_FORKED
    assert double.seen
