"""A stream that is owed nothing and says nothing is ended; one that waits for an answer is not."""

import asyncio
from collections.abc import Mapping

import grpc
import pytest

from adapters.port import DatasetName
from adapters.records import RecordSource
from gateway.app import Gateway
from hutong.client import Client, Identity
from hutong.client.channel import StreamCall
from hutong.client.clock import system_clock
from hutong.client.requests import SignedRequest, build_stream_exchange
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import core_question, insured_question, moment
from tests.gateway.core import SpyAdapter

pytestmark = pytest.mark.asyncio(loop_scope="session")

IDLE_S = 0.4
METHOD = "/hutong.exchange.v1.ExchangeService/ExchangeStream"
REGISTER = DatasetName("ps.person_core@1")


@pytest.fixture
def department(
    gateway: Gateway, sources: Mapping[str, RecordSource], monkeypatch: pytest.MonkeyPatch
) -> SpyAdapter:
    """Put a department behind the running gateway that answers when its gate is opened."""
    monkeypatch.setattr("gateway.rpc.stream.IDLE_S", IDLE_S)
    spy = SpyAdapter(sources["ps."], frozenset({REGISTER}), [], gate=asyncio.Event())
    adapters = gateway.exchange._parts.adapters
    assert isinstance(adapters, dict)
    monkeypatch.setitem(adapters, REGISTER, spy)
    return spy


def _slow(identity: Identity) -> SignedRequest:
    return build_stream_exchange(identity, core_question(identity), moment(system_clock()))


def _quick(identity: Identity) -> SignedRequest:
    return build_stream_exchange(identity, insured_question(identity), moment(system_clock()))


async def _answered(call: StreamCall) -> bytes:
    """Return which question the next answer is of."""
    message = await call.read()
    assert isinstance(message, bytes)
    response = exchange_pb2.ExchangeStreamResponse.FromString(message)
    assert response.HasField("answer")
    return response.request_id


async def test_silence_is_lawful_while_an_answer_is_owed(
    client: Client, retirement: Identity, department: SpyAdapter
) -> None:
    """Who waits for a slow department may ask on, however long it has taken."""
    assert department.gate is not None
    slow, quick = _slow(retirement), _quick(retirement)
    call = client._connection.open_stream(METHOD)
    await call.write(slow.message)
    await asyncio.sleep(2 * IDLE_S)

    await call.write(quick.message)

    assert await _answered(call) == quick.request_id
    department.gate.set()
    assert await _answered(call) == slow.request_id
    await call.done_writing()


async def test_silence_counts_from_the_last_answer(
    client: Client, retirement: Identity, department: SpyAdapter
) -> None:
    """After its answer a stream has the whole time again, and then ends with OK."""
    assert department.gate is not None
    call = client._connection.open_stream(METHOD)
    await call.write(_slow(retirement).message)
    await asyncio.sleep(0.8 * IDLE_S)
    department.gate.set()
    await _answered(call)
    await asyncio.sleep(0.6 * IDLE_S)

    await call.write(_quick(retirement).message)
    await _answered(call)

    async with asyncio.timeout(4 * IDLE_S):
        assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK
