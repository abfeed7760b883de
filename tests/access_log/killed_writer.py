"""A writer to be killed: appends without end and prints each acknowledged place with its entry.

Run as `python killed_writer.py FOLDER [apart]`; says first which process writes.
Imported by nothing.
"""

import asyncio
import os
import sys
from pathlib import Path

from gateway.access_log.log import AccessLog
from gateway.model import Logged
from tests.access_log.apart import begin_of
from tests.access_log.drafts import LogHome, answer, ask, claim


def acknowledge(logged: Logged) -> None:
    """Tell the parent in one write, which a kill cannot split."""
    os.write(1, b"%d %b\n" % (logged.index, logged.entry))


async def append_forever(log: AccessLog) -> None:
    """Ask and answer."""
    while True:
        request_id = os.urandom(16)
        asked = await log.append(ask(request_id, claims=(claim(request_id),)))
        acknowledge(asked)
        acknowledge(await log.append(answer(asked.index, request_id)))


async def main() -> None:
    """Write with many callers until killed."""
    home = LogHome(Path(sys.argv[1]))
    log = home.open(examine_all=False, apart=begin_of(home) if "apart" in sys.argv else None)
    await log.start()
    os.write(1, b"%d\n" % (log.process_id or os.getpid()))
    await asyncio.gather(*(append_forever(log) for _ in range(16)))


if __name__ == "__main__":
    asyncio.run(main())
