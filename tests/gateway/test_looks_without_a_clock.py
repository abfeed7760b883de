"""A look that cannot be dated does not happen, and says so like any that could not be logged."""

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.app import Gateway
from gateway.clock import VirtualClock
from gateway.looks import LookRequest, encode_look
from gateway.rpc.admin import PATH, LookSocket
from tests.gateway.asking import RETIREMENT

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = LookRequest(
    officer="安全员-3", for_case="FH-2026-7", org=RETIREMENT.partition("/")[0], case="C-1"
)


async def test_the_socket_shows_nothing_while_the_clock_is_back(
    gateway: Gateway, tmp_path: Path
) -> None:
    """A clock behind the newest checkpoint ends a look in two languages, and nothing is logged."""
    behind = VirtualClock(0)
    behind.raise_floor(1_795_392_000_000)
    place, size = tmp_path / "look", gateway.log.size
    looks = LookSocket(place, replace(gateway.looks._looks, clock=behind))
    await looks.start()

    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(place))) as asking,
        asking.post(f"http://localhost{PATH}", data=encode_look(QUESTION)) as response,
    ):
        told = await response.json()
    await looks.stop()

    assert response.status == 503
    assert told == {"zh": "没有显示任何条目：Fault", "en": "nothing is shown: Fault"}
    assert gateway.log.size == size
