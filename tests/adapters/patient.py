"""A clock that counts what an event loop waited for, and not how long it was kept from running."""

import asyncio
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def only_waiting_counts(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let deadlines be as far away on a loaded machine as on an idle one.

    Timers fire in their order and at their times; what passes between two of them is what the loop
    asked to wait, however late the machine let it go on.
    """
    assert isinstance(loop, asyncio.SelectorEventLoop)
    selector: selectors.BaseSelector = vars(loop)["_selector"]
    real, select = time.monotonic, selector.select
    now = real()

    def waiting(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        nonlocal now
        began = real()
        events = select(timeout)
        waited = real() - began
        now += waited if timeout is None else min(waited, timeout)
        return events

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(selector, "select", waiting)
        patched.setattr(time, "monotonic", lambda: now)
        yield
