"""Who may write: locks on files beside the log, which the kernel lets go of when a process ends.

There are two: `.lock` is held by the gateway, or by the command that looks while none serves, for
as long as it lives; `.writer.lock` by whichever process has the file open for writing.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from gateway.access_log.errors import LogHeld

TRIED_EVERY_S: Final = 0.05


class FileLock:
    """A lock that is held until released."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path, *, patience_s: float) -> None:
        """Take the lock, waiting for whoever is about to let go of it.

        Raises:
            LogHeld: another process has it.
            OSError: the file cannot be made or locked.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._descriptor = descriptor
        with contextlib.ExitStack() as undo:
            undo.callback(self.release)
            until = time.monotonic() + patience_s
            while not _locked(descriptor):
                if time.monotonic() >= until:
                    raise LogHeld("another process writes this log")
                time.sleep(TRIED_EVERY_S)
            undo.pop_all()

    def release(self) -> None:
        """Let another process have it; once, for the number may be another file's by then."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
