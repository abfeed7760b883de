"""Tells Python's cyclic collector what it need not walk: what lives as long as the process.

A gateway that has started holds some 100,000 objects no call changes: modules, policy, tables.
Under load the collector walked all of them every second or two and the young ones a hundred times a
second: an eighth of the gateway's processor time, and 70 ms of nobody being served (docs/bench.md).

What a call leaves behind is freed by its reference counts; the collector stays on for cycles.
"""

import gc
from typing import Final

YOUNG: Final = 20_000
"""Objects made and not freed before the young ones are walked; Python's own figure is 700."""


def keep_apart_what_lives_on() -> int:
    """Collect once, then leave everything alive now out of all later walks; return how many.

    For the end of a process's start. Of what was alive then and is replaced later, cycles stay, one
    generation of them (the first trust store, not the hundredth).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    return gc.get_freeze_count()
