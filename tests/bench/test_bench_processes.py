"""Servers of the bench are waited for in seconds of waiting, and say how they failed."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from bench.processes import NotStarted, ends_within, start

pytestmark = pytest.mark.asyncio


@pytest.mark.integration
async def test_server_that_ends_at_once_says_how_and_why(tmp_path: Path) -> None:
    """The error names its exit status, and what it wrote is kept where the caller asked."""
    errors = tmp_path / "errors"

    with pytest.raises(NotStarted, match="gateway ended with 1"):
        await start("gateway", str(tmp_path / "absent.yaml"), errors=errors)

    assert "absent.yaml" in errors.read_text("utf-8")


async def test_what_ends_in_time_is_seen_at_once() -> None:
    """Nobody waits for the rest of a second."""
    before = time.monotonic()

    assert await ends_within(asyncio.ensure_future(asyncio.sleep(0)), 5)
    assert time.monotonic() - before < 1


async def test_what_does_not_end_is_given_up() -> None:
    """The waiting ends, the thing itself goes on."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=-1)
    ending = asyncio.ensure_future(process.wait())

    assert not await ends_within(ending, 1)

    process.kill()
    assert await ending == -9
