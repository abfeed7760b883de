"""What the parts of an exchange cost alone: signatures, the scan of a message, a record.

They are the floor below which no exchange can come, and tell a slow machine from slow code.
"""

import statistics
import time
from collections.abc import Callable
from typing import Final

from bench.samples import PAYLOAD_TYPE, SLOTS, build_samples
from certs.algorithms import PrivateKey, Suite, generate_private_key, verify_signature
from hutong.exchange.v1 import exchange_pb2
from signing.assertion import verify_assertion
from signing.encoding import pae
from signing.record import issue_record, verify_record
from signing.wire import require_canonical

ROUNDS: Final = 9
ROUND_S: Final = 0.05


def measure() -> dict[str, float]:
    """Return microseconds per act, the median of several rounds."""
    samples = build_samples()
    message = pae(PAYLOAD_TYPE, samples.statement)
    acts: dict[str, Callable[[], object]] = {}
    for suite in Suite:
        acts |= _suite_acts(suite, message)
    descriptor = exchange_pb2.ExchangeStatement.DESCRIPTOR
    officers = {samples.officer_key.keyid: samples.officer_key}
    key = samples.record_key.certificate.public_key
    acts |= {
        f"scan {len(samples.statement)} B": lambda: require_canonical(
            samples.statement, descriptor
        ),
        "issue record": lambda: issue_record(
            samples.record_signer, samples.record_claims, SLOTS, samples.disclosed
        ),
        "verify record": lambda: verify_record(samples.record, key, samples.expected_record),
        "verify assertion": lambda: verify_assertion(
            samples.assertion, officers, samples.expected_assertion
        ),
    }
    return {name: _microseconds(act) for name, act in acts.items()}


def _suite_acts(suite: Suite, message: bytes) -> dict[str, Callable[[], object]]:
    key: PrivateKey = generate_private_key(suite)
    public, signature = key.public_key, key.sign(message)
    return {
        f"sign {suite}": lambda: key.sign(message),
        f"verify {suite}": lambda: verify_signature(public, signature, message),
    }


def _microseconds(act: Callable[[], object]) -> float:
    act()
    return statistics.median(_round(act) for _ in range(ROUNDS))


def _round(act: Callable[[], object]) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < ROUND_S:
        act()
        count += 1
    return (time.perf_counter() - began) / count * 1e6


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:<24}{value:>10.1f} us")
