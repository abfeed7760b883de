"""Where the names at fault stand in a query, for the diagnostics of a refusal.

INVARIANT: places and no names. What a caller sends for a name may hold anything, an identifier of a
person too, and diagnostics are kept in clear.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Final

MAX_PLACES: Final = 8
"""Whoever mends eight names sees the rest by himself."""


def places_of(
    fields: Iterable[str],
    claims: Iterable[str],
    is_wrong: Callable[[str], bool],
    is_wrong_claim: Callable[[str], bool] | None = None,
) -> str:
    """Return where the names at fault stand, e.g. `fields[1] claims[0]`; empty where none is.

    `is_wrong_claim` judges the names of claims, where they are not those that fields may have.
    """
    parts = (("fields", fields, is_wrong), ("claims", claims, is_wrong_claim or is_wrong))
    places = (
        f"{part}[{number}]"
        for part, names, judge in parts
        for number, name in enumerate(names)
        if judge(name)
    )
    return " ".join(itertools.islice(places, MAX_PLACES))
