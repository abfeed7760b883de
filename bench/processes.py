"""Starts servers as processes of their own, and ends them; measures what they cost.

Only processes started here are ended here.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.serving import READY

START_S: Final = 60.0
STOP_S: Final = 20.0


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
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if line.strip() != READY.encode():
        if process.returncode is None:
            process.kill()
        await process.wait()
        raise NotStarted(arguments[0])
    return process


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
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
