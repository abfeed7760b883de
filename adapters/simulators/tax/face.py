"""The SFTP face: accepts on loopback, shows the host key, lets registered keys in.

Each connection is begun by hand, so that a fault can strike one of them.
"""

import asyncio
import socket
from collections.abc import Coroutine
from contextlib import suppress

import asyncssh
from typing_extensions import override

from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import LOOPBACK
from adapters.simulators.tax.clients import Client
from adapters.simulators.tax.desk import Desk
from adapters.simulators.tax.faults import Fault
from adapters.simulators.tax.sftp import Counter

_LOGIN_S = 10
"""Seconds a client has to log in."""


class SftpFace:
    """The listener with its connections."""

    def __init__(
        self,
        desk: Desk,
        board: FaultBoard[Fault],
        clients: dict[str, Client],
        host_key: asyncssh.SSHKey,
    ) -> None:
        self.clients = clients
        self._desk = desk
        self._board = board
        self._host_key = host_key
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def host_key(self) -> str:
        """The public key to pin, as one line of OpenSSH."""
        return self._host_key.export_public_key().decode().strip()

    async def start(self, port: int) -> int:
        """Listen; return the port."""
        self._listener = socket.create_server((LOOPBACK, port))
        self._listener.settimeout(0)
        self._spawn(self._accept(self._listener))
        return int(self._listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening, end every connection, forget every file."""
        if self._listener is not None:
            self._listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._desk.wipe()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            peer, address = await loop.sock_accept(listener)
            # The bind address already keeps strangers out; this holds if somebody changes it.
            if address[0] != LOOPBACK:
                peer.close()
            else:
                self._spawn(self._serve(peer))

    async def _serve(self, peer: socket.socket) -> None:
        with peer:
            if self._board.strikes(Fault.CONNECTION_HANG):
                await asyncio.Event().wait()  # ends when the simulator stops
            changed = self._board.strikes(Fault.HOST_KEY_CHANGED)
            key = asyncssh.generate_private_key("ssh-ed25519") if changed else self._host_key
            # A peer that goes away or is refused is no error of this department.
            with suppress(OSError, asyncssh.Error):
                await self._converse(peer, key)

    async def _converse(self, peer: socket.socket, key: asyncssh.SSHKey) -> None:
        connection = await asyncssh.run_server(
            peer,
            config=None,
            server_factory=lambda: _Door(self.clients, self._board),
            server_host_keys=[key],
            sftp_factory=self._counter,
            sftp_version=3,
            allow_scp=False,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            x509_trusted_certs=None,
            agent_forwarding=False,
            login_timeout=_LOGIN_S,
        )
        try:
            await connection.wait_closed()
        finally:
            connection.abort()

    def _counter(self, channel: "asyncssh.SSHServerChannel[bytes]") -> Counter:
        client = self.clients[channel.get_extra_info("username")]
        return Counter(channel, client, self._desk, self._board)


class _Door(asyncssh.SSHServer):
    """Lets in who holds a registered key."""

    def __init__(self, clients: dict[str, Client], board: FaultBoard[Fault]) -> None:
        self._clients = clients
        self._board = board

    @override
    def begin_auth(self, username: str) -> bool:
        return True

    @override
    def public_key_auth_supported(self) -> bool:
        return True

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        client = self._clients.get(username)
        known = client is not None and key.public_data == client.public_key
        return known and not self._board.strikes(Fault.LOGIN_REFUSED)
