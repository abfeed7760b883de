"""The gRPC server: which methods exist, over which channel, within which limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import grpc
from grpc_reflection.v1alpha import reflection

from gateway.config import ConnectionLimits
from gateway.statement.wrapper import MAX_MESSAGE_BYTES
from hutong.accesslog.v1 import accesslog_pb2
from hutong.catalog.v1 import catalog_pb2
from hutong.exchange.v1 import exchange_pb2

LARGEST_MESSAGE: Final = 4 * MAX_MESSAGE_BYTES
"""grpcio's own bound; between ours and this we answer with a reason of our own."""
KEEPALIVE_MS: Final = 60_000

SERVICES: Final = (
    exchange_pb2.DESCRIPTOR.services_by_name["ExchangeService"].full_name,
    catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"].full_name,
    accesslog_pb2.DESCRIPTOR.services_by_name["AccessLogService"].full_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMaterial:
    """What the server presents and whom it lets connect; PEM."""

    private_key: bytes
    certificate_chain: bytes
    roots: bytes


Handlers: TypeAlias = "dict[str, grpc.RpcMethodHandler[bytes, bytes]]"
"""Full method name to handler."""


def build_server(
    handlers: Handlers,
    limits: ConnectionLimits,
    *,
    others: Sequence[Callable[[grpc.aio.Server], None]] = (),
) -> grpc.aio.Server:
    """Return a server with the methods registered and no port yet."""
    server = grpc.aio.server(options=_options(limits))
    for service in sorted({name.rpartition("/")[0][1:] for name in handlers}):
        methods = {
            name.rpartition("/")[2]: handler
            for name, handler in handlers.items()
            if name.startswith(f"/{service}/")
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
    for add in others:
        add(server)
    return server


def credentials(
    first: TlsMaterial, changed: Callable[[], TlsMaterial | None]
) -> grpc.ServerCredentials:
    """Return server credentials that ask before each handshake whether their material changed.

    A client certificate is required; whether it is registered and current is step 1 of every call.
    """

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        # None keeps what is in use: making it anew costs a key derivation per connection.
        material = changed()
        return None if material is None else _configured(material)

    return grpc.dynamic_ssl_server_credentials(
        _configured(first),
        fetch,  # type: ignore[arg-type]  # the stub leaves out None, which grpc takes as "no change"
        require_client_authentication=True,
    )


def _configured(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.private_key, material.certificate_chain)], root_certificates=material.roots
    )


def add_reflection(server: grpc.aio.Server) -> None:
    """Let a newcomer list the services; sandbox only (decisions.md, "The path, refined")."""
    reflection.enable_server_reflection((*SERVICES, reflection.SERVICE_NAME), server)


def _options(limits: ConnectionLimits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        ("grpc.max_send_message_length", 8 * LARGEST_MESSAGE),
        ("grpc.max_concurrent_streams", limits.streams_per_connection),
        # Connections end in time, so that a new certificate or a changed anchor reaches every peer.
        ("grpc.max_connection_age_ms", limits.connection_age_s * 1000),
        ("grpc.max_connection_age_grace_ms", 30_000),
        ("grpc.max_metadata_size", 16_384),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        # A second process on this port would share calls without sharing the memory of request ids.
        ("grpc.so_reuseport", 0),
    ]
