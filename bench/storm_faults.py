"""Makes the log's writes and syncs fail in a running gateway.

With strace the named system call on the log's own files returns an error at every nth time. Without
it the kernel's limit on file sizes is lowered for a moment, so that writes fail with EFBIG; that
needs no program and no right, but reaches writes only.
"""

import asyncio
import random
import resource
import shutil
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import start, stop

STRACE_PACKAGE: Final = "strace"
CALLS: Final = ("pwrite64", "fdatasync")
"""What SQLite writes and syncs with on Linux."""
ERRORS: Final = ("EIO", "ENOSPC")
INJECTED: Final = b"(INJECTED)"
SMALLEST_FILE: Final = 4_096
WINDOW_S: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A gateway whose log fails now and then."""

    process: Process
    what: str
    trace: Path | None

    def injected(self) -> int:
        """Count the faults so far; 0 where nothing traces."""
        if self.trace is None or not self.trace.exists():
            return 0
        return self.trace.read_bytes().count(INJECTED)


@asynccontextmanager
async def failing(
    config: Path, database: Path, trace: Path, chance: random.Random
) -> AsyncIterator[Faulty]:
    """Run a gateway under strace, one call in some dozens on the log's files failing."""
    call, error = chance.choice(CALLS), chance.choice(ERRORS)
    step = chance.randint(25, 70)
    wal = database.with_name(database.name + "-wal")
    before = (
        *("strace", "-f", "-qq", "-o", str(trace), "-P", str(database), "-P", str(wal)),
        *("-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={step}+{step}"),
    )
    process = await start("gateway", str(config), before=before)
    try:
        yield Faulty(process=process, what=f"{error} at every {step}th {call}", trace=trace)
    finally:
        await stop(process)


async def fail_writes_for_a_moment(process: Process) -> None:
    """Let every write of the process beyond its first page fail, then let it write again."""
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (SMALLEST_FILE, before[1]))
    await asyncio.sleep(WINDOW_S)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


def strace_works() -> bool:
    """Whether strace is installed and may trace here."""
    found = shutil.which("strace")
    if found is None:
        return False
    tried = subprocess.run([found, "-qq", "-e", "trace=none", "true"], check=False)
    return tried.returncode == 0
