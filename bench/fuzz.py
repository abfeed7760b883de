"""Throws changed specimens at every parser of ours for a bounded time: `python -m bench.fuzz`.

What must hold: a parser returns, or raises an error it declares; either within a second of its own
computing, whatever else the machine does. All else is printed with the seed that brings it back,
and the input is kept.
"""

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

from rich.console import Console
from rich.table import Table

from bench.mutations import mutate
from bench.samples import Samples, build_samples
from gateway.catalog.document import parse_document, require_list
from gateway.catalog.problems import PolicyRefused
from gateway.policy.document import parse_agreement
from gateway.statement.wrapper import parse_wrapper
from hutong.evidence import (
    EvidenceError,
    parse_log_key,
    parse_receipt,
    parse_tlog_proof,
    verify_checkpoint,
    verify_receipt,
)
from hutong.exchange.v1 import exchange_pb2
from signing.assertion import verify_assertion
from signing.encoding import JsonLimits, parse_json_strict
from signing.errors import SigningError
from signing.record import verify_record
from signing.wire import parse_signed

SECONDS: Final = 60
LONGEST_S: Final = 1.0
BATCH: Final = 200
KEPT: Final = Path(__file__).parent / "results" / "fuzz"
_LIMITS: Final = JsonLimits(max_bytes=65_536)
_START: Final = date(2026, 11, 23)

Parse = Callable[[bytes], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser, a specimen it takes, and the errors it declares."""

    name: str
    parse: Parse
    specimen: bytes
    declared: tuple[type[Exception], ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one target did."""

    tried: int = 0
    taken: int = 0
    slowest_s: float = 0.0
    """Of the thread's own time."""
    failures: int = 0


def build_targets(samples: Samples) -> tuple[Target, ...]:
    """Return every parser with its specimen."""
    record_key = samples.record_key.certificate.public_key
    officers = {samples.officer_key.keyid: samples.officer_key}

    def judge_record(raw: bytes) -> object:
        return verify_record(_text(raw), record_key, samples.expected_record)

    def judge_assertion(raw: bytes) -> object:
        return verify_assertion(_text(raw), officers, samples.expected_assertion)

    def judge_receipt(raw: bytes) -> object:
        return verify_receipt(parse_receipt(raw), samples.log_key)

    rows: tuple[tuple[str, Parse, bytes, type[Exception]], ...] = (
        (
            "statement",
            lambda raw: parse_signed(raw, exchange_pb2.ExchangeStatement),
            samples.statement,
            SigningError,
        ),
        ("envelope wrapper", parse_wrapper, samples.message, SigningError),
        ("record", judge_record, samples.record.encode(), SigningError),
        ("assertion", judge_assertion, samples.assertion.encode(), SigningError),
        ("JSON", lambda raw: parse_json_strict(raw, _LIMITS), samples.json, SigningError),
        ("receipt", judge_receipt, samples.receipt, EvidenceError),
        ("tlog-proof", parse_tlog_proof, samples.tlog_proof, EvidenceError),
        (
            "checkpoint",
            lambda raw: verify_checkpoint(raw, samples.log_key),
            samples.note,
            EvidenceError,
        ),
        (
            "log key",
            lambda raw: parse_log_key(_text(raw)),
            samples.log_key_text.encode(),
            EvidenceError,
        ),
        ("agreements", judge_agreements, samples.agreement.encode(), PolicyRefused),
    )
    return tuple(
        Target(name=name, parse=parse, specimen=specimen, declared=(error,))
        for name, parse, specimen, error in rows
    )


def judge_agreements(raw: bytes) -> object:
    """Read a file of agreements as `load_bundle` does."""
    return [parse_agreement(n, _START) for n in require_list(parse_document(_text(raw), "fuzz"))]


def fuzz(targets: tuple[Target, ...], seconds: float, seed: int) -> dict[str, Tally]:
    """Give each target a batch in turn until the time is over."""
    specimens = [target.specimen for target in targets]
    tallies = {target.name: Tally() for target in targets}
    until = time.monotonic() + seconds
    for batch in _count():
        for target in targets:
            # A generator of its own per batch: a finding can be brought back without the rest.
            label = f"{seed}/{target.name}/{batch}"
            chance = random.Random(label)  # noqa: S311  repeatable inputs, no secret
            for _ in range(BATCH):
                _try(target, mutate(target.specimen, specimens, chance), tallies[target.name])
                if time.monotonic() >= until:
                    return tallies
    return tallies


def _try(target: Target, raw: bytes, tally: Tally) -> None:
    trouble, took = _timed(target, raw)
    if took > LONGEST_S:
        # Once more: the collector may have walked through the whole heap just then.
        trouble, again = _timed(target, raw)
        took = min(took, again)
    tally.tried += 1
    tally.taken += trouble is None
    tally.slowest_s = max(tally.slowest_s, took)
    if took > LONGEST_S:
        trouble = f"computed for {took:.1f} s"
    if trouble:
        tally.failures += 1
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / f"{target.name.replace(' ', '-')}-{hashlib.sha256(raw).hexdigest()[:16]}"
        path.write_bytes(raw)
        print(f"{target.name}: {trouble}; input kept as {path.name}", file=sys.stderr)


def _timed(target: Target, raw: bytes) -> tuple[str | None, float]:
    # The thread's own time: parsers wait for nothing, and a busy machine is not their fault.
    began = time.thread_time()
    return run_one(target, raw), time.thread_time() - began


def run_one(target: Target, raw: bytes) -> str | None:
    """Parse one input; None when it is taken, "" when refused as declared, else the error."""
    with _Caught() as caught, suppress(*target.declared):
        target.parse(raw)
        return None
    if caught.error is None:
        return ""
    return f"{type(caught.error).__name__} is not declared"


class _Caught:
    """Keeps whatever error leaves a block; the one place of the fuzzer that may see them all."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Keep the error, unless somebody wants the program to stop."""
        self.error = error
        return not isinstance(error, KeyboardInterrupt | SystemExit)


def _text(raw: bytes) -> str:
    """Return bytes as a caller would hold them; every byte has a character."""
    return raw.decode("utf-8", "replace")


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def build_table(tallies: dict[str, Tally]) -> Table:
    """Return what each target did."""
    table = Table("parser", "inputs", "taken", "slowest", "failures")
    for name, tally in tallies.items():
        slowest = f"{tally.slowest_s * 1000:.1f} ms"
        table.add_row(name, str(tally.tried), str(tally.taken), slowest, str(tally.failures))
    return table


def main() -> None:
    """Fuzz, print the table, and end with 1 if anything else than declared happened."""
    parser = argparse.ArgumentParser(description="mutation fuzzing of every parser")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tallies = fuzz(build_targets(build_samples()), options.seconds, options.seed)
    Console().print(build_table(tallies))
    sys.exit(any(tally.failures for tally in tallies.values()))


if __name__ == "__main__":
    main()
