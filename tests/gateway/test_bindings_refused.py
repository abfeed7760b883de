"""Step 3: a signed statement counts for one sender, one receiver, one method and one short time."""

import dataclasses
import hashlib
from collections.abc import Callable

import pytest

from gateway.errors import Reason
from gateway.opening import MAX_LIFE_MS
from gateway.outcome import Answered
from gateway.progress import LEEWAY_MS
from hutong.client import Identity
from hutong.client.requests import SignedRequest, build_exchange
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import (
    SERVICE,
    core_question,
    moment,
    payload_type_of,
    retold,
    wrapped,
)
from tests.gateway.core import Core, answer_of, body_of
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

Statement = exchange_pb2.ExchangeStatement
Change = Callable[[exchange_pb2.ExchangeStatement], None]
TYPE = payload_type_of(Statement)


def _request(core: Core, identity: Identity, at_ms: int = 0) -> SignedRequest:
    return build_exchange(identity, core_question(identity), moment(at_ms or core.now_ms))


def _set(**members: str | bytes) -> Change:
    def change(statement: exchange_pb2.ExchangeStatement) -> None:
        for name, value in members.items():
            setattr(statement.header, name, value)

    return change


def _lives(milliseconds: int) -> Change:
    def change(statement: exchange_pb2.ExchangeStatement) -> None:
        issued = statement.header.issue_time.ToMilliseconds()
        statement.header.expire_time.FromMilliseconds(issued + milliseconds)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set(sender="11370000MB2DEM0105/recertification"), Reason.SENDER_MISMATCH),
        (_set(sender="11370000MB2DEM0105/nobody"), Reason.SENDER_MISMATCH),
        (_set(receiver="11370000MB2DEM0105/retirement"), Reason.RECEIVER_MISMATCH),
        (_set(receiver="11370000MB2DEM0202/gateway"), Reason.RECEIVER_MISMATCH),
        (_set(method=f"{SERVICE}Explain"), Reason.METHOD_MISMATCH),
        (_set(method="Exchange"), Reason.METHOD_MISMATCH),
        (_set(method=""), Reason.METHOD_MISMATCH),
        (_lives(MAX_LIFE_MS + 1), Reason.LIFE_TOO_LONG),
        (_lives(0), Reason.LIFE_TOO_LONG),
        (_lives(-1), Reason.LIFE_TOO_LONG),
        (_set(sender="retirement"), Reason.STATEMENT_MALFORMED),
        (_set(receiver=""), Reason.STATEMENT_MALFORMED),
        (_set(request_id=b""), Reason.STATEMENT_MALFORMED),
        (_set(request_id=bytes(15)), Reason.STATEMENT_MALFORMED),
        (_set(request_id=bytes(17)), Reason.STATEMENT_MALFORMED),
        (_set(commitment_salt=bytes(31)), Reason.STATEMENT_MALFORMED),
        (_set(retries=bytes(8)), Reason.STATEMENT_MALFORMED),
        (lambda each: each.ClearField("header"), Reason.STATEMENT_MALFORMED),
    ],
)
async def test_a_statement_for_something_else_is_refused(
    core: Core, retirement: Identity, change: Change, reason: Reason
) -> None:
    """Another sender, receiver, method, a long life or a header out of form: refused by name."""
    request = retold(retirement, _request(core, retirement), Statement, change)

    outcome = await core.ask(retirement, request, method=f"{SERVICE}Exchange")

    require_refused(outcome, reason)
    assert core.events == ["refuse"]


async def test_the_longest_life_is_answered(core: Core, retirement: Identity) -> None:
    """A request of exactly 300 seconds is within its bound."""
    request = retold(retirement, _request(core, retirement), Statement, _lives(MAX_LIFE_MS))

    assert isinstance(await core.ask(retirement, request), Answered)


async def test_a_statement_cannot_be_sent_to_another_method(
    core: Core, retirement: Identity
) -> None:
    """A question signed for Exchange is not taken by ExchangeStream, whose payload is the same."""
    request = _request(core, retirement)

    outcome = await core.ask(retirement, request, method=f"{SERVICE}ExchangeStream")

    require_refused(outcome, Reason.METHOD_MISMATCH)


@pytest.mark.parametrize("early_ms", [0, LEEWAY_MS])
async def test_an_issue_time_within_the_leeway_is_answered(
    core: Core, retirement: Identity, early_ms: int
) -> None:
    """A clock that is 30 s ahead still asks."""
    request = build_exchange(
        retirement, dataclasses.replace(core_question(retirement)), moment(core.now_ms + early_ms)
    )

    assert isinstance(await core.ask(retirement, request), Answered)


async def test_a_future_issue_time_is_refused(core: Core, retirement: Identity) -> None:
    """A request from more than 30 s in the future waits for nobody."""
    request = _request(core, retirement, core.now_ms + LEEWAY_MS + 1)

    require_refused(await core.ask(retirement, request), Reason.NOT_YET_VALID)


async def test_an_expired_request_is_refused(core: Core, retirement: Identity) -> None:
    """A request whose life and leeway are over is refused, one millisecond earlier it is not."""
    first, second = _request(core, retirement), _request(core, retirement)
    life_ms = first.expires_at_ms - core.now_ms
    core.clock.advance(life_ms + LEEWAY_MS - 1)
    # The officer's assertion has the same life, in whole seconds; it may go first.
    still = await core.ask(retirement, first)
    core.clock.advance(1)

    late = await core.ask(retirement, second)

    assert not (hasattr(still, "reason") and still.reason is Reason.EXPIRED)
    require_refused(late, Reason.EXPIRED)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: payload + b"\x7a\x01x",
        lambda payload: payload + payload,
        lambda payload: b"\x22\x00" + payload,
        lambda payload: payload[:-1],
        lambda payload: b"\x0a\x00" + payload,
        lambda _payload: b"\xff" * 64,
        lambda _payload: b"\x0a\x02" * 30_000,
        lambda payload: payload.replace(b"XY-2026-201", b"XY-2026-\xff01"),
        lambda payload: b"\x0b\x0c" + payload,
    ],
)
async def test_a_statement_in_another_spelling_is_refused(
    core: Core, retirement: Identity, spoil: Callable[[bytes], bytes]
) -> None:
    """Unknown, repeated, misordered or cut fields are refused although they are signed."""
    payload = spoil(_request(core, retirement).payload)

    outcome = await core.ask_bytes(retirement, wrapped(payload, TYPE, retirement.signer))

    require_refused(outcome, Reason.STATEMENT_MALFORMED)
    assert core.events == ["refuse"]


async def test_an_answer_names_the_request_it_answers(core: Core, retirement: Identity) -> None:
    """The header of an answer holds request id and digest of the request: no other fits it."""
    first, second = _request(core, retirement), _request(core, retirement)

    bodies = [body_of(await core.ask(retirement, request)) for request in (first, second)]

    for request, body in zip((first, second), bodies, strict=True):
        assert body.header.request_id == request.request_id
        assert body.header.request_digest == hashlib.sha256(request.payload).digest()
        assert body.header.receiver == retirement.system_id
        assert body.header.sender == retirement.gateway_id


async def test_an_answer_is_padded(core: Core, retirement: Identity) -> None:
    """The size of a payload is a multiple of 512 bytes."""
    outcome = await core.ask(retirement, _request(core, retirement))

    assert isinstance(outcome, Answered)
    assert answer_of(outcome.envelope).ByteSize() % 512 == 0
