"""Starts servers as processes of their own, and ends them; measures what they cost.

Only processes started here are ended here.
"""

import asyncio
import contextlib
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
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


def resident_mib(process: int) -> float:
    """Return the memory a process and all it has started hold, in MiB; what has ended holds none.

    Pages shared between them count for each, so it is at most too much.
    """
    parents = dict(_parents())
    return sum(_own_mib(each) for each in parents if _descends(each, process, parents))


def _parents() -> Iterator[tuple[int, int]]:
    """Yield every process of this machine with the one that started it."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        # A process may end between the listing and the look.
        with contextlib.suppress(OSError):
            # proc(5): the name stands in parentheses and may hold anything, these too.
            after_name = path.read_text("ascii", "replace").rpartition(")")[2].split()
            yield int(path.parent.name), int(after_name[1])


def _descends(process: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    while process not in {ancestor, 0}:
        process = parents.get(process, 0)
    return process == ancestor


def _own_mib(process: int) -> float:
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{process}/status").read_text("ascii", "replace")
        resident = re.search(r"^VmRSS:\s+(\d+) kB$", told, re.MULTILINE)
        return int(resident[1]) / 1024 if resident else 0.0
    return 0.0


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
