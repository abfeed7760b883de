"""The guard of tests/conftest.py does what the other tests rely on."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443, 0, 0)])
def test_connecting_beyond_loopback_is_stopped(address: tuple[str, int]) -> None:
    """A foreign address is refused before a packet leaves."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET

    with (
        socket.socket(family, socket.SOCK_STREAM) as channel,
        pytest.raises(RuntimeError, match="loopback"),
    ):
        channel.connect(address)


def test_listening_on_every_interface_is_stopped() -> None:
    """The empty host means every interface and is refused."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener,
        pytest.raises(RuntimeError, match="loopback"),
    ):
        listener.bind(("", 0))


def test_resolving_a_foreign_name_is_stopped() -> None:
    """A look-up would leave the machine too."""
    with pytest.raises(RuntimeError, match="loopback"):
        socket.getaddrinfo("gateway.invalid", 443)


def test_loopback_stays_open() -> None:
    """A listener on 127.0.0.1 can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as channel:
            peer = channel.getpeername()

        assert peer == listener.getsockname()
