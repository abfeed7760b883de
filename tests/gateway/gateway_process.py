"""A real gateway process over a prepared sandbox folder: says its port, serves until it is killed."""

import asyncio
import sys
from pathlib import Path

from gateway.app import build_gateway
from gateway.config import load_config, prepare_environment


async def _serve(config: Path) -> None:
    gateway = build_gateway(load_config(config))
    await gateway.start()
    sys.stdout.write(f"{gateway.port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    prepare_environment()
    asyncio.run(_serve(Path(sys.argv[1])))
