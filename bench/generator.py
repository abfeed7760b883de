"""Sends prepared messages as fast as a server answers, and demands status OK of each.

`python -m bench.generator IDENTITY ADDRESS CORPUS METHOD CORE SECONDS CALLERS` runs in a process
of its own on a core of its own, and prints one line of JSON (`Load`). A corpus of one message is
sent again and again, which suits the echo alone: a gateway answers the second time from what it
kept.

The library's synchronous futures are used: their completions are delivered by one thread per
channel, which costs a call about half of what an event loop does.
"""

import json
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import grpc

from bench.corpus import read_corpus
from bench.serving import STREAM, pin
from hutong.client import Identity, load_identity
from hutong.client.channel import channel_options
from hutong.exchange.v1 import exchange_pb2

CONNECTIONS: Final = 4
"""A server is not measured by one connection: each has its own flow control and TLS state."""
CALL_S: Final = 20.0
CONNECT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of the generator saw."""

    answered: int
    seconds: float
    failed: dict[str, int]
    """By gRPC status; anything here makes the run worthless."""
    p50_ms: float
    p99_ms: float
    cpu_share: float
    """Of the generator's own core; near 1 the generator is what was measured."""
    used_up: bool
    """The corpus ended before the time did."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


@dataclass(slots=True)
class _Run:
    """Messages still to be sent, and what came of those that were."""

    messages: Iterator[bytes]
    seconds: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    latencies: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    used_up: bool = False
    until: float = 0.0

    def begin(self) -> float:
        """Start the clock."""
        began = time.perf_counter()
        self.until = began + self.seconds
        return began

    def take(self) -> bytes | None:
        """Return the next message; None when there is none or the time is over."""
        if time.perf_counter() >= self.until:
            return None
        with self.lock:
            message = next(self.messages, None)
        self.used_up = self.used_up or message is None
        return message


class _Caller:
    """One of the callers at once: sends its next message when the last one is answered."""

    def __init__(self, run: _Run, channel: grpc.Channel, method: str) -> None:
        self._run = run
        self._call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
        self._sent = 0.0
        self.ended = threading.Event()

    def send(self) -> None:
        """Send one message, or end."""
        message = self._run.take()
        if message is None:
            self.ended.set()
            return
        self._sent = time.perf_counter()
        future = self._call.future(message, timeout=CALL_S)
        future.add_done_callback(self._answered)

    def _answered(self, future: "grpc.Future[bytes]") -> None:
        self._run.latencies.append(time.perf_counter() - self._sent)
        error = future.exception()
        if isinstance(error, grpc.RpcError):
            self._run.failed[status_of(error)] += 1
        self.send()


def send_unary(run: _Run, channels: list[grpc.Channel], method: str, callers: int) -> float:
    """Send all over unary calls; return how long it took."""
    all_callers = [_Caller(run, channels[n % len(channels)], method) for n in range(callers)]
    began = run.begin()
    for caller in all_callers:
        caller.send()
    for caller in all_callers:
        caller.ended.wait(run.seconds + CALL_S)
    return time.perf_counter() - began


def send_streams(run: _Run, channels: list[grpc.Channel], method: str, callers: int) -> float:
    """Send all over one stream per connection; return how long it took."""
    began = run.begin()
    with ThreadPoolExecutor(len(channels)) as pool:
        room = callers // len(channels)
        ended = [pool.submit(_send_stream, run, each, method, room) for each in channels]
    for each in ended:
        each.result()
    return time.perf_counter() - began


def _send_stream(run: _Run, channel: grpc.Channel, method: str, room: int) -> None:
    """Keep so many messages of one stream under way; answers of a stream come in any order."""
    free, sent = threading.Semaphore(room), []

    def questions() -> Iterator[bytes]:
        while free.acquire(timeout=CALL_S) and (message := run.take()) is not None:
            sent.append(time.perf_counter())
            yield message

    call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
    try:
        for number, message in enumerate(call(questions(), timeout=run.seconds + CALL_S)):
            run.latencies.append(time.perf_counter() - sent[number])
            if exchange_pb2.ExchangeStreamResponse.FromString(message).HasField("refusal"):
                run.failed["REFUSED"] += 1
            free.release()
    except grpc.RpcError as error:
        run.failed[status_of(error)] += 1


def measure(identity: Identity, messages: list[bytes], method: str, plan: tuple[int, int]) -> Load:
    """Send for some seconds from so many callers at once, over several connections."""
    seconds, callers = plan
    channels = [connect(identity) for _ in range(CONNECTIONS)]
    repeated = iter(lambda: messages[0], None) if len(messages) == 1 else iter(messages)
    run = _Run(messages=repeated, seconds=seconds)
    cpu = time.process_time()
    send = send_streams if method == STREAM else send_unary
    elapsed = send(run, channels, method, callers)
    cpu = time.process_time() - cpu
    for channel in channels:
        channel.close()
    cuts = statistics.quantiles(run.latencies, n=100) if len(run.latencies) > 1 else [0.0] * 99
    return Load(
        answered=len(run.latencies) - sum(run.failed.values()),
        seconds=elapsed,
        failed=dict(run.failed),
        p50_ms=cuts[49] * 1000,
        p99_ms=cuts[98] * 1000,
        cpu_share=cpu / elapsed,
        used_up=run.used_up,
    )


def connect(identity: Identity) -> grpc.Channel:
    """Return a channel with a connection of its own, made."""
    tls = identity.tls
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.private_key, tls.chain)
    # Channels to one address would share a connection otherwise.
    options = [*channel_options(identity), ("grpc.use_local_subchannel_pool", 1)]
    channel = grpc.secure_channel(identity.address, credentials, options=options)
    grpc.channel_ready_future(channel).result(CONNECT_S)
    return channel


def status_of(error: grpc.RpcError) -> str:
    """Return the status a call ended with."""
    code = getattr(error, "code", None)
    return code().name if callable(code) else "UNKNOWN"


def main() -> None:
    """Run one load and print what it saw."""
    directory, address, corpus, method, core, seconds, callers = sys.argv[1:]
    pin(core)
    identity = replace(load_identity(Path(directory)), address=address)
    messages = read_corpus(Path(corpus))
    load = measure(identity, messages, method, (int(seconds), int(callers)))
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()
