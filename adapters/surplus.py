"""Names of members a department sends unasked, noted for whoever examines its end.

Off unless somebody listens: in a gateway nobody does, and nothing is kept.
INVARIANT: names only, and of a name only what has the form of one; an answer chooses its names,
and could hide a person's number among them.
"""

import re
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

OTHER_NAME: Final = "(other)"
"""Stands for whatever has not the form of a name."""
MOST_NAMES: Final = 64
"""A department may send as many as it likes."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,39}", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Surplus:
    """What was noted; `examined` stays false where a kind never looked."""

    examined: bool = False
    names: set[str] = field(default_factory=set)


_LISTENING: Final[ContextVar[Surplus | None]] = ContextVar("surplus", default=None)


@contextmanager
def noting_surplus() -> Iterator[Surplus]:
    """Collect the names within, tasks begun within included."""
    surplus = Surplus()
    token = _LISTENING.set(surplus)
    try:
        yield surplus
    finally:
        _LISTENING.reset(token)


def note_surplus(members: Iterable[str], read: Container[str]) -> None:
    """Note the members of a record that are not among those a kind reads."""
    surplus = _LISTENING.get()
    if surplus is None:
        return
    surplus.examined = True
    for name in members:
        if name not in read and len(surplus.names) < MOST_NAMES:
            surplus.names.add(name if _NAME.fullmatch(name) else OTHER_NAME)
