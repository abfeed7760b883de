"""Faults within the dialect: records that are well-formed and wrong."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from adapters.simulators.education.faults import Fault
from adapters.simulators.education.shapes import Members

_MANDATORY: Final = frozenset({"zsbh", "xwzsbh", "xjzt"})
"""One member of each record that never is empty."""


def _cancelled(record: Members) -> Members:
    return record | {"zt": "注销"}


def _contradicting(record: Members) -> Members:
    """Say of a degree that it is not revoked, and since when it is."""
    if "cxbz" not in record:
        return record
    return record | {"cxbz": "0", "cxrq": "20190630", "zt": "有效"}


def _emptied(record: Members) -> Members:
    return {name: "" if name in _MANDATORY else value for name, value in record.items()}


DISTORTIONS: Final = MappingProxyType[Fault, Callable[[Members], Members]](
    {
        Fault.RECORD_CANCELLED: _cancelled,
        Fault.REVOCATION_CONTRADICTS: _contradicting,
        Fault.EMPTY_MANDATORY: _emptied,
    }
)
"""What a fault makes of a record."""
