"""A log of ten exchanges, the same in every run."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.evidence.synthetic_log import ORIGIN, Signer, SyntheticLog


@pytest.fixture
def signer() -> Signer:
    """The log's own signer, the same in every run."""
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest()))


@pytest.fixture
def log(signer: Signer) -> SyntheticLog:
    """Ten exchanges, each committed as a batch of its own, and one ask that is under way."""
    log = SyntheticLog(signer)
    log.sign()
    for number in range(10):
        asked = log.ask(number)
        log.sign()
        log.answer(number, asked)
        log.sign()
    log.add(kind="tick", queue=0, size=len(log.entries))
    log.ask(10)
    log.sign()
    return log
