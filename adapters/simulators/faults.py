"""Which faults of a simulator are switched on, and how often each still strikes.

Knows no department: each simulator brings its own closed list of names.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Generic, TypeVar

F = TypeVar("F", bound=StrEnum)


class FaultBoard(Generic[F]):
    """The switches of one simulator. A count of None strikes until cleared."""

    def __init__(self, names: type[F]) -> None:
        self._names = names
        self._counts: dict[F, int | None] = {}

    def switch(self, name: str, count: int | None) -> None:
        """Switch a fault on, or off with a count of 0.

        Raises:
            ValueError: the simulator knows no such fault, or the count is negative.
        """
        fault = self._names(name)
        if count is not None and count < 0:
            raise ValueError("count is negative")
        if count == 0:
            self._counts.pop(fault, None)
        else:
            self._counts[fault] = count

    def clear(self) -> None:
        """Switch everything off."""
        self._counts.clear()

    def list_all(self) -> dict[str, int | str | None]:
        """List every fault with its remaining count, "off" where it is not switched on."""
        return {fault.value: self._counts.get(fault, "off") for fault in self._names}

    def take(self, *, among: Collection[F]) -> F | None:
        """Take the first fault of these that is on, and count it down."""
        for fault in self._names:
            if fault in among and fault in self._counts:
                left = self._counts[fault]
                if left is not None:
                    self.switch(fault.value, left - 1)
                return fault
        return None

    def strikes(self, fault: F) -> bool:
        """Tell whether this fault is on, and count it down."""
        return self.take(among=(fault,)) is not None
