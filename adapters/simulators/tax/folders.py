"""The folders of one client, in memory (docs/adapters/tax.md, section 2).

INVARIANT: nothing is written to disk; what is forgotten is overwritten.
"""

from dataclasses import dataclass, field
from typing import Final

ROOTS: Final = ("in", "ack", "out", "error")
QUOTA: Final = 64 * 1024 * 1024
"""Octets one client may occupy."""
KEPT_MS: Final = 7 * 24 * 3600 * 1000
"""How long a file stays that nobody removes."""


@dataclass(slots=True, kw_only=True)
class File:
    """A file; `at_ms` is when it was last written, by the simulated clock."""

    at_ms: int
    octets: bytearray = field(default_factory=bytearray, repr=False)


class Folders:
    """Files by (folder, name)."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], File] = {}

    def find(self, folder: str, name: str) -> File | None:
        """Find a file."""
        return self._files.get((folder, name))

    def list_names(self, folder: str) -> list[str]:
        """List the names in a folder, in order."""
        return sorted(name for where, name in self._files if where == folder)

    def create(self, folder: str, name: str, at_ms: int) -> File:
        """Make an empty file, in the place of one that was there."""
        self.remove(folder, name)
        return self._files.setdefault((folder, name), File(at_ms=at_ms))

    def put(self, folder: str, name: str, octets: bytes, at_ms: int) -> None:
        """Let a whole file appear."""
        self.create(folder, name, at_ms).octets[:] = octets

    def rename(self, folder: str, name: str, new_name: str) -> None:
        """Give a file another name, at once."""
        self._files[folder, new_name] = self._files.pop((folder, name))

    def remove(self, folder: str, name: str) -> None:
        """Overwrite and forget a file, if it is there."""
        gone = self._files.pop((folder, name), None)
        if gone is not None:
            gone.octets[:] = bytes(len(gone.octets))

    def has_room(self, octets: int) -> bool:
        """Tell whether this much more may be written."""
        return sum(len(file.octets) for file in self._files.values()) + octets <= QUOTA

    def purge(self, now_ms: int) -> None:
        """Forget what has lain here too long."""
        for (folder, name), file in list(self._files.items()):
            if file.at_ms + KEPT_MS < now_ms:
                self.remove(folder, name)

    def wipe(self) -> None:
        """Forget everything."""
        for folder, name in list(self._files):
            self.remove(folder, name)
