"""Builds the adapter of HRSS's own tables from its section of the configuration."""

from typing import Final

from adapters.kind import Kind, Parts
from adapters.kinds.hrss.adapter import HrssAdapter, find_lacking
from adapters.kinds.hrss.reading import DATASETS
from adapters.settings import HrssConfig


def _build(config: HrssConfig, parts: Parts) -> HrssAdapter:
    return HrssAdapter(source=parts.source, datasets=parts.datasets, database=config.database)


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
