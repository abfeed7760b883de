"""What a simulator received, for tests that search it for what should not have been sent.

INVARIANT: memory only, bounded, overwritten when the simulator ends.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

LIMIT: Final = 20_000
"""Requests kept; the oldest go first. A bench of a minute stays below."""
BYTES_LIMIT: Final = 128 * 1024 * 1024
"""Octets of bodies kept: a night of full batches must not fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it arrived."""

    number: int
    at_ms: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytearray = field(repr=False)


class Recorder:
    """The requests of one simulator in the order of arrival."""

    def __init__(self) -> None:
        self._kept: deque[Received] = deque()
        self._bytes = 0
        self.count = 0

    def keep(
        self,
        *,
        at_ms: int,
        request: tuple[str, str],
        headers: tuple[tuple[str, str], ...],
        body: bytes,
    ) -> None:
        """Keep one request, given as (method, path) with its headers and body."""
        self.count += 1
        method, path = request
        self._kept.append(
            Received(
                number=self.count,
                at_ms=at_ms,
                method=method,
                path=path,
                headers=headers,
                # A copy of our own that can be overwritten; bytes could not.
                body=bytearray(body),
            )
        )
        self._bytes += len(body)
        while len(self._kept) > LIMIT or self._bytes > BYTES_LIMIT:
            self._forget_oldest()

    def list_after(self, number: int) -> list[Received]:
        """List what arrived after the request with this number."""
        return [received for received in self._kept if received.number > number]

    def wipe(self) -> None:
        """Overwrite every body and forget everything but the count."""
        while self._kept:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._kept.popleft()
        self._bytes -= len(oldest.body)
        # Overwritten in place: a list somebody still holds shows zeros, not a name.
        oldest.body[:] = bytes(len(oldest.body))
