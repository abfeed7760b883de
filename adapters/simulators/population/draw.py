"""Deterministic draws: each number is a pure function of (seed, index, purpose).

Knows nothing of people. INVARIANT: no draw depends on an earlier one, so one person of a million
costs the same as one of ten, and adding a purpose changes no other value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """The draws of one thing (a person, a household, an employer), told apart by `scope`."""

    seed: int
    scope: str
    index: int

    def number(self, purpose: str) -> int:
        """Draw 64 bits for one purpose."""
        text = f"{self.seed}/{self.scope}/{self.index}/{purpose}"
        # BLAKE2b, not `random`: the same on every version of Python, and no state.
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

    def octets(self, purpose: str, length: int) -> bytes:
        """Draw up to 64 octets for one purpose."""
        text = f"{self.seed}/{self.scope}/{self.index}/{purpose}"
        return blake2b(text.encode(), digest_size=length).digest()

    def below(self, purpose: str, bound: int) -> int:
        """Draw a number from 0 up to but not including `bound`."""
        return self.number(purpose) % bound

    def chance(self, purpose: str, *, per_mille: int) -> bool:
        """Say yes in `per_mille` of a thousand cases."""
        return self.below(purpose, 1000) < per_mille

    def pick(self, purpose: str, items: Sequence[T]) -> T:
        """Draw one of the items."""
        return items[self.below(purpose, len(items))]

    def weighted(self, purpose: str, shares: Sequence[tuple[T, int]]) -> T:
        """Draw an item by its share per mille; the last one takes what is left."""
        # One draw for the whole table, so that shares add up.
        drawn = self.below(purpose, 1000)
        for item, share in shares:
            drawn -= share
            if drawn < 0:
                return item
        return shares[-1][0]

    def day(self, purpose: str, first: date, last: date) -> date:
        """Draw a day from `first` to `last`, both included; `first` when the span is empty."""
        span = max((last - first).days, 0)
        return first + timedelta(days=self.below(purpose, span + 1))
