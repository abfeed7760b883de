"""SFTP to the department: one connection, its host key pinned, every operation bounded in time.

Knows folders and files, and nothing of what stands in them. Asks no agent, no configuration of a
user and no known-hosts file. Every failure becomes `DepartmentFailed` with a closed reason.
INVARIANT: no exception and no diagnostic carries a name, a path, an address or a byte of a file.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import asyncssh

from adapters.breaker import Breaker
from adapters.errors import AdapterMisconfigured, AnswerMalformed, DepartmentFailed
from adapters.guard import Guard
from adapters.limits import TransportLimits
from adapters.port import Indeterminate

_LOG: Final = logging.getLogger(__name__)

MAX_NAMES: Final = 20_000
"""Wanted names read of one folder; what lies beyond waits until these are gone."""
_KEEPALIVE_S: Final = 15
_KEEPALIVES: Final = 2

_Result = TypeVar("_Result")
_Operation = Callable[[asyncssh.SFTPClient], Awaitable[_Result]]


class Listing(NamedTuple):
    """What lies in a folder."""

    wanted: frozenset[str]
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpAccess:
    """Where the department listens, how it is known again, and how we log in."""

    host: str
    port: int
    user: str
    host_key: asyncssh.SSHKey
    login_key: asyncssh.SSHKey = field(repr=False)


def build_access(
    *, base_url: str, user: str, host_key: str, login_key: bytes, passphrase: bytes
) -> SftpAccess:
    """Return the access that settings and files describe.

    Raises:
        AdapterMisconfigured: An address, a host key or a login key that is none.
    """
    host, port = _require_address(base_url)
    try:
        pinned = asyncssh.import_public_key(host_key)
    except (asyncssh.KeyImportError, ValueError):
        raise AdapterMisconfigured("a host key is one line of OpenSSH's form") from None
    try:
        if _is_bare(login_key):
            raise AdapterMisconfigured("a login key is not encrypted")
        key = asyncssh.import_private_key(login_key, passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        # from None: the cause may quote the file.
        raise AdapterMisconfigured("a login key cannot be opened") from None
    return SftpAccess(host=host, port=port, user=user, host_key=pinned, login_key=key)


class SftpTransport:
    """One department's folders; belongs to the event loop it is first used in."""

    def __init__(
        self,
        access: SftpAccess,
        limits: TransportLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed; nothing is opened before the first operation."""
        self._access = access
        self._limits = limits or TransportLimits()
        self._clock = clock
        self._guard = Guard(self._limits, clock)
        self._connecting = asyncio.Lock()
        self._line: _Line | None = None
        # Below a warning the library writes addresses and users.
        logging.getLogger("asyncssh").setLevel(logging.WARNING)

    @property
    def breaker(self) -> Breaker:
        """The breaker, to be looked at by health."""
        return self._guard.breaker

    async def write(self, path: str, content: bytes, deadline: float) -> None:
        """Write a file that appears whole: beside its name first, then renamed.

        Raises:
            DepartmentFailed: UNAVAILABLE or TIMEOUT; whether the file appeared is then unknown.
        """

        async def put(client: asyncssh.SFTPClient) -> None:
            async with client.open(f"{path}.part", "wb") as file:
                await file.write(content)
            await client.rename(f"{path}.part", path)

        await self._run(put, deadline)

    async def names(
        self, folder: str, deadline: float, is_wanted: Callable[[str], bool]
    ) -> Listing:
        """Return the wanted names of a folder, at most `MAX_NAMES`, and how many others there are.

        Raises:
            DepartmentFailed: UNAVAILABLE or TIMEOUT.
        """

        async def scan(client: asyncssh.SFTPClient) -> Listing:
            wanted: set[str] = set()
            others = 0
            async for entry in client.scandir(folder):
                name = str(entry.filename)
                if is_wanted(name):
                    wanted.add(name)
                elif name not in {".", ".."}:
                    # Counted only: however many there are, they hide nothing and fill no memory.
                    others += 1
                if len(wanted) >= MAX_NAMES:
                    break
            return Listing(frozenset(wanted), others)

        return await self._run(scan, deadline)

    async def read(self, path: str, limit: int, deadline: float) -> bytes:
        """Return a file of at most `limit` bytes.

        Raises:
            AnswerMalformed: Larger, or no longer there.
            DepartmentFailed: UNAVAILABLE or TIMEOUT.
        """

        async def get(client: asyncssh.SFTPClient) -> bytes | None:
            try:
                # One byte more than allowed: what is read counts, not the size it says it has.
                async with client.open(path, "rb") as file:
                    # The library leaves the type to the caller: bytes, as it was opened.
                    content: bytes = await file.read(limit + 1)
                    return content
            except asyncssh.SFTPNoSuchFile:
                return None

        content = await self._run(get, deadline)
        if content is None or len(content) > limit:
            raise AnswerMalformed("file is not there, or larger than allowed")
        return content

    async def remove(self, path: str, deadline: float) -> None:
        """Remove a file; one that is not there is as good.

        Raises:
            DepartmentFailed: UNAVAILABLE or TIMEOUT.
        """

        async def drop(client: asyncssh.SFTPClient) -> None:
            try:
                await client.remove(path)
            except asyncssh.SFTPNoSuchFile:
                return

        await self._run(drop, deadline)

    async def close(self) -> None:
        """End the connection."""
        line, self._line = self._line, None
        if line is not None:
            line.connection.abort()
            await line.connection.wait_closed()

    async def _run(self, operation: _Operation[_Result], deadline: float) -> _Result:
        return await self._guard.run(lambda ends: self._operate(operation, ends), deadline)

    async def _operate(self, operation: _Operation[_Result], ends: float) -> _Result:
        line: _Line | None = None
        try:
            async with asyncio.timeout(ends - self._clock()):
                line = await self._open()
                with line.used():
                    return await operation(line.client)
        except TimeoutError:
            # Whatever the time allowed: what was begun may leave a file open at the other side,
            # and nobody else is cut off by it.
            self._retire(line)
            raise DepartmentFailed(Indeterminate.PROVIDER_TIMEOUT) from None
        except (asyncssh.Error, OSError) as failed:
            # After an answer of the server the connection is as good as before.
            if not isinstance(failed, asyncssh.SFTPError) or _is_lost(failed):
                self._retire(line)
            # By type alone: the text quotes what the other side wrote.
            _LOG.warning("tax: %s", type(failed).__name__)
            # from None: the cause quotes paths, addresses and the server's text.
            raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE) from None

    async def _open(self) -> "_Line":
        # Two that begin at once share the connection of the first.
        async with self._connecting:
            if self._line is None:
                try:
                    async with asyncio.timeout(self._limits.connect_s):
                        self._line = await self._connect()
                except TimeoutError:
                    # Who does not greet is not there: that is no slow answer.
                    raise ConnectionError from None
            return self._line

    async def _connect(self) -> "_Line":
        access = self._access
        connection = await asyncssh.connect(
            access.host,
            access.port,
            username=access.user,
            client_keys=[access.login_key],
            # INVARIANT: one key, and no other way to be believed.
            known_hosts=([access.host_key], [], []),
            x509_trusted_certs=None,
            preferred_auth="publickey",
            host_based_auth=False,
            gss_host=None,
            gss_kex=False,
            gss_auth=False,
            agent_path=None,
            config=None,
            # A small stream that grows without bound is refused before it begins.
            compression_algs=["none"],
            keepalive_interval=_KEEPALIVE_S,
            keepalive_count_max=_KEEPALIVES,
        )
        line: _Line | None = None
        try:
            line = _Line(connection, await connection.start_sftp_client())
        finally:
            # Also where the asker left meanwhile: nobody else knows of it.
            if line is None:
                connection.abort()
        return line

    def _retire(self, line: "_Line | None") -> None:
        """Take a connection out of use; another one may have taken its place already."""
        if line is None:
            return
        if self._line is line:
            self._line = None
        line.retire()


class _Line:
    """One connection, which ends when it is retired and the last operation has left it.

    So a loss is never one that another operation caused.
    """

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient
    ) -> None:
        self.connection = connection
        self.client = client
        self._users = 0
        self._retired = False

    @contextmanager
    def used(self) -> Iterator[None]:
        """Hold it open."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            self._end_unused()

    def retire(self) -> None:
        """End it as soon as nobody uses it."""
        self._retired = True
        self._end_unused()

    def _end_unused(self) -> None:
        if self._retired and not self._users:
            self.connection.abort()


def _is_lost(failed: asyncssh.SFTPError) -> bool:
    return isinstance(failed, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection)


def _is_bare(login_key: bytes) -> bool:
    """Say whether a private key opens without a passphrase; the library would take it silently."""
    try:
        asyncssh.import_private_key(login_key)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        return False
    return True


def _require_address(base_url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise AdapterMisconfigured("a department's address cannot be read") from None
    beside = parts.username or parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != "sftp" or not parts.hostname or not port or beside:
        raise AdapterMisconfigured("an address by SFTP is sftp, host and port")
    return parts.hostname, port
