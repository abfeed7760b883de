"""Fixtures of adapter tests: a signer and whose records it signs."""

import pytest

from adapters.records import RecordSource
from signing.signer import FileSigner
from tests.adapters.asking import ORGANISATION, RECORD_KEY


@pytest.fixture(scope="session")
def source() -> RecordSource:
    """Return whose records the tests read."""
    return RecordSource(organisation=ORGANISATION, signer=FileSigner.of(RECORD_KEY))
