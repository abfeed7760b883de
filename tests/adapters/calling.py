"""How tests call a department of their own over HTTP."""

import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from adapters.errors import DepartmentFailed
from adapters.port import Indeterminate
from adapters.transport import DepartmentTransport, HttpAnswer, HttpCall

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
Start = Callable[..., Awaitable[DepartmentTransport]]

CALL = HttpCall(
    method="POST", path="/", body=b"{}", headers={}, expect="application/json", idempotent=False
)
AGAIN = HttpCall(
    method="POST", path="/", body=b"{}", headers={}, expect="application/json", idempotent=True
)


def within(seconds: float) -> float:
    """Return a deadline some seconds from now."""
    return time.monotonic() + seconds


async def reason_of(fetching: Awaitable[HttpAnswer]) -> Indeterminate:
    """Return why a call failed."""
    with pytest.raises(DepartmentFailed) as caught:
        await fetching
    assert caught.value.__cause__ is None
    return caught.value.reason


class Clock:
    """A clock that stands still until moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now
