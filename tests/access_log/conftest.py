"""Fixtures of the access log: a folder for a log, and a log that is closed again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.access_log.log import AccessLog
from tests.access_log.drafts import LogHome


@pytest.fixture
def home(tmp_path: Path) -> LogHome:
    """An empty folder for a log."""
    return LogHome(tmp_path)


@pytest.fixture
def log(home: LogHome) -> Iterator[AccessLog]:
    """A new log."""
    opened = home.open()
    yield opened
    opened.close()
