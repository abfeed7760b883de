"""Files that decide whom this system believes: everybody may read them, nobody else may write them.

INVARIANT: within the identity directory, what another user can change decides neither where a
question goes nor whose signature is believed. The folders above it are for its installer to guard.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from hutong.client.errors import IdentityRefused
from hutong.client.identity_file import FILE_NAME
from hutong.client.reasons import ClientReason

_R: Final = ClientReason

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_SUPERUSER: Final = 0
_OPENING: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def load_trusted(directory: Path, name: str, limit: int) -> bytes:
    """Read a public file of an identity directory: at most `limit` bytes.

    Raises:
        IdentityRefused: absent, a link, no regular file, too large; or another user can write it or
            a folder between the directory and it.
    """
    path = directory / name
    try:
        # NONBLOCK: a pipe at the path is refused instead of waited for.
        # NOFOLLOW: a link may lead through folders nobody looked at.
        with os.fdopen(os.open(path, _OPENING), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise IdentityRefused(_R.IDENTITY_FILE_UNREADABLE, f"{path}: no regular file")
            # Of the open file, so that it is the one that is read.
            _require_ours(path, status)
            _require_ours(directory, directory.stat())
            for folder in list(Path(name).parents)[:-1]:
                # A link among them counts as writable: its mode says nothing of where it leads.
                _require_ours(directory / folder, (directory / folder).lstat())
            content = file.read(limit + 1)
    except OSError as cause:
        absent = name == FILE_NAME and isinstance(cause, FileNotFoundError | NotADirectoryError)
        reason = _R.IDENTITY_NOT_FOUND if absent else _R.IDENTITY_FILE_UNREADABLE
        linked = ": a link" if cause.errno == errno.ELOOP else ""
        raise IdentityRefused(reason, f"{path}{linked}") from cause
    if len(content) > limit:
        raise IdentityRefused(_R.IDENTITY_FILE_UNREADABLE, f"{path}: too large")
    return content


def others_may_write(status: os.stat_result) -> bool:
    """Return whether a user other than this one and the superuser can write a file or folder."""
    owned = status.st_uid in (os.geteuid(), _SUPERUSER)
    return not owned or bool(status.st_mode & _OTHERS_WRITE)


def _require_ours(path: Path, status: os.stat_result) -> None:
    if others_may_write(status):
        raise IdentityRefused(_R.IDENTITY_FILE_WRITABLE, str(path))
