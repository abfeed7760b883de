"""Where the names at fault stand in a query, for the diagnostics of a refusal.

INVARIANT: places and no names. What a caller sends for a name may hold anything, an identifier of a
person too, and diagnostics are kept in clear.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Final

MAX_PLACES: Final = 8
"""Whoever mends eight names sees the rest by himself."""


def places_of(fields: Sequence[str], claims: Sequence[str], is_wrong: Callable[[str], bool]) -> str:
    """Return where the names at fault stand, e.g. `fields[1] claims[0]`; empty where none is."""
    parts = (("fields", fields), ("claims", claims))
    places = (
        f"{part}[{number}]"
        for part, names in parts
        for number, name in enumerate(names)
        if is_wrong(name)
    )
    return " ".join(itertools.islice(places, MAX_PLACES))
