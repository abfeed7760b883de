"""The department's own tables, read from a SQLite file (docs/adapters/hrss.md)."""

from adapters.kinds.hrss.adapter import HrssAdapter
from adapters.kinds.hrss.kind import KIND
from adapters.kinds.hrss.reading import (
    DATASETS,
    IS_INSURED,
    IS_QUALIFIED,
    IS_RECEIVING,
    IS_REGISTERED,
    IS_VALID_CARD,
)

__all__ = [
    "DATASETS",
    "IS_INSURED",
    "IS_QUALIFIED",
    "IS_RECEIVING",
    "IS_REGISTERED",
    "IS_VALID_CARD",
    "KIND",
    "HrssAdapter",
]
