"""Runs one server in a process of its own: the gateway of a configuration, or a bare echo.

    gateway  CONFIG
    profiled CONFIG STATISTICS CORE     the gateway, its event loop's thread under cProfile
    echo     CONFIG PORT RESPONSE       one response for everything

Each says `ready` on standard output once it serves, and ends with its standard input. The echo has
the gateway's TLS material and channel options and does nothing: it is what grpcio alone costs.
"""

import asyncio
import cProfile
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, TypeAlias

import grpc
import structlog
import uvloop

from certs.trust_store import load_trust_store
from gateway.app import build_gateway
from gateway.collector import keep_apart_what_lives_on
from gateway.config import load_config, prepare_environment
from gateway.rpc.server import Handlers, build_server, credentials
from gateway.wiring import load_tls

READY: Final = "ready"
UNARY: Final = "/hutong.exchange.v1.ExchangeService/Exchange"
STREAM: Final = "/hutong.exchange.v1.ExchangeService/ExchangeStream"

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"


async def serve_gateway(config: Path) -> None:
    """Serve the gateway until standard input ends."""
    gateway = build_gateway(load_config(config))
    await gateway.start()
    keep_apart_what_lives_on()
    await _until_end()
    await gateway.stop()


async def serve_echo(config_path: Path, port: int, response: bytes) -> None:
    """Answer every message with the same bytes until standard input ends."""

    async def unary(_request: bytes, _context: _Context) -> bytes:
        return response

    async def stream(messages: AsyncIterator[bytes], _context: _Context) -> AsyncIterator[bytes]:
        async for _ in messages:
            yield response

    config = load_config(config_path)
    trust = load_trust_store(config.trust)
    material = load_tls(config.tls, trust.snapshot.tls_roots_pem)
    handlers: Handlers = {
        UNARY: grpc.unary_unary_rpc_method_handler(unary),
        STREAM: grpc.stream_stream_rpc_method_handler(stream),
    }
    server = build_server(handlers, config.limits)
    server.add_secure_port(f"127.0.0.1:{port}", credentials(material, lambda: None))
    await server.start()
    keep_apart_what_lives_on()
    await _until_end()
    await server.stop(None)


async def _until_end() -> None:
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


def pin(core: str) -> None:
    """Keep this process and its threads to come on one core."""
    os.sched_setaffinity(0, {int(core)})


def main() -> None:
    """Run the server the command line names."""
    prepare_environment()
    # One line per refusal must not fill the pipe that carries `ready`.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    kind, config, *rest = sys.argv[1:]
    if kind == "profiled":
        statistics, core = rest
        pin(core)
        profile = cProfile.Profile()
        profile.runcall(uvloop.run, serve_gateway(Path(config)))
        profile.dump_stats(statistics)
        return
    if kind == "gateway":
        uvloop.run(serve_gateway(Path(config)))
        return
    port, response = rest
    uvloop.run(serve_echo(Path(config), int(port), Path(response).read_bytes()))


if __name__ == "__main__":
    main()
