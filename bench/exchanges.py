"""Measures exchanges beside a bare echo: one interleaved run, medians of short loads.

Knows how a run is ordered and what a run must show to count; the load itself is `generator`'s.
Signing takes place between the loads, never during one, so that it competes with nobody.
"""

import asyncio
import json
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from bench.corpus import Build, build_corpus, write_corpus
from bench.generator import Load
from bench.processes import running
from bench.serving import STREAM, UNARY
from bench.world import (
    EDUCATION,
    PARTICIPATION,
    SLUG,
    BenchWorld,
    bench_world,
    build_questions,
    free_port,
    select_answered,
)
from gateway.clock import SystemClock
from hutong.client import Identity, Question
from hutong.client.channel import Connection, channel_options
from hutong.client.requests import build_exchange, build_stream_exchange

GENERATOR_CORE: Final = "0"
MOST_CPU: Final = 0.80
"""Of its own core: above it the generator is what was measured."""
TRIES: Final = 3
"""How often a load is measured whose generator was at its limit; none of those counts."""
CALL_S: Final = 20.0
HANDSHAKES: Final = 9


class Worthless(RuntimeError):
    """A load that measures nothing: refusals, or a generator at its limit."""


class GeneratorAtLimit(Worthless):
    """The generator was what was measured; the next load may find the machine at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How long, how often and from how many callers."""

    rounds: int = 5
    seconds: int = 4
    callers: int = 128
    per_second: int = 2_000
    """Requests signed per second of load; a corpus that is used up makes a load worthless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The median load of one kind."""

    rate: float
    p50_ms: float
    p99_ms: float
    generator_cpu: float
    ratio: float
    """To the echo of the same run."""
    spread: float
    """Largest less smallest rate of its rounds, by the median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of load: where to send what."""

    name: str
    method: str
    questions: tuple[Question, ...] = ()
    build: Build | None = None
    """None for the echo, which takes one message again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Rates by kind of load, and what a fresh connection takes."""

    rows: dict[str, Row]
    handshake_ms: dict[str, float]


async def measure_exchanges(
    folder: Path, shape: Shape, told: Callable[[str], None] = lambda _: None
) -> Measured:
    """Measure echo, exchange, stream and education, round after round; `told` hears of each.

    Raises:
        Worthless: a load was refused, or its generator was at its limit.
    """
    loads: dict[str, list[Load]] = {}
    async with bench_world(folder) as world:
        gateway = running("gateway", str(world.config))
        async with gateway:
            kinds = await _prepare(world, folder)
            echo_port = free_port()
            echo = running("echo", str(world.config), str(echo_port), str(folder / "response"))
            async with echo:
                for number in range(shape.rounds):
                    for kind in kinds:
                        told(f"round {number + 1} of {shape.rounds}: {kind.name}")
                        port = world.port if kind.build else echo_port
                        load = await _measured(world, folder, kind, shape, port)
                        loads.setdefault(kind.name, []).append(load)
                handshakes = {
                    "echo": await _handshake_ms(world.identity, echo_port),
                    "gateway": await _handshake_ms(world.identity, world.port),
                }
    return Measured(rows=build_rows(loads), handshake_ms=handshakes)


async def _handshake_ms(identity: Identity, port: int) -> float:
    """Return the median time to a fresh connection."""
    taken = []
    for _ in range(HANDSHAKES):
        began = time.perf_counter()
        channel = connect_afresh(identity, port)
        await channel.channel_ready()
        taken.append(time.perf_counter() - began)
        await channel.close()
    return statistics.median(taken) * 1000


def connect_afresh(identity: Identity, port: int) -> grpc.aio.Channel:
    """Return a channel that shares no connection with another."""
    tls = identity.tls
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.private_key, tls.chain)
    options = [*channel_options(identity), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


async def _prepare(world: BenchWorld, folder: Path) -> tuple[_Kind, ...]:
    """Find who gets an answer, and keep one request and one response as the echo's sizes."""
    identity = world.identity
    asked = {
        lane.name: tuple(
            each for each, _ in await select_answered(identity, build_questions(identity, lane))
        )
        for lane in (PARTICIPATION, EDUCATION)
    }
    own = asked[PARTICIPATION.name]
    message = next(build_corpus(identity, own, 1, build_exchange, SystemClock().now_ms()))
    write_corpus(folder / "echo", [message])
    connection = Connection(identity)
    (folder / "response").write_bytes(await connection.call(UNARY, message, CALL_S))
    await connection.close()
    return (
        _Kind(name="echo", method=UNARY),
        _Kind(name="exchange", method=UNARY, questions=own, build=build_exchange),
        _Kind(name="stream", method=STREAM, questions=own, build=build_stream_exchange),
        _Kind(
            name="education",
            method=UNARY,
            questions=asked[EDUCATION.name],
            build=build_exchange,
        ),
    )


async def _measured(world: BenchWorld, folder: Path, kind: _Kind, shape: Shape, port: int) -> Load:
    """Measure one load, again where the generator was at its limit; the last try decides."""
    for _ in range(TRIES - 1):
        try:
            return await _run(world, folder, kind, shape, port)
        except GeneratorAtLimit:
            continue
    return await _run(world, folder, kind, shape, port)


async def _run(world: BenchWorld, folder: Path, kind: _Kind, shape: Shape, port: int) -> Load:
    corpus = folder / "echo"
    if kind.build is not None:
        corpus = folder / "corpus"
        count, now_ms = shape.seconds * shape.per_second, SystemClock().now_ms()
        messages = build_corpus(world.identity, kind.questions, count, kind.build, now_ms)
        await asyncio.to_thread(write_corpus, corpus, messages)
    plan = (shape.seconds, shape.callers)
    load = await generate(world, corpus, kind.method, plan, port)
    require_worth(kind.name, load)
    return load


async def generate(
    world: BenchWorld, corpus: Path, method: str, plan: tuple[int, int], port: int = 0
) -> Load:
    """Run the generator in a process of its own and return what it saw."""
    seconds, callers = plan
    command = (
        *(sys.executable, "-m", "bench.generator"),
        str(world.sandbox.world.folders.partner(SLUG)),
        f"127.0.0.1:{port or world.port}",
        *(str(corpus), method, GENERATOR_CORE, str(seconds), str(callers)),
    )
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise Worthless("the generator ended with an error")
    return Load(**json.loads(output))


def require_worth(name: str, load: Load) -> None:
    """Refuse a load that measured refusals, the corpus or the generator.

    Raises:
        Worthless: which of the first two; GeneratorAtLimit for the last.
    """
    if load.failed:
        raise Worthless(f"{name}: calls ended with {load.failed}")
    if load.used_up:
        raise Worthless(f"{name}: more answers than requests were signed for")
    if load.cpu_share > MOST_CPU:
        raise GeneratorAtLimit(f"{name}: the generator used {load.cpu_share:.0%} of its core")


def build_rows(loads: Mapping[str, list[Load]]) -> dict[str, Row]:
    """Return the medians, each rate as a share of the echo of the same round."""
    echoes = [load.rate for load in loads["echo"]]
    return {name: _row(each, echoes) for name, each in loads.items()}


def _row(loads: list[Load], echoes: list[float]) -> Row:
    rates = [load.rate for load in loads]
    median = statistics.median(rates)
    return Row(
        rate=median,
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p99_ms=statistics.median(load.p99_ms for load in loads),
        generator_cpu=max(load.cpu_share for load in loads),
        ratio=statistics.median(r / e for r, e in zip(rates, echoes, strict=True)),
        spread=(max(rates) - min(rates)) / median,
    )
