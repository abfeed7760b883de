"""Bundles for the tests of policy: the one of the sandbox, and small ones written on the spot."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.policy import Bundle, EngineKind, load_bundle
from tests.policy.writing import START, write_bundle

SANDBOX = Path(__file__).parents[2] / "gateway" / "bundle"

LoadSmall = Callable[..., Bundle]


@pytest.fixture(scope="session")
def sandbox() -> Bundle:
    """Return the compiled bundle of the sandbox."""
    return load_bundle(SANDBOX, START)


@pytest.fixture
def load_small(tmp_path: Path) -> LoadSmall:
    """Return a function that writes a small bundle with some documents replaced, and loads it."""

    def load(
        *, start: date = START, engine: EngineKind = EngineKind.CEL, **documents: object
    ) -> Bundle:
        write_bundle(tmp_path, **documents)
        return load_bundle(tmp_path, start, engine=engine)

    return load
