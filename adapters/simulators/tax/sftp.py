"""What a logged-in client sees: four folders, and what he may do there.

INVARIANT: never the file system of this machine; whatever is not overridden ends in `map_path`,
which refuses.
"""

import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, NoReturn

import asyncssh
from asyncssh import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_WRITE,
    SFTPAttrs,
    SFTPFailure,
    SFTPName,
    SFTPNoSuchFile,
    SFTPPermissionDenied,
    SFTPServer,
)
from typing_extensions import override

from adapters.simulators.faults import FaultBoard
from adapters.simulators.tax.clients import Client
from adapters.simulators.tax.desk import Desk
from adapters.simulators.tax.faults import Fault
from adapters.simulators.tax.folders import ROOTS, File, Folders
from adapters.simulators.tax.names import UPLOADING, parse_name

_FOLDER_MODE: Final = stat.S_IFDIR | 0o700
_FILE_MODE: Final = stat.S_IFREG | 0o600


@dataclass(slots=True, kw_only=True)
class Handle:
    """An open file, and whether it may be written."""

    file: File
    writable: bool


class Counter(SFTPServer):
    """One client's session at the counter: the operations of SFTP over his folders."""

    def __init__(
        self, channel: "asyncssh.SSHServerChannel[bytes]", client: Client, desk: Desk,
        board: FaultBoard[Fault],
    ) -> None:  # fmt: skip
        super().__init__(channel)
        self._client = client
        self._desk = desk
        self._board = board

    @override
    def map_path(self, path: bytes) -> NoReturn:
        # Reached only by operations that are not for clients.
        raise SFTPPermissionDenied("not permitted")

    @override
    def realpath(self, path: bytes) -> bytes:
        return b"/" + b"/".join(_steps(path))

    @override
    def stat(self, path: bytes) -> SFTPAttrs:
        steps = _steps(path)
        if not steps or (len(steps) == 1 and steps[0].decode("ascii", "replace") in ROOTS):
            return SFTPAttrs(permissions=_FOLDER_MODE)
        return _attributes(self._find(path))

    @override
    def lstat(self, path: bytes) -> SFTPAttrs:
        return self.stat(path)

    @override
    def fstat(self, file_obj: object) -> SFTPAttrs:
        return _attributes(_handle(file_obj).file)

    # Clients set modes and times by habit; there is nothing to set.
    @override
    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        self.stat(path)

    @override
    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        self.stat(path)

    @override
    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        _handle(file_obj)

    @override
    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        steps = _steps(path)
        if not steps:
            for root in ROOTS:
                yield SFTPName(root.encode(), attrs=SFTPAttrs(permissions=_FOLDER_MODE))
            return
        folder = _root(steps)
        if len(steps) > 1:
            raise SFTPNoSuchFile("no such folder")
        folders = self._folders()
        for name in folders.list_names(folder):
            file = folders.find(folder, name)
            if file is not None:
                yield SFTPName(name.encode(), attrs=_attributes(file))

    @override
    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Handle:
        if not pflags & FXF_WRITE:
            return Handle(file=self._find(path), writable=False)
        folder, name = _place(path)
        finished = name.removesuffix(UPLOADING)
        if folder != "in" or finished == name or not self._is_mine(finished):
            raise SFTPPermissionDenied("write a .part in /in")
        if pflags & FXF_APPEND or not pflags & FXF_CREAT:
            raise SFTPPermissionDenied("a package is written anew")
        created = self._folders().create(folder, name, self._desk.clock.now_ms())
        return Handle(file=created, writable=True)

    @override
    def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> NoReturn:
        # Version 3 is what this department speaks.
        raise SFTPPermissionDenied("not permitted")

    @override
    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return bytes(_handle(file_obj).file.octets[offset : offset + size])

    @override
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        handle = _handle(file_obj)
        if not handle.writable:
            raise SFTPPermissionDenied("opened to be read")
        octets = handle.file.octets
        grown = max(offset + len(data) - len(octets), 0)
        if self._board.strikes(Fault.DISK_FULL) or not self._folders().has_room(grown):
            raise SFTPFailure("No space left on device")
        # What was written before the cut stays, as on a disk.
        if offset > len(octets):
            octets.extend(bytes(offset - len(octets)))
        octets[offset : offset + len(data)] = data
        handle.file.at_ms = self._desk.clock.now_ms()
        if self._board.strikes(Fault.CONNECTION_CUT):
            self.channel.get_connection().abort()
        return len(data)

    @override
    def close(self, file_obj: object) -> None:
        _handle(file_obj).writable = False

    @override
    def fsync(self, file_obj: object) -> None:
        _handle(file_obj)

    @override
    def remove(self, path: bytes) -> None:
        folder, name = _place(path)
        self._find(path)
        # What is submitted is the department's.
        if folder == "in" and not name.endswith(UPLOADING):
            raise SFTPPermissionDenied("already handed in")
        self._folders().remove(folder, name)

    @override
    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        (folder, name), (new_folder, new_name) = _place(oldpath), _place(newpath)
        self._find(oldpath)
        if not folder == new_folder == "in" or name != new_name + UPLOADING:
            raise SFTPPermissionDenied("only a .part in /in gets its name")
        folders = self._folders()
        if folders.find(folder, new_name) is not None:
            raise SFTPFailure("the name is taken")
        folders.rename(folder, name, new_name)
        package = parse_name(new_name)
        if package is not None and new_name == package.manifest:
            self._desk.submit(self._client, package)

    @override
    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self.rename(oldpath, newpath)

    @override
    def fstatvfs(self, file_obj: object) -> NoReturn:
        # The one operation on a handle that would ask this machine's file system.
        raise SFTPPermissionDenied("not permitted")

    def _folders(self) -> Folders:
        return self._desk.folders_of(self._client.client_no)

    def _find(self, path: bytes) -> File:
        file = self._folders().find(*_place(path))
        if file is None:
            raise SFTPNoSuchFile("no such file")
        return file

    def _is_mine(self, file_name: str) -> bool:
        package = parse_name(file_name)
        return package is not None and package.client_no == self._client.client_no


def _steps(path: bytes) -> list[bytes]:
    """Resolve a path; nothing leads above the root."""
    steps: list[bytes] = []
    for step in path.split(b"/"):
        if step == b"..":
            steps = steps[:-1]
        elif step not in {b"", b"."}:
            steps.append(step)
    return steps


def _root(steps: list[bytes]) -> str:
    folder = steps[0].decode("ascii", "replace")
    if folder not in ROOTS:
        raise SFTPNoSuchFile("no such folder")
    return folder


def _place(path: bytes) -> tuple[str, str]:
    """Read a path as folder and name."""
    match _steps(path):
        case [folder, name]:
            return _root([folder]), name.decode("ascii", "replace")
        case _:
            raise SFTPNoSuchFile("no such file")


def _handle(file_obj: object) -> Handle:
    if not isinstance(file_obj, Handle):
        raise SFTPFailure("no such handle")
    return file_obj


def _attributes(file: File) -> SFTPAttrs:
    seconds = file.at_ms // 1000
    size = len(file.octets)
    return SFTPAttrs(size=size, permissions=_FILE_MODE, atime=seconds, mtime=seconds)
