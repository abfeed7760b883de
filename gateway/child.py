"""A child process of this program at the other end of a socket pair: how it begins and ends.

Knows nothing of what is said to it. It ends with its socket, whatever ended the one who started it.
"""

import asyncio
import contextlib
import hashlib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

END_S: Final = 5.0
"""How long a child may take to end by itself."""

P = TypeVar("P", bound=asyncio.Protocol)
Process = subprocess.Popen[bytes]


async def launch(module: str, build: Callable[[Process], P]) -> tuple[asyncio.Transport, P]:
    """Start a module of this program with one end of a socket pair, and return the other end.

    Raises:
        OSError: no process could be started.
        RuntimeError: no thread could be started to start it.
    """
    ours, theirs = socket.socketpair()
    spawning = asyncio.ensure_future(asyncio.to_thread(_spawn, module, theirs))
    async with contextlib.AsyncExitStack() as undo:
        undo.push_async_callback(_abandon, ours, theirs, spawning)
        # Not broken off half-way: a descriptor closed too early may be somebody else's by then.
        peer = build(await asyncio.shield(spawning))
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: peer, sock=ours)
        undo.pop_all()
    return transport, peer


async def end_wholly(process: Process) -> None:
    """Wait until a child has ended, by force if it takes too long; also when told to hurry."""
    ending = asyncio.ensure_future(asyncio.to_thread(_end, process))
    with contextlib.suppress(RuntimeError):
        try:
            await asyncio.shield(ending)
        finally:
            # Broken off before a thread was free, nobody would wait for the process at all.
            await asyncio.wait([ending])
            if ending.exception() is not None:  # no thread to wait in: at once, and by force
                process.kill()
                process.wait()


def load_form(package: Path) -> str:
    """Return the digest of a package's modules as they lie on disk; both ends share it.

    And of the modules beside the package: the child itself is one of them, and the frames are.
    """
    digest = hashlib.sha256()
    for module in (*sorted(package.glob("*.py")), *sorted(package.parent.glob("*.py"))):
        digest.update(module.read_bytes())
    return digest.hexdigest()


async def _abandon(
    ours: socket.socket, theirs: socket.socket, spawning: "asyncio.Future[Process]"
) -> None:
    """Close what a start that is broken off has opened, and wait until its process is gone."""
    ours.close()
    await asyncio.wait([spawning])
    theirs.close()  # also where no thread was to be had, and nobody else closed it
    if spawning.exception() is None:
        await end_wholly(spawning.result())


def _spawn(module: str, theirs: socket.socket) -> Process:
    # -P: no module is taken from the directory the gateway happens to be started in.
    # A group of its own: Ctrl-C in a terminal ends the gateway, which ends this.
    with theirs:
        return subprocess.Popen(  # noqa: S603 - this program's own module, nothing from outside
            [sys.executable, "-P", "-m", module, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            process_group=0,
        )


def _end(process: Process) -> None:
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
