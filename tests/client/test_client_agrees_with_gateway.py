"""What the SDK spells for itself is what the gateway says: the one may not import the other."""

import pytest

from adapters import port
from gateway.errors import Reason
from gateway.exits import WITHOUT_RECEIPT as LOGGED_TOGETHER
from gateway.rpc import status
from gateway.statement.answer import ANSWER_TYPE, REFUSAL_TYPE
from gateway.statement.request import MAX_CLAIMS, MAX_FIELDS, MAX_QUERIES
from gateway.statement.wrapper import MAX_MESSAGE_BYTES
from hutong.client import AnswerState, Effect, FieldOutcome, Finding, IndeterminateReason
from hutong.client import proof as proving
from hutong.client import questions as asked
from hutong.client.refusals import BEFORE_HEADER, DETAILS_KEY, DOMAIN, WITHOUT_RECEIPT
from hutong.client.sending import AGAIN, EXECUTED
from hutong.exchange.v1 import exchange_pb2


def test_refusals_without_receipt_are_the_same() -> None:
    """The client believes without receipt exactly what the gateway logs together."""
    assert {reason.value for reason in LOGGED_TOGETHER} == WITHOUT_RECEIPT


@pytest.mark.parametrize("reasons", [BEFORE_HEADER, AGAIN, {EXECUTED}])
def test_reasons_the_client_acts_on_exist(reasons: set[str]) -> None:
    """A reason with another name would be acted on never."""
    assert reasons <= {reason.value for reason in Reason}


def test_types_and_bounds_are_the_same() -> None:
    """Payload types and sizes are spelled alike on both sides."""
    assert (proving.ANSWER_TYPE, proving.REFUSAL_TYPE) == (ANSWER_TYPE, REFUSAL_TYPE)
    assert proving.MAX_MESSAGE == MAX_MESSAGE_BYTES
    assert (asked.MAX_FIELDS, asked.MAX_CLAIMS) == (MAX_FIELDS, MAX_CLAIMS)
    assert asked.MAX_QUERIES == MAX_QUERIES


def test_status_details_are_found_where_they_are_put() -> None:
    """Domain and key of the details are the gateway's."""
    assert (DOMAIN, DETAILS_KEY) == (status.DOMAIN, status.DETAILS_KEY)


def _names(names: list[str], prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in names} - {"UNSPECIFIED"}


def test_enumerations_are_those_of_the_contract() -> None:
    """No state, outcome, effect or reason of the contract is unknown to the SDK."""
    exchange = exchange_pb2

    assert _names(exchange.AnswerState.keys(), "ANSWER_STATE_") == {*AnswerState}
    assert _names(exchange.FieldOutcome.keys(), "FIELD_OUTCOME_") == {*FieldOutcome}
    assert _names(exchange.Effect.keys(), "EFFECT_") == {*Effect}
    assert _names(exchange.IndeterminateReason.keys(), "INDETERMINATE_REASON_") == {
        *IndeterminateReason
    }


def test_findings_are_those_of_the_adapters() -> None:
    """A finding of a department is a finding here."""
    assert {*Finding} == {each.value for each in port.Finding}
