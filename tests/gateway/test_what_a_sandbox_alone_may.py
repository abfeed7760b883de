"""Sandbox keys serve no real exchange, and only a sandbox tells strangers its methods."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2

from gateway.app import Gateway, _open_log, build_gateway
from gateway.cli.sandbox.running import Sandbox
from gateway.clock import SystemClock
from gateway.config import Config, LimitConfig, load_config
from gateway.credentials import ConfigError
from gateway.rpc.server import SERVICES, add_reflection, build_server
from hutong.client import Identity
from hutong.client.channel import channel_options

pytestmark = pytest.mark.asyncio(loop_scope="session")

METHOD = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
LISTING = reflection_pb2.ServerReflectionRequest(list_services="")


def _real(sandbox: Sandbox) -> Config:
    """Return the sandbox's configuration as if it were a real gateway's."""
    config = load_config(sandbox.world.folders.config)
    return config.model_copy(update={"sandbox": False})


async def _listed(channel: grpc.aio.Channel) -> set[str]:
    ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(METHOD)
    call = ask(iter([LISTING.SerializeToString()]), timeout=5)
    answers = [reflection_pb2.ServerReflectionResponse.FromString(each) async for each in call]
    return {each.name for answer in answers for each in answer.list_services_response.service}


@asynccontextmanager
async def _plain(
    others: Sequence[Callable[[grpc.aio.Server], None]],
) -> AsyncIterator[grpc.aio.Channel]:
    """Run a server without methods of its own, on loopback and without TLS."""
    server = build_server({}, LimitConfig(), others=others)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


async def test_a_sandbox_anchor_serves_no_real_exchange(sandbox: Sandbox) -> None:
    """Whoever holds a key of a developer's machine could be any department."""
    with pytest.raises(ConfigError, match="sandbox anchor"):
        build_gateway(_real(sandbox))


async def test_a_sandbox_log_serves_no_real_exchange(sandbox: Sandbox) -> None:
    """Receipts under `sandbox.invalid` prove nothing to anybody."""
    with pytest.raises(ConfigError, match="sandbox origin"):
        _open_log(_real(sandbox), SystemClock())


async def test_a_sandbox_lists_its_services(gateway: Gateway, retirement: Identity) -> None:
    """A newcomer may look around, over mutual TLS like everything else."""
    tls = retirement.tls
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.private_key, tls.chain)
    assert gateway.config.sandbox
    async with grpc.aio.secure_channel(
        retirement.address, credentials, options=channel_options(retirement)
    ) as channel:
        assert await _listed(channel) >= set(SERVICES)


async def test_reflection_is_there_only_where_it_is_added() -> None:
    """Without it the method does not exist: what strangers send is parsed by nobody."""
    async with _plain([add_reflection]) as channel:
        assert await _listed(channel) >= set(SERVICES)
    async with _plain([]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _listed(channel)

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
