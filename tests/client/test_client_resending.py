"""The same bytes go out again where that is safe, and nowhere else."""

import asyncio
import time

import grpc
import pytest

from hutong.client import Client, ClientReason, Fault, Question, Refused
from hutong.client.errors import RefusalTold
from hutong.client.sending import FIRST_WAIT_S, LONGEST_WAIT_S, waiting_time
from tests.client.double_server import ended, refused
from tests.client.gateway_double import GatewayDouble, Script

UNAVAILABLE = ended(grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize(
    "first",
    [UNAVAILABLE, refused("GATEWAY_BUSY", signed=False), refused("LOG_UNAVAILABLE", receipt=False)],
    ids=["unavailable", "busy", "log"],
)
async def test_the_same_bytes_are_sent_again(
    first: Script, client: Client, question: Question, double: GatewayDouble
) -> None:
    """A gateway that could not take a request gets it again, byte for byte."""
    double.script = [first]

    answer = await client.exchange(question)

    assert len(double.seen) == 2
    assert double.seen[0].payload == double.seen[1].payload
    assert answer.request_id == double.seen[0].header.request_id


@pytest.mark.parametrize("reason", ["NOTHING_GRANTED", "QUOTA_EXHAUSTED", "EXPIRED", "REPLAYED"])
async def test_a_refusal_of_content_is_final(
    reason: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """What the gateway refused is not asked again."""
    double.script = [refused(reason)]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    assert told.value.reason == reason
    assert len(double.seen) == 1


async def test_an_executed_request_is_asked_anew_by_name(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """When the answer was lost on the way, a new request names the old one."""
    double.script = [UNAVAILABLE, refused("REPLAYED")]

    answer = await client.exchange(question)

    first, second, third = double.seen
    assert first.payload == second.payload
    assert third.header.retries == first.header.request_id
    assert third.header.request_id == answer.request_id != first.header.request_id


async def test_an_executed_request_is_asked_anew_once(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A second loss is told, not chased."""
    lost = [UNAVAILABLE, refused("REPLAYED")]
    double.script = [*lost, *lost]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    assert told.value.reason == "REPLAYED"
    assert len(double.seen) == 4


async def test_resending_ends_with_the_deadline(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A gateway that stays away is a fault within the caller's time."""
    double.script = [UNAVAILABLE] * 50
    started = time.monotonic()

    with pytest.raises(Fault) as told:
        await client.exchange(question, timeout_s=0.5)

    assert told.value.reason is ClientReason.UNAVAILABLE
    assert time.monotonic() - started < 2
    assert 1 < len(double.seen) < 10


async def test_a_wait_that_ends_late_tells_what_was_met(
    client: Client, question: Question, double: GatewayDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock ran out between two attempts: nothing was executed, and nobody is told it was."""
    punctual = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda wait_s: punctual(wait_s + 0.5))
    double.script = [UNAVAILABLE]

    with pytest.raises(Fault) as told:
        await client.exchange(question, timeout_s=0.5)

    assert told.value.reason is ClientReason.UNAVAILABLE
    assert len(double.seen) == 1


async def test_a_deadline_in_the_past_sends_nothing(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Without time there is no call."""
    with pytest.raises(Fault) as told:
        await client.exchange(question, timeout_s=0.0)

    assert told.value.reason is ClientReason.DEADLINE_EXCEEDED
    assert double.seen == []


def test_waiting_doubles_within_its_bounds() -> None:
    """Each wait lies in the upper half of its step, and no step is above two seconds."""
    fault = Fault(ClientReason.UNAVAILABLE, "UNAVAILABLE")

    for attempt in range(12):
        step = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
        for octet in (0, 255):
            wait_s = waiting_time(fault, attempt, bytes([octet]) * 16)
            assert wait_s is not None
            assert step / 2 <= wait_s <= step


def test_a_stated_time_is_waited_for() -> None:
    """A gateway that says when to come back is believed, up to the deadline."""
    told = RefusalTold(
        reason="GATEWAY_BUSY",
        side="gateway",
        text_zh="",
        text_en="",
        retry_after_s=7.0,
        signed=False,
        request_id=bytes(16),
    )

    assert waiting_time(Refused(told), 0, bytes(16)) == 7.0


def test_a_lost_deadline_is_not_sent_again() -> None:
    """A call that ran out of time may be under way still."""
    assert waiting_time(Fault(ClientReason.DEADLINE_EXCEEDED), 0, bytes(16)) is None
