"""A log of ten exchanges, made by the naive writer of the verifier's tests."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.evidence.synthetic_log import ORIGIN, Signer, SyntheticLog


@pytest.fixture
def log() -> SyntheticLog:
    """Ten exchanges, each committed as a batch of its own: twenty entries, all signed for."""
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"storm").digest())
    log = SyntheticLog(Signer(ORIGIN, key))
    log.sign()
    for number in range(10):
        exchange(log, number)
    return log


def exchange(log: SyntheticLog, number: int) -> int:
    """Append one exchange in two signed batches and return the place of its answer."""
    asked = log.ask(number)
    log.sign()
    answered = log.answer(number, asked)
    log.sign()
    return answered
