"""Files that only this user may read, and passphrases.

INVARIANT: a secret comes from a regular file with mode 0600 or from an open descriptor, never from
the command line and never from the environment.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from hutong.client.errors import IdentityRefused, NotWritten
from hutong.client.identity_file import DESCRIPTOR_PREFIX
from hutong.client.reasons import ClientReason

_R: Final = ClientReason

MAX_PRIVATE: Final = 16 * 1024
"""Bytes; an encrypted key of any suite takes less than 1 kB."""
MAX_PASSPHRASE: Final = 1_024
_OTHERS: Final = 0o077
_OWNER_ONLY: Final = 0o600


def load_private(path: Path) -> bytes:
    """Read a file after looking at the open descriptor: no link, no exchange after the look.

    Raises:
        IdentityRefused: absent, not a regular file, of another user, readable by others, too large.
    """
    try:
        # NONBLOCK: a pipe at the path is refused instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as cause:
        raise IdentityRefused(_R.IDENTITY_FILE_UNREADABLE, f"{path}: cannot be opened") from cause
    try:
        status = os.fstat(descriptor)
        ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if not ours or stat.S_IMODE(status.st_mode) & _OTHERS:
            raise IdentityRefused(_R.IDENTITY_FILE_EXPOSED, str(path))
        if status.st_size > MAX_PRIVATE:
            raise IdentityRefused(_R.IDENTITY_FILE_UNREADABLE, f"{path}: too large")
        return os.read(descriptor, MAX_PRIVATE)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only this user may read.

    Raises:
        NotWritten: something lies at the path already, its folder takes nothing, or the disk is
            full; then no half of it stays, which would be in the way of the next try.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as cause:
        raise NotWritten(_R.FILE_NOT_WRITTEN, str(path)) from cause
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _OWNER_ONLY)  # the umask may have taken bits of ours away
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as cause:
        with contextlib.suppress(OSError):
            path.unlink()
        raise NotWritten(_R.FILE_NOT_WRITTEN, str(path)) from cause


class Passphrases:
    """Reads each passphrase once, because a descriptor can be read only once."""

    __slots__ = ("_directory", "_read")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[str, bytes] = {}

    def load(self, source: str) -> bytes:
        """Return the passphrase a key's entry points to; one line end behind it is dropped.

        Raises:
            IdentityRefused: the file or descriptor cannot be read, or holds nothing.
        """
        if source not in self._read:
            if source.startswith(DESCRIPTOR_PREFIX):
                raw = _load_descriptor(int(source.removeprefix(DESCRIPTOR_PREFIX)))
            else:
                raw = load_private(self._directory / source)
            passphrase = raw.removesuffix(b"\n")
            if not 0 < len(passphrase) <= MAX_PASSPHRASE:
                raise IdentityRefused(_R.IDENTITY_KEY_UNUSABLE, "passphrase: 1 to 1,024 bytes")
            self._read[source] = passphrase
        return self._read[source]


def _load_descriptor(descriptor: int) -> bytes:
    content = b""
    try:
        while len(content) <= MAX_PASSPHRASE:
            read = os.read(descriptor, MAX_PASSPHRASE + 2)
            if not read:
                break
            content += read
    except OSError as cause:
        raise IdentityRefused(_R.IDENTITY_FILE_UNREADABLE, "descriptor of a passphrase") from cause
    return content
