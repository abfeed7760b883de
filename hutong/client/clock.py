"""The clock of a partner's process, for those who give none of their own."""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Returns UTC milliseconds."""


def system_clock() -> int:
    """Return UTC milliseconds of this machine."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - a partner's process has no gateway.clock
