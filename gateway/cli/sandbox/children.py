"""Child processes of a sandbox: each says in one line of JSON that it is ready, or is ended.

INVARIANT: whoever does not become ready is killed and waited for, whatever went wrong: a child that
ended, a line that says something else, no line in time, or a sibling that failed meanwhile.
"""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")

Ready = Callable[[Process, dict[str, Any]], T]
"""Makes of the line of a child what is known of it; KeyError, TypeError and ValueError refuse."""
STOP_S: Final = 5.0
"""How long a child may take to end when it is asked to."""


async def start_child(name: str, arguments: tuple[str, ...], start_s: float, ready: Ready[T]) -> T:
    """Run Python with these arguments and wait until the child says that it is ready.

    Raises:
        RuntimeError: it ended, said nothing in time or something else; names the child.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_kill, process)
        if process.stdout is None:
            raise AssertionError  # asked for a pipe
        try:
            async with asyncio.timeout(start_s):
                line = await process.stdout.readline()
            started = ready(process, json.loads(line))
        except (TimeoutError, ValueError, KeyError, TypeError) as error:
            raise RuntimeError(f"{name} did not start") from error
        stack.pop_all()
    return started


async def stop_child(process: Process) -> None:
    """Ask a child to end; by force where it does not."""
    if process.returncode is not None:
        return
    # It may have ended by itself a moment ago.
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        await _kill(process)


async def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
