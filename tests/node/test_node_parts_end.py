"""Parts of a node and of the channel to it that have to end, or to go on, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
import pytest_asyncio

from adapters.kind import NodeLink
from adapters.provider_node.channel import NodeChannel
from adapters.provider_node.wire import METHOD
from adapters.settings import KeyConfig, NodeAddress
from gateway.node.building import RunningNode


class Hanging:
    """A server that takes a call and never answers."""

    def __init__(self) -> None:
        self.called = asyncio.Event()

    async def serve(self, _request: bytes, _context: object) -> bytes:
        """Keep the caller waiting."""
        self.called.set()
        await asyncio.sleep(60)
        return b""


@pytest_asyncio.fixture
async def hanging(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hanging]:
    """A server on loopback that every channel of this test goes to, without TLS."""
    server, hanging = grpc.aio.server(), Hanging()
    service, _, method = METHOD[1:].partition("/")
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        method: grpc.unary_unary_rpc_method_handler(hanging.serve)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    def build(_channel: NodeChannel, _pins: object) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    monkeypatch.setattr(NodeChannel, "_build", build)
    yield hanging
    await server.stop(0)


def _channel() -> NodeChannel:
    tls = KeyConfig(key=Path("none"), passphrase_file=Path("none"))
    link = NodeLink(
        gateway=cast("Any", "gateway"),
        signer=cast("Any", None),
        snapshot=cast("Any", None),
        load_tls=lambda _: (b"", b""),
    )
    return NodeChannel(NodeAddress(address="127.0.0.1:1", tls_server_name=None, tls=tls), link)


async def test_a_channel_that_was_replaced_is_closed_too(hanging: Hanging) -> None:
    """It may finish its calls while another is used; when everything is closed, they are ended."""
    channel = _channel()
    asking = asyncio.create_task(channel.call(b"x", (b"one",), 50.0))
    await asyncio.wait_for(hanging.called.wait(), 20)
    await channel.connect((b"other",), 20.0)
    (replaced,) = channel._replaced.values()
    before = asking.done()

    await channel.close()
    done, _ = await asyncio.wait({asking}, timeout=20)

    assert not before
    assert done == {asking}
    assert replaced.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_a_housekeeper_survives_whatever_stops_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One bad turn costs that turn: revocations are reloaded again afterwards."""
    failures = [OSError("gone"), ValueError("no certificate"), KeyError("keys")]
    turns: list[Exception] = []
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def reload(_node: RunningNode) -> None:
        turns.append(failures[len(turns) % len(failures)])
        if len(turns) > len(failures):
            loop.call_soon_threadsafe(enough.set)
        raise turns[-1]

    nothing = cast("Any", None)
    node = RunningNode(
        config=nothing, node=nothing, trust=nothing, server=nothing, health=nothing, metrics=nothing
    )
    monkeypatch.setattr(RunningNode, "_reload_what_changed", reload)
    monkeypatch.setattr("gateway.node.building.HOUSEKEEPING_S", 0.01)
    keeping = asyncio.create_task(node._keep_house())
    going_on = asyncio.create_task(enough.wait())

    await asyncio.wait({keeping, going_on}, timeout=20, return_when=asyncio.FIRST_COMPLETED)

    assert not keeping.done()
    keeping.cancel()
    (ended,) = await asyncio.gather(keeping, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
