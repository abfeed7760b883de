"""Makes the log's writes and syncs fail in a running gateway.

With strace the named system call on the log's own files returns an error at every nth time, in the
gateway or in the process that writes its log. Without it the kernel's limit on file sizes is
lowered for a moment in the one that writes, so that writes fail with EFBIG; that needs no program
and no right, but reaches writes only.
"""

import asyncio
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import start, stop
from gateway.access_log.protocol import MODULE

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
    trace: Path

    def injected(self) -> int:
        """Count the faults so far."""
        return count_injected(self.trace)

    def failed_again(self, seen: int) -> bool:
        """Whether there are more faults than were seen."""
        return self.injected() > seen


def count_injected(trace: Path) -> int:
    """Count the faults strace says it injected; none where it wrote nothing."""
    return trace.read_bytes().count(INJECTED) if trace.exists() else 0


@asynccontextmanager
async def failing(
    config: Path, database: Path, trace: Path, chance: random.Random
) -> AsyncIterator[Faulty]:
    """Run a gateway under strace, one call in some dozens on the log's files failing.

    Raises:
        NotStarted: it did not start; the trace tells whether a fault was the cause.
    """
    call, error = chance.choice(CALLS), chance.choice(ERRORS)
    step = chance.randint(25, 70)
    wal = database.with_name(database.name + "-wal")
    before = (
        # The filter in the kernel stops the gateway at the traced call only, not at every one.
        *("strace", "-f", "--seccomp-bpf", "-qq", "-o", str(trace)),
        *("-P", str(database), "-P", str(wal)),
        *("-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={step}+{step}"),
    )
    await asyncio.to_thread(trace.unlink, missing_ok=True)
    process = await start("gateway", str(config), before=before)
    traced = _children(process.pid)
    try:
        yield Faulty(process=process, what=f"{error} at every {step}th {call}", trace=trace)
    finally:
        await stop(process)
        # Killed by force, strace leaves behind what it traced.
        for pid in traced if process.returncode == -signal.SIGKILL else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> tuple[int, ...]:
    # By parent: the kernel lists a child under the thread that started it, which may be ending.
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            _, parent, *_ = stat.read_bytes().rpartition(b")")[2].split()
            if int(parent) == pid:
                found.append(int(stat.parent.name))
    return tuple(found)


def find_writer(gateway: int) -> int:
    """Return the process that writes a gateway's log: one of its own, or the gateway itself."""
    for pid in _children(gateway):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
    return gateway


async def fail_writes_for_a_moment(process: Process) -> None:
    """Let every write of a gateway's log beyond its first page fail, then let it write again."""
    writer = find_writer(process.pid)
    before = resource.prlimit(writer, resource.RLIMIT_FSIZE)
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (SMALLEST_FILE, before[1]))
    await asyncio.sleep(WINDOW_S)
    # Given up meanwhile, it was replaced by one without the limit.
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(writer, resource.RLIMIT_FSIZE, before)


def strace_works() -> bool:
    """Whether strace is installed and may trace here."""
    found = shutil.which("strace")
    if found is None:
        return False
    tried = subprocess.run([found, "-qq", "-e", "trace=none", "true"], check=False)
    return tried.returncode == 0
