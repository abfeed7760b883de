"""What every test stands on: sockets stay on loopback, no proxy, repeatable properties.

Warnings are errors and an unexpected pass is a failure (pyproject.toml). The guard sees what
Python opens; the C core of gRPC opens its own sockets, so servers under test bind 127.0.0.1.
"""

import ipaddress
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

_ADDRESSED = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_RESOLVED = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")

# Repeatable here; `make fuzz` is where chance belongs. A slow machine is no finding.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


class LeftLoopback(RuntimeError):
    """A test reached for an address outside this machine."""


def _require_loopback(host: object) -> None:
    if host is None or host == "localhost":
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        if ipaddress.ip_address(text.partition("%")[0]).is_loopback:
            return
    except ValueError:
        pass  # a name, or the empty host that means every interface
    what = f"tests stay on loopback, not {text!r}"
    raise LeftLoopback(what)


def _watch_sockets(event: str, args: tuple[object, ...]) -> None:
    if event in _ADDRESSED and isinstance(args[1], tuple):  # a path (AF_UNIX) is no tuple
        _require_loopback(args[1][0])
    elif event in _RESOLVED:
        _require_loopback(args[0])


# An audit hook cannot be taken away again, by no test and no library.
sys.addaudithook(_watch_sockets)


@pytest.fixture(autouse=True, scope="session")
def _no_proxy() -> Iterator[None]:
    """Calls to loopback go there directly, whatever the machine's settings say."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _PROXIES:
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(autouse=True)
def _own_diagnostics() -> None:
    """Begin without what a command of another test set up: its standard error has been closed."""
    structlog.reset_defaults()
