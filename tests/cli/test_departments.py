"""`hutong departments`: a table or data from a health port, and an exit code one may act on."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typing_extensions import override

from gateway.cli.ending import ExitCode
from gateway.cli.root import run

Serving = Callable[..., str]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Return a function that serves one body for every path and tells where."""
    servers: list[HTTPServer] = []

    def serve(body: bytes, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answer."""
                self.send_response(status if self.path == "/departments" else 404)
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def _told(*breakers: str) -> bytes:
    rows = [
        {
            "organisation": f"11370000MB2DEM0{number}05",
            "datasets": ["edu.diploma@1"],
            "breaker": breaker,
            "waiting": number,
            "room": 256,
            "asked": 8 * number,
            "answered": 7 * number,
            "p50_us": 12_345 if number else None,
            "p95_us": 67_890 if number else None,
        }
        for number, breaker in enumerate(breakers)
    ]
    return json.dumps({"window_s": 600, "departments": rows}).encode()


@pytest.mark.parametrize(
    ("breakers", "code"),
    [
        ((), 0),
        (("CLOSED", "CLOSED"), 0),
        (("CLOSED", "OPEN"), 1),
        (("HALF_OPEN", "CLOSED"), 1),
    ],
    ids=str,
)
def test_an_open_breaker_ends_with_no(
    breakers: tuple[str, ...], code: int, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 where every department is asked, 1 where one is not."""
    address = serving(_told(*breakers))

    ended = run(["departments", "--health", address, "--json"])

    assert ended == code
    assert len(json.loads(capsys.readouterr().out)["departments"]) == len(breakers)


def test_the_table_tells_shares_and_times(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven of eight is 87.5 %; what was not asked has neither share nor time."""
    run(["departments", "--health", serving(_told("CLOSED", "OPEN"))])

    shown = capsys.readouterr().out
    assert "11370000MB2DEM0105" in shown
    assert "edu.*" in shown
    assert "87.5%" in shown
    assert "12.3" in shown
    assert "67.9" in shown
    assert "断开 open" in shown


def test_what_a_port_tells_is_shown_as_it_is(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text that looks like markup neither vanishes nor ends the command."""
    told = _told("CLOSED").replace(b"edu.diploma@1", b"[/] [red]x.y")

    ended = run(["departments", "--health", serving(told)])

    assert ended == ExitCode.YES
    assert "[/] [red]x.*" in capsys.readouterr().out


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"departments": 1}',
        b'{"departments": [{"breaker": "CLOSED"}]}',
        b'{"departments": [1]}',
        b'{"departments": []}',
    ],
)
def test_what_is_no_health_port_is_no_word_of_departments(
    body: bytes, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another program at the address is not a gateway whose departments are well."""
    ended = run(["departments", "--health", serving(body), "--json"])

    assert ended == ExitCode.INDETERMINATE
    assert json.loads(capsys.readouterr().out)["reason"] == "GATEWAY_SILENT"


def test_an_error_page_is_no_word_of_departments(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever stands in it."""
    ended = run(["departments", "--health", serving(_told("CLOSED"), 500), "--json"])

    assert ended == ExitCode.INDETERMINATE
    assert json.loads(capsys.readouterr().out)["reason"] == "GATEWAY_SILENT"


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "127.0.0.1:nonsense", ":", "[::1"])
def test_where_nobody_listens_nothing_is_known(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gateway that is away, or an address that is none."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen = address.format(port=free.getsockname()[1])

        ended = run(["departments", "--health", chosen, "--json"])

    assert ended == ExitCode.INDETERMINATE
    assert json.loads(capsys.readouterr().out)["reason"] == "GATEWAY_SILENT"


def test_without_an_address_the_command_line_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither file nor address: nothing to ask."""
    monkeypatch.delenv("HUTONG_CONFIG", raising=False)

    assert run(["departments"]) == ExitCode.USAGE
