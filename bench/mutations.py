"""Changes to bytes that parsers meet in practice: flips, cuts, repeats, splices, odd numbers.

Seeded: one seed gives one row of inputs on every machine. Knows no parser.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

ODD: Final = (
    b"\x00",
    b"\xff" * 10,
    b"\x80" * 10,
    b"1e400",
    b"NaN",
    b"-0",
    b"9" * 400,
    b"[" * 2_000,
    b'{"a":' * 500,
    b"\\ud800",
    "\u2028\u00b7\ufeff".encode(),
    b"~",
    b".",
    b"=",
    b"\n\n",
    b"&a *a",
    b"!!python/object:os.system",
    b"<<: *x",
)
MOST_BYTES: Final = 262_144
"""Bounds the work of a repeat of a repeat; every parser's own bound lies below."""


def mutate(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a specimen after one to six changes."""
    changed = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        chance.choice(_CHANGES)(changed, others, chance)
    return bytes(changed[:MOST_BYTES])


def _flip(text: bytearray, _others: Sequence[bytes], chance: random.Random) -> None:
    if text:
        text[chance.randrange(len(text))] ^= 1 << chance.randrange(8)


def _set(text: bytearray, _others: Sequence[bytes], chance: random.Random) -> None:
    if text:
        text[chance.randrange(len(text))] = chance.randrange(256)


def _insert(text: bytearray, _others: Sequence[bytes], chance: random.Random) -> None:
    place = chance.randint(0, len(text))
    text[place:place] = chance.choice(ODD)


def _cut(text: bytearray, _others: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(text, chance)
    del text[start:end]


def _repeat(text: bytearray, _others: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(text, chance)
    text[end:end] = text[start:end] * chance.choice((1, 1, 2, 50))


def _splice(text: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(others)
    start, end = _span(text, chance)
    begin, stop = _span(other, chance)
    text[start:end] = other[begin:stop]


def _end(text: bytearray, _others: Sequence[bytes], chance: random.Random) -> None:
    del text[chance.randint(0, len(text)) :]


def _span(text: bytes | bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(text))
    return start, min(len(text), start + chance.randint(0, 64))


_CHANGES: Final[tuple[Callable[[bytearray, Sequence[bytes], random.Random], None], ...]] = (
    _flip,
    _flip,
    _set,
    _insert,
    _cut,
    _repeat,
    _splice,
    _end,
)
