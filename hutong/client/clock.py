"""The one reader of wall time in a partner's process, for those who give no clock of their own."""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Returns UTC milliseconds."""


def system_clock() -> int:
    """Return UTC milliseconds of this machine."""
    return time.time_ns() // 1_000_000
