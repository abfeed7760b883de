"""A room per department for the exchanges that wait for it: a bulkhead.

A department that hangs holds what it was asked until each question's deadline. Without a bound
those questions would fill the places of the whole gateway and of the system that asks, and
departments that answer would get none. Here each department has a room of its own; whoever finds it
full is told so at once, because waiting for a place would hold the very places that are short.

INVARIANT: at most `limit` exchanges wait for one department, each with one request, which the edge
has bounded; at rest no room holds anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class RoomFull(Exception):
    """Nobody else may wait for this department now."""


class Rooms:
    """Counts who waits for which department. One event loop, no lock."""

    __slots__ = ("_inside", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """Exchanges that may wait for one department."""
        self._inside: dict[str, int] = {}

    def inside(self, provider: str) -> int:
        """Return how many exchanges wait for a department now."""
        return self._inside.get(provider, 0)

    @contextmanager
    def place(self, provider: str) -> Iterator[None]:
        """Count one exchange in for the time of a `with` block.

        Raises:
            RoomFull: as many wait as may.
        """
        if self.inside(provider) >= self.limit:
            raise RoomFull
        self._inside[provider] = self.inside(provider) + 1
        try:
            yield
        finally:
            left = self._inside[provider] - 1
            if left:
                self._inside[provider] = left
            else:
                # No entry at rest, as in `quota.InFlight`.
                del self._inside[provider]
