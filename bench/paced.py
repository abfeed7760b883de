"""Sends prepared messages at fixed times, however long answers take, and tells what came back.

`python -m bench.paced IDENTITY ADDRESS CORE PLAN` runs in a process of its own and prints one line
of JSON: one `Paced` per lane of the plan. A lane is sent at its own rate over connections of its
own, so that a lane that waits holds up no other; a latency counts from the time a message was due,
so that a server that holds up the sender is not flattered.
"""

import itertools
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
from bench.generator import connect, status_of
from bench.serving import UNARY, pin
from hutong.client import Identity, load_identity
from hutong.exchange.v1 import exchange_pb2

CONNECTIONS: Final = 2
"""Of one lane: a gateway refuses the 257th call of a connection, and a room is to be filled."""
GRACE_S: Final = 5.0
"""How long after its deadline a call may end; gRPC ends it itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One stream of messages; `deadline_s` is the callers' patience."""

    name: str
    corpus: str
    rate: float
    deadline_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """What one lane saw."""

    name: str
    sent: int
    failed: dict[str, int]
    """By gRPC status."""
    told: dict[str, int]
    """Answers by what they told: `ANSWERED`, or why it could not be told."""
    p50_ms: float
    p99_ms: float
    late_ms: float
    """99 of 100 messages left at most so much after they were due."""


@dataclass(slots=True)
class _Seen:
    """What comes back of one lane; the library's threads write, so under a lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)

    def note(self, due: float, answered: "grpc.Future[bytes]") -> None:
        """Note how one call ended."""
        took = time.perf_counter() - due
        error = answered.exception()
        told = told_by(answered.result()) if error is None else ""
        with self.lock:
            self.latencies.append(took)
            if isinstance(error, grpc.RpcError):
                self.failed[status_of(error)] += 1
            else:
                self.told[told] += 1


def told_by(message: bytes) -> str:
    """Return what an answer tells: its state, or why it is indeterminate."""
    payload = exchange_pb2.ExchangeResponse.FromString(message).answer.payload
    body = exchange_pb2.AnswerBody.FromString(exchange_pb2.Answer.FromString(payload).body)
    if body.state == exchange_pb2.ANSWER_STATE_INDETERMINATE:
        reason = exchange_pb2.IndeterminateReason.Name(body.indeterminate_reason)
        return reason.removeprefix("INDETERMINATE_REASON_")
    return exchange_pb2.AnswerState.Name(body.state).removeprefix("ANSWER_STATE_")


def send_lane(identity: Identity, lane: Lane, start: float) -> Paced:
    """Send every message of a lane when it is due, and wait for all that were sent."""
    messages, seen = read_corpus(Path(lane.corpus)), _Seen()
    channels = [connect(identity) for _ in range(CONNECTIONS)]
    calls = _in_turn(channels)
    ended = threading.Semaphore(0)

    def send(due: float, message: bytes) -> None:
        future = next(calls).future(message, timeout=lane.deadline_s)

        def answered(done: "grpc.Future[bytes]") -> None:
            try:
                seen.note(due, done)
            finally:
                ended.release()

        future.add_done_callback(answered)

    for number, message in enumerate(messages):
        due = start + number / lane.rate
        time.sleep(max(0.0, due - time.perf_counter()))
        seen.lateness.append(time.perf_counter() - due)
        send(due, message)
    for _ in messages:
        if not ended.acquire(timeout=lane.deadline_s + GRACE_S):
            seen.failed["NEVER_ENDED"] += 1
    for channel in channels:
        channel.close()
    return _summed_up(lane, seen)


def _in_turn(
    channels: list[grpc.Channel],
) -> Iterator["grpc.UnaryUnaryMultiCallable[bytes, bytes]"]:
    return itertools.cycle([channel.unary_unary(UNARY) for channel in channels])


def _summed_up(lane: Lane, seen: _Seen) -> Paced:
    cuts = _hundredths(seen.latencies)
    return Paced(
        name=lane.name,
        sent=len(seen.lateness),
        failed=dict(seen.failed),
        told=dict(seen.told),
        p50_ms=cuts[49] * 1000,
        p99_ms=cuts[98] * 1000,
        late_ms=_hundredths(seen.lateness)[98] * 1000,
    )


def _hundredths(times: list[float]) -> list[float]:
    return statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99


def main() -> None:
    """Send all lanes at once and print what each saw."""
    directory, address, core, plan = sys.argv[1:]
    pin(core)
    identity = replace(load_identity(Path(directory)), address=address)
    lanes = [Lane(**each) for each in json.loads(Path(plan).read_bytes())]
    # Connections are made first: a handshake is no part of what is measured.
    start = time.perf_counter() + 1.0
    with ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(send_lane, identity, lane, start) for lane in lanes]
    print(json.dumps([asdict(each.result()) for each in running]))


if __name__ == "__main__":
    main()
