"""Frames between the two processes: a length of four bytes, then a list in marshal's form.

Many jobs share a frame: what one turn of an event loop asks for, the other process wakes up for
once.
"""

import marshal
from typing import Final, Generic, TypeVar

_LENGTH: Final = 4

T = TypeVar("T")


def encode_frame(items: list[T]) -> bytes:
    """Return a frame."""
    body = marshal.dumps(items)
    return len(body).to_bytes(_LENGTH, "big") + body


class FrameReader(Generic[T]):
    """Puts frames together again from whatever pieces arrive."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """Take the next bytes and return the items of every frame that is whole now."""
        self._pieces += data
        found: list[T] = []
        start = 0
        while (end := self._end_of_frame(start)) is not None:
            items: list[T] = marshal.loads(bytes(self._pieces[start + _LENGTH : end]))
            found += items
            start = end
        del self._pieces[:start]
        return found

    def _end_of_frame(self, start: int) -> int | None:
        """Return where the frame that begins at `start` ends; None when it is not whole yet."""
        if len(self._pieces) - start < _LENGTH:
            return None
        end = start + _LENGTH + int.from_bytes(self._pieces[start : start + _LENGTH], "big")
        return end if end <= len(self._pieces) else None
