"""The channel to the gateway: mutual TLS, bounds, keepalive; raw bytes in and out.

Messages stay bytes until `proof` reads them, so that nothing is parsed before it is bounded and in
its one spelling.
"""

from typing import Final, TypeAlias

import grpc

from hutong.client.identity import Identity
from hutong.client.proof import MAX_MESSAGE
from hutong.client.questions import MAX_QUERIES

MAX_RECEIVED: Final = MAX_QUERIES * MAX_MESSAGE
"""Bytes of one message: the largest is a matter of 32 items."""
MAX_TRAILERS: Final = 32_768
"""Bytes. A signed refusal of 6 KiB takes 8 KiB in base64, where grpc starts to refuse by chance."""
KEEPALIVE_MS: Final = 120_000
"""A silent connection that a firewall dropped is found after two minutes."""
KEEPALIVE_TIMEOUT_MS: Final = 20_000

StreamCall: TypeAlias = "grpc.aio.StreamStreamCall[bytes, bytes]"


class Connection:
    """One channel to one gateway."""

    __slots__ = ("_channel",)

    def __init__(self, identity: Identity) -> None:
        tls = identity.tls
        credentials = grpc.ssl_channel_credentials(
            root_certificates=tls.authority,
            private_key=tls.private_key,
            certificate_chain=tls.chain,
        )
        self._channel = grpc.aio.secure_channel(
            identity.address, credentials, options=channel_options(identity)
        )

    async def call(self, method: str, message: bytes, timeout_s: float) -> bytes:
        """Return the response of a unary call.

        Raises:
            grpc.RpcError: the call ended with another status than OK.
        """
        unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method)
        # No waiting for a connection: a gateway that is away is told at once; `sending` decides.
        return await unary(message, timeout=timeout_s, wait_for_ready=False)

    def open_stream(self, method: str) -> StreamCall:
        """Open a call with many messages both ways."""
        stream: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(
            method
        )
        return stream()

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close()


def channel_options(identity: Identity) -> list[tuple[str, str | int]]:
    """Return the options of the channel."""
    options: list[tuple[str, str | int]] = [
        ("grpc.max_receive_message_length", MAX_RECEIVED),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.max_metadata_size", MAX_TRAILERS),
        ("grpc.absolute_max_metadata_size", 2 * MAX_TRAILERS),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        # When and what is sent again is decided in `sending`; the library would not sign for it.
        ("grpc.enable_retries", 0),
        # Where person data goes is decided by the identity, not by a variable of the environment.
        ("grpc.enable_http_proxy", 0),
    ]
    if identity.tls_server_name is not None:
        options.append(("grpc.ssl_target_name_override", identity.tls_server_name))
    return options
