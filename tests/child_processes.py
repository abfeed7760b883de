"""Starts a child process of the gateway by hand, at the other end of a socket pair."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, Process


async def start_child(module: str, theirs: socket.socket) -> Process:
    """Start a module of this program as the gateway does, and read what it says.

    Our copy of its end is closed, so that the process hears when the other end is.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, str(theirs.fileno())),
        pass_fds=(theirs.fileno(),),
        stderr=PIPE,
    )
    theirs.close()
    return process
