"""The synchronous face is the same client in a thread of its own."""

import asyncio
import dataclasses
import inspect
import threading
from collections.abc import Iterator

import pytest

from hutong.client import (
    Answered,
    Client,
    ClientReason,
    Identity,
    MatterQuestion,
    Question,
    SyncClient,
    Unproven,
)
from tests.client.double_server import serve
from tests.client.gateway_double import GatewayDouble
from tests.client.synthetic_world import World


@pytest.fixture
def sync_client(double: GatewayDouble, identity: Identity, world: World) -> Iterator[SyncClient]:
    """A synchronous client; the double runs in another thread, as a gateway would elsewhere."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server, port = asyncio.run_coroutine_threadsafe(serve(double), loop).result()
    at_port = dataclasses.replace(identity, address=f"127.0.0.1:{port}")
    with SyncClient.open(at_port, clock=lambda: world.now_ms) as client:
        yield client
    asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_every_call_works_without_asyncio(
    sync_client: SyncClient, question: Question, matter: MatterQuestion
) -> None:
    """Each method gives what the asynchronous one gives."""
    answer = sync_client.exchange(question)
    outcomes = sync_client.exchange_matter(matter)
    streamed = list(sync_client.exchange_stream([question] * 3))

    assert len(outcomes) == 3
    assert [type(each.outcome) for each in streamed] == [Answered] * 3
    assert sync_client.get_result(answer.request_id, question).provider == answer.provider
    assert sync_client.explain(question).fields
    assert sync_client.list_datasets()
    assert sync_client.list_departments().departments
    assert sync_client.list_agreements().agreements
    assert sync_client.get_receipt(answer.request_id).index == answer.receipt.index
    checkpoint = sync_client.get_checkpoint()
    assert sync_client.get_inclusion_proof(0).tree == checkpoint.head
    assert sync_client.get_consistency_proof(answer.receipt.tree)
    assert sync_client.newest_checkpoint


def test_errors_cross_the_thread(
    sync_client: SyncClient, question: Question, double: GatewayDouble
) -> None:
    """What is not proven is raised where it was asked."""
    double.signer = double.world.stranger

    with pytest.raises(Unproven) as told:
        sync_client.exchange(question)

    assert told.value.reason is ClientReason.SIGNER_UNKNOWN


def test_a_stream_can_be_left_early(sync_client: SyncClient, question: Question) -> None:
    """Closing the iterator ends the call; the client works on."""
    stream = sync_client.exchange_stream([question] * 5)

    next(stream)
    stream.close()

    assert sync_client.exchange(question).fields


def test_closing_twice_is_closing(sync_client: SyncClient) -> None:
    """The thread ends once."""
    sync_client.close()
    sync_client.close()


def test_a_bad_checkpoint_leaves_no_thread(identity: Identity) -> None:
    """A client that cannot be opened takes its thread along."""
    before = threading.active_count()

    with pytest.raises(Unproven):
        SyncClient.open(identity, known_checkpoint=b"no note")

    assert threading.active_count() == before


def test_both_faces_have_the_same_methods() -> None:
    """A method of one is a method of the other, with the same parameters."""
    hidden = {"identity"}

    def shape(face: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(face, inspect.isroutine)
            if not name.startswith("_")
        }

    assert shape(Client).keys() - hidden == shape(SyncClient).keys()
    assert all(shape(Client)[name] == shape(SyncClient)[name] for name in shape(SyncClient))
