"""Fixtures: empty tables and an adapter over them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.kinds.hrss import (
    HrssAdapter,
)
from adapters.records import RecordSource
from tests.adapters.hrss.tables import SHAPES, Tables


@pytest.fixture
async def tables(tmp_path: Path) -> AsyncIterator[Tables]:
    """Give empty tables."""
    tables = Tables(tmp_path / "hrss.sqlite")
    yield tables
    tables.close()


@pytest.fixture
async def adapter(tables: Tables, source: RecordSource) -> AsyncIterator[HrssAdapter]:
    """Give an adapter over the tables."""
    adapter = HrssAdapter(
        source=source, datasets=frozenset(shape.name for shape in SHAPES), database=tables.path
    )
    yield adapter
    await adapter.close()
