"""Starts servers as processes of their own, and ends them; measures what they cost.

Only processes started here are ended here.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from bench.serving import READY

START_S: Final = 60.0
STOP_S: Final = 20.0


Ended = TypeVar("Ended")


class NotStarted(RuntimeError):
    """A server ended, or said nothing in time."""


@asynccontextmanager
async def running(*arguments: str, errors: Path | None = None) -> AsyncIterator[Process]:
    """Run a server of `bench.serving` for the time of a `with` block."""
    process = await start(*arguments, errors=errors)
    try:
        yield process
    finally:
        await stop(process)


async def start(
    *arguments: str, errors: Path | None = None, before: tuple[str, ...] = ()
) -> Process:
    """Start a server and wait until it serves; `before` is a command it runs under.

    Raises:
        NotStarted: it ended or said nothing in time.
    """
    process = await _spawn((*before, sys.executable, "-m", "bench.serving", *arguments), errors)
    if process.stdout is None:
        raise AssertionError  # asked for a pipe
    reading = asyncio.ensure_future(process.stdout.readline())
    in_time = await ends_within(reading, START_S)
    if in_time and reading.result().strip() == READY.encode():
        return process
    reading.cancel()
    # Its output ended because it ended; how it did is known a moment later.
    if not in_time or not await ends_within(asyncio.ensure_future(process.wait()), STOP_S):
        process.kill()
        await process.wait()
    why = f"ended with {process.returncode}" if in_time else f"was silent for {START_S:.0f} s"
    raise NotStarted(f"{arguments[0]} {why}")


async def ends_within(task: asyncio.Future[Ended], seconds: float) -> bool:
    """Wait until something ends, at most so long.

    Seconds of waiting are counted, not the clock: on a machine that stood still, a server had no
    time either.
    """
    for _ in range(round(seconds)):
        if (await asyncio.wait([task], timeout=1))[0]:
            return True
    return False


async def _spawn(command: tuple[str, ...], errors: Path | None) -> Process:
    if errors is None:
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
    with errors.open("ab") as file:
        return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=file)


async def stop(process: Process) -> None:
    """End a server by closing its standard input, then by force."""
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    ending = asyncio.ensure_future(process.wait())
    if not await ends_within(ending, STOP_S):
        process.kill()
    await ending
