"""Which faults of a simulator are switched on, when each begins and how often it still strikes.

Knows no department: each simulator brings its own closed list of names.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

F = TypeVar("F", bound=StrEnum)


@dataclass(slots=True, kw_only=True)
class Switch:
    """A fault that is on: chances it still lets pass, strikes it has left (None: for ever).

    `every` says how many chances there are to one strike: 2 fails every second call.
    """

    after: int
    left: int | None
    every: int = 1


class FaultBoard(Generic[F]):
    """The switches of one simulator."""

    def __init__(self, names: type[F]) -> None:
        self._names = names
        self._on: dict[F, Switch] = {}

    def switch(self, name: str, count: int | None, after: int = 0, every: int = 1) -> None:
        """Switch a fault on, or off with a count of 0; it lets the first `after` chances pass.

        From then on it strikes at the first of `every` chances.

        Raises:
            ValueError: the simulator knows no such fault, or a number is out of range.
        """
        fault = self._names(name)
        if after < 0 or every < 1 or (count is not None and count < 0):
            raise ValueError("count, after or every is out of range")
        if count == 0:
            self._on.pop(fault, None)
        else:
            self._on[fault] = Switch(after=after, left=count, every=every)

    def clear(self) -> None:
        """Switch everything off."""
        self._on.clear()

    def list_all(self) -> dict[str, int | str | None]:
        """List every fault with its remaining count, "off" where it is not switched on."""
        return {
            fault.value: self._on[fault].left if fault in self._on else "off"
            for fault in self._names
        }

    def take(self, *, among: Collection[F]) -> F | None:
        """Take the first fault of these that strikes now, and count it down."""
        for fault in self._names:
            if fault in among and fault in self._on and self._count_down(fault):
                return fault
        return None

    def strikes(self, fault: F) -> bool:
        """Tell whether this fault strikes now, and count it down."""
        return self.take(among=(fault,)) is not None

    def _count_down(self, fault: F) -> bool:
        switch = self._on[fault]
        if switch.after > 0:
            switch.after -= 1
            return False
        switch.after = switch.every - 1
        if switch.left is not None:
            switch.left -= 1
            if switch.left == 0:
                del self._on[fault]
        return True
