"""TLS towards departments is ours to configure, not the environment's."""

import ssl
from pathlib import Path

import pytest

from adapters.tls import build_client_tls
from adapters.transport import DepartmentTransport


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Name a file for the keys of every connection, and authorities nobody configured."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


async def test_a_transport_writes_no_keys_of_its_connections() -> None:
    """Also where its kind gave it no context."""
    transport = DepartmentTransport(department="test", base_url="https://127.0.0.1:1")
    connector = transport._open_session().connector

    try:
        context = vars(connector)["_ssl"]
        assert isinstance(context, ssl.SSLContext)
        assert context.keylog_filename is None
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    finally:
        await transport.close()


def test_whom_to_trust_is_not_read_from_the_environment() -> None:
    """The operating system's own places are read, wherever the environment points."""
    places = ssl.get_default_verify_paths()
    trusted = build_client_tls().cert_store_stats()["x509_ca"]

    expected = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if Path(places.openssl_cafile).is_file():
        expected.load_verify_locations(cafile=places.openssl_cafile)
    assert trusted == expected.cert_store_stats()["x509_ca"]
