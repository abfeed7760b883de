"""The channel to one provider node: mutual TLS towards its registered certificates, and no other.

The certificates the trust store registers for the node are themselves the roots of the channel, so
no authority, however trusted, can put another server in its place. When they change, and when our
own certificate does, the next call goes over a new channel.
"""

import asyncio
import logging
import time
from pathlib import Path
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from adapters.errors import DepartmentFailed
from adapters.kind import NodeLink
from adapters.port import Indeterminate
from adapters.provider_node.reasons import TEXTS, NodeReason, parse_reason
from adapters.provider_node.wire import DOMAIN, MAX_MESSAGE, METHOD
from adapters.settings import NodeAddress
from certs.errors import CertsError
from certs.pem import encode_pem
from signing.errors import SigningError

_LOG: Final = logging.getLogger(__name__)

DETAILS_KEY: Final = "grpc-status-details-bin"
KEEPALIVE_MS: Final = 120_000
"""A silent connection that a firewall dropped is found after two minutes."""
KEEPALIVE_TIMEOUT_MS: Final = 20_000
LOOK_S: Final = 1.0
"""Our own certificate is looked at no oftener."""
DRAIN_S: Final = 60.0
"""How long calls under way may go on over a channel that was replaced."""

_CODES: Final = {
    grpc.StatusCode.UNAVAILABLE: Indeterminate.PROVIDER_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Indeterminate.PROVIDER_TIMEOUT,
    # Of ours for a response above the bound, and of theirs for a request above theirs.
    grpc.StatusCode.RESOURCE_EXHAUSTED: Indeterminate.PROVIDER_MALFORMED,
    grpc.StatusCode.UNIMPLEMENTED: Indeterminate.PROVIDER_MALFORMED,
}


class NodeChannel:
    """Belongs to the event loop it is first used in; opens nothing before the first call."""

    def __init__(self, address: NodeAddress, link: NodeLink) -> None:
        """Read our own certificate.

        Raises:
            what `NodeLink.load_tls` does.
        """
        self._address = address
        self._link = link
        self._tls = link.load_tls(address.tls)
        self._stamp = _stamp(address.tls.certificate)
        self._looked = time.monotonic()
        self._pins: tuple[bytes, ...] = ()
        self._channel: grpc.aio.Channel | None = None
        self._replaced: dict[asyncio.Task[None], grpc.aio.Channel] = {}
        """Channels that may still finish their calls, by the task that closes them after that."""

    async def call(self, message: bytes, pins: tuple[bytes, ...], timeout_s: float) -> bytes:
        """Return the node's response; `pins` are the certificates it may present, DER.

        Raises:
            DepartmentFailed: the call ended otherwise.
        """
        unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._open(pins).unary_unary(METHOD)
        try:
            # Not waiting for a connection: a node that is away is told at once.
            return await unary(message, timeout=timeout_s, wait_for_ready=False)
        except grpc.RpcError as error:
            # from None: what a status says in words may hold anything.
            raise DepartmentFailed(_told(error)) from None

    async def connect(self, pins: tuple[bytes, ...], timeout_s: float) -> bool:
        """Say whether the node can be reached and proves who it is."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._open(pins).channel_ready()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End every connection, and the calls under way over any."""
        channels, closing = tuple(self._replaced.values()), tuple(self._replaced)
        for task in closing:
            task.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
        # Again: a task that is cancelled before its first step has closed nothing.
        for channel in channels:
            await channel.close()
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    def _open(self, pins: tuple[bytes, ...]) -> grpc.aio.Channel:
        """Return a channel to a server with one of these certificates."""
        changed = self._take_changed_tls()
        if self._channel is None or pins != self._pins or changed:
            if self._channel is not None:
                self._let_go(self._channel)
            self._channel, self._pins = self._build(pins), pins
        return self._channel

    def _build(self, pins: tuple[bytes, ...]) -> grpc.aio.Channel:
        private_key, chain = self._tls
        credentials = grpc.ssl_channel_credentials(
            root_certificates=b"".join(encode_pem(pin, "CERTIFICATE") for pin in pins),
            private_key=private_key,
            certificate_chain=chain,
        )
        return grpc.aio.secure_channel(
            self._address.address, credentials, options=_options(self._address)
        )

    def _take_changed_tls(self) -> bool:
        """Read our own certificate again where its file changed; keep the old one if it cannot."""
        if time.monotonic() - self._looked < LOOK_S:
            return False
        self._looked = time.monotonic()
        stamp = _stamp(self._address.tls.certificate)
        if stamp == self._stamp:
            return False
        try:
            tls = self._link.load_tls(self._address.tls)
        except (CertsError, SigningError, OSError, ValueError):
            # A file half written: looked at again in a second.
            return False
        self._tls, self._stamp = tls, stamp
        return True

    def _let_go(self, channel: grpc.aio.Channel) -> None:
        task = asyncio.get_running_loop().create_task(_drained(channel))
        self._replaced[task] = channel
        task.add_done_callback(lambda ended: self._replaced.pop(ended, None))


async def _drained(channel: grpc.aio.Channel) -> None:
    """Close a channel after a while; at once where that is cut short."""
    # Not grpc's own grace: once it waits for calls it takes no second close, so that whoever cuts
    # it short leaves the channel open for good.
    try:
        await asyncio.sleep(DRAIN_S)
    finally:
        await channel.close()


def _told(error: grpc.RpcError) -> Indeterminate:
    """Return what the requester is told of a call that ended with a status."""
    if not isinstance(error, grpc.aio.AioRpcError):
        return Indeterminate.PROVIDER_FAULT
    reason = _reason_of(error)
    if reason is None:
        return _CODES.get(error.code(), Indeterminate.PROVIDER_FAULT)
    _LOG.warning("node refused before it knew the query: %s", reason)
    return TEXTS[reason].told


def _reason_of(error: grpc.aio.AioRpcError) -> NodeReason | None:
    """Return the reason of the closed list that a status names, if it does."""
    details = dict(error.trailing_metadata() or ()).get(DETAILS_KEY)
    if not isinstance(details, bytes):
        return None
    try:
        status, info = Status.FromString(details), ErrorInfo()
        named = any(each.Unpack(info) for each in status.details if each.Is(ErrorInfo.DESCRIPTOR))
    except DecodeError:
        return None
    return parse_reason(info.reason) if named and info.domain == DOMAIN else None


def _options(address: NodeAddress) -> list[tuple[str, str | int]]:
    options: list[tuple[str, str | int]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.max_metadata_size", 16_384),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        # A query is executed once: whoever wants it again signs another.
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
        # Connections are not shared: another channel of this process may have other pins.
        ("grpc.use_local_subchannel_pool", 1),
        # A node that comes back is asked again at once when the breaker lets it be.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000),
    ]
    if address.tls_server_name is not None:
        options.append(("grpc.ssl_target_name_override", address.tls_server_name))
    return options


def _stamp(path: Path | None) -> tuple[int, int]:
    if path is None:
        return 0, 0
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_size
