"""A gateway process over a prepared sandbox folder, started anew for each line on standard input.

Everything is imported once; each start is a fork, so that only what a start costs is paid 20 times.
Says `<pid> <port>` when it serves and `ended` when the process is gone.
"""

import asyncio
import os
import sys
from pathlib import Path

from gateway.app import build_gateway
from gateway.config import load_config, prepare_environment


async def _serve(config: Path) -> None:
    gateway = build_gateway(load_config(config))
    await gateway.start()
    _say(f"{os.getpid()} {gateway.port}")
    await asyncio.Event().wait()


def _say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def _start_anew(config: Path) -> None:
    child = os.fork()
    if child == 0:
        asyncio.run(_serve(config))
        os._exit(0)
    os.waitpid(child, 0)
    _say("ended")


if __name__ == "__main__":
    prepare_environment()
    for _line in sys.stdin:
        _start_anew(Path(sys.argv[1]))
