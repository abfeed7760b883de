"""The front-end database behind TLS: it proves itself, or it is not told who we are."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.port import Indeterminate
from tests.adapters.civil_affairs.asking import build_poller, front_end_of
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# PostgreSQL protocol 55.2.10: length 8, code 80877103; the server answers S and goes on in TLS.
SSL_REQUEST = (8).to_bytes(4, "big") + (80_877_103).to_bytes(4, "big")
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HUTONG SANDBOX front end")])


@dataclass(slots=True)
class Encrypted:
    """What stands before the database and speaks TLS."""

    port: int
    told: int = 0
    """Bytes that came through after the handshake."""


def certify(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1 that signs itself, with its key; return its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "front-end.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path


@asynccontextmanager
async def encrypted(certificate: Path, target: int) -> AsyncIterator[Encrypted]:
    """Speak TLS before the database of a simulator."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    before = Encrypted(port=0)
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == SSL_REQUEST
        writer.write(b"S")
        try:
            await writer.start_tls(context)
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", target)
            pumps = (pump(reader, back_writer, counted=True), pump(back_reader, writer))
            await asyncio.gather(*pumps)
        except OSError:
            writer.close()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        try:
            while block := await reader.read(1 << 16):
                before.told += len(block) if counted else 0
                writer.write(block)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(carry(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    before.port = server.sockets[0].getsockname()[1]
    try:
        yield before
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)


async def test_a_database_that_proves_itself_is_read(simulator: Simulator, tmp_path: Path) -> None:
    """By a certificate of the configured authority and of its own name."""
    certificate = certify(tmp_path)
    async with encrypted(certificate, front_end_of(simulator).port) as before:
        tls = ssl.create_default_context(cafile=certificate)
        address = replace(front_end_of(simulator), port=before.port, tls=tls)
        poller = build_poller(simulator, address=address)

        whole = await poller.poll()

        rows = poller.views["v_cremation"].copy.rows
        await poller.close()
    assert whole
    assert rows > 100
    assert before.told > 0


@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_database_that_does_not_is_told_nothing(
    simulator: Simulator, tmp_path: Path, wrong: str
) -> None:
    """Not even for whom to ask the password."""
    certificate = certify(tmp_path)
    async with encrypted(certificate, front_end_of(simulator).port) as before:
        trusted = None if wrong == "authority" else certificate
        host = "127.0.0.1" if wrong == "authority" else "localhost"
        tls = ssl.create_default_context(cafile=trusted)
        address = replace(front_end_of(simulator), host=host, port=before.port, tls=tls)
        poller = build_poller(simulator, address=address)

        whole = await poller.poll()

        failures = {view.failure for view in poller.views.values()}
        await poller.close()
    assert not whole
    assert failures == {Indeterminate.PROVIDER_UNAVAILABLE}
    assert before.told == 0
