"""docs/operations/install.md does what it says: real commands, a real gateway, no sandbox code."""

import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.cli.ending import ExitCode

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "install.md"
BIN = Path(sys.executable).parent
SERVE = "hutong serve --config gateway/config.yaml\n"
READY_S = 30.0
ENVIRONMENT = {"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
RELOADS_S = 10.0
"""Trust is looked at every second; asking anew takes one or two of them."""
OF_OPENSSL = """
openssl_keyid() {
    openssl x509 -noout -pubkey -in $1 | openssl pkey -pubin -outform DER | sha256sum | cut -c 1-32
}
openssl_thumbprint() { openssl x509 -noout -fingerprint -sha256 -in $1 | cut -d = -f 2; }
"""
AGAIN = "rm -rf kept\n"  # a receipt is never written over


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An installation made by following the page up to `hutong serve`."""

    folder: Path
    health_port: int
    variables: str
    after: tuple[str, ...]
    """The blocks behind `hutong serve`."""

    def shell(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run a script in the folder, with the variables of the page."""
        return _shell(self.folder, self.variables + script)

    def config(self, changed: str, to: str) -> str:
        """Write a second configuration with one change and return its name."""
        text = (self.folder / "gateway" / "config.yaml").read_text("utf-8")
        assert changed in text
        (self.folder / "gateway" / "other.yaml").write_text(text.replace(changed, to), "utf-8")
        return "gateway/other.yaml"


def _shell(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _blocks(ports: dict[str, int]) -> list[str]:
    """Return the shell blocks of the page, with ports of this run."""
    text = PAGE.read_text("utf-8")
    for documented, port in ports.items():
        text = text.replace(documented, str(port))
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Follow the page in an empty folder."""
    folder = tmp_path_factory.mktemp("operator")
    ports = {"7443": _free_port(), "7480": _free_port()}
    blocks = _blocks(ports)
    at = blocks.index(SERVE)
    followed = _shell(folder, "".join(blocks[:at]))
    assert followed.returncode == 0, followed.stderr
    return Installed(
        folder=folder,
        health_port=ports["7480"],
        variables=blocks[0],
        after=tuple(blocks[at + 1 :]),
    )


@contextmanager
def _served(installed: Installed) -> Iterator["subprocess.Popen[str]"]:
    """Run the gateway of the page until the block ends; it has to end with 0 on SIGTERM."""
    process = subprocess.Popen(
        ["hutong", *SERVE.split()[1:]],
        cwd=installed.folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until_ready(installed.health_port)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        out, diagnostics = process.communicate(timeout=60)
        (installed.folder / "diagnostics").write_text(out + diagnostics, "utf-8")
    assert process.returncode == 0, diagnostics


def _wait_until_ready(port: int) -> None:
    ends = time.monotonic() + READY_S
    while not _is_ready(port):
        assert time.monotonic() < ends, "the gateway did not turn ready"
        time.sleep(0.2)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as told:
            return int(told.status) == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def _size(installed: Installed) -> int:
    """Return how many entries the independent verifier proves in the log on disk."""
    verified = installed.shell("hutong log verify log/access.db --log-key-file log-key --json\n")
    assert verified.returncode == 0, verified.stderr
    report: dict[str, int] = json.loads(verified.stdout)
    return report["size"]


def test_page_leads_to_a_verified_exchange(installed: Installed) -> None:
    """Each command behind `hutong serve` works while it serves: ask, verify, look."""
    with _served(installed):
        followed = installed.shell(AGAIN + "".join(installed.after))

    assert followed.returncode == 0, followed.stderr
    assert "YES" in followed.stdout
    assert (installed.folder / "kept" / "receipt.json").exists()
    assert '"kind":"ask"' in followed.stdout


def test_log_goes_on_over_a_restart(installed: Installed) -> None:
    """A second start writes the same log: one tree, proven from its first entry on."""
    with _served(installed):
        pass
    before = _size(installed)

    with _served(installed):
        asked = installed.shell(AGAIN + "".join(installed.after))

    assert asked.returncode == 0, asked.stderr
    assert _size(installed) >= before + 3  # ask, answer, view


def test_killed_gateway_starts_again(installed: Installed) -> None:
    """What a kill leaves behind, its socket too, does not stop the next start or the next look."""
    look = next(block for block in installed.after if block.startswith("hutong log show"))
    left = installed.folder / "log" / "access.db.look"
    killed = subprocess.Popen(
        ["hutong", *SERVE.split()[1:]],
        cwd=installed.folder,
        env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
    )
    _wait_until_ready(installed.health_port)
    killed.kill()
    killed.wait(timeout=30)
    stale = left.is_socket()

    with _served(installed):
        looked = installed.shell(look)

    assert stale
    assert looked.returncode == ExitCode.YES, looked.stderr
    assert not left.exists()


def test_look_needs_no_gateway(installed: Installed) -> None:
    """While none serves, the same command opens the log itself and shows the same entries."""
    look = next(block for block in installed.after if block.startswith("hutong log show"))
    with _served(installed):
        beside = installed.shell(look)

    alone = installed.shell(look)

    assert (beside.returncode, alone.returncode) == (ExitCode.YES, ExitCode.YES)
    assert alone.stdout == beside.stdout


def test_look_beside_unreadable_keys_leaves_the_log_free(installed: Installed) -> None:
    """Without the epoch keys nobody can search: 3, and the log's lock is given back."""
    look = next(block for block in installed.after if block.startswith("hutong log show"))
    other = installed.config("../log-keys/epochs.pass", "../log-keys/log.pass")

    refused = installed.shell(look.replace("gateway/config.yaml", other))
    again = installed.shell(look)

    assert refused.returncode == ExitCode.UNREADABLE
    assert "log.epoch_keys" in refused.stderr
    assert again.returncode == ExitCode.YES


def test_check_config_agrees_with_serve(installed: Installed) -> None:
    """What serves is called ready, without a sandbox anchor or a sandbox origin anywhere."""
    checked = installed.shell("hutong check-config --config gateway/config.yaml --json\n")

    text = (installed.folder / "trust" / "registry.json").read_text("utf-8")
    assert checked.returncode == ExitCode.YES
    assert json.loads(checked.stdout) == {"ready": True, "problems": {}}
    assert "sandbox" not in text.lower()


def test_a_call_under_way_is_answered_before_the_gateway_ends(installed: Installed) -> None:
    """SIGTERM drains: a question whose department is slow is still answered, and proven."""
    ask = next(block for block in installed.after if block.startswith("hutong ask"))

    with (
        _served(installed) as process,
        _slow_tables(installed) as release,
        ThreadPoolExecutor(1) as pool,
    ):
        asking = pool.submit(installed.shell, AGAIN + ask)
        _wait_until_asked(installed)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        still_there = process.poll() is None
        release()
        asked = asking.result()
        process.wait(timeout=30)

    assert still_there
    assert asked.returncode == ExitCode.YES, asked.stderr


@contextmanager
def _slow_tables(installed: Installed) -> Iterator[Callable[[], None]]:
    """Keep the department's tables from answering until the block says so."""
    with closing(sqlite3.connect(installed.folder / "hrss" / "hrss.db")) as held:
        held.execute("BEGIN EXCLUSIVE")
        yield held.rollback


def _wait_until_asked(installed: Installed) -> None:
    """Wait until an `ask` stands in the log that has no answer yet."""
    address = f"file:{installed.folder / 'log' / 'access.db'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as log:
        ends = time.monotonic() + READY_S
        while not log.execute("SELECT count(*) FROM open_asks").fetchone()[0]:
            assert time.monotonic() < ends, "nothing was asked"
            time.sleep(0.05)


def test_second_gateway_on_one_log_is_refused(installed: Installed) -> None:
    """A log has one writer: the second process ends with 3 and says so, the first serves on."""
    with _served(installed) as first:
        second = installed.shell(SERVE)
        alive = first.poll() is None

    assert second.returncode == ExitCode.UNREADABLE
    assert "another process writes this log" in second.stderr
    assert alive


def test_taken_port_is_named_and_the_log_is_closed(installed: Installed) -> None:
    """A port that cannot be bound ends with 3, names the setting, and leaves the log whole."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = (installed.folder / "gateway" / "config.yaml").read_text("utf-8")
        listen = re.search(r"^listen: .*$", text, re.MULTILINE)
        assert listen is not None
        other = installed.config(listen[0], f"listen: 127.0.0.1:{port}")

        ended = installed.shell(f"hutong serve --config {other}\n")

    assert ended.returncode == ExitCode.UNREADABLE
    assert f"listen: 127.0.0.1:{port} cannot be bound" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert _size(installed)


def test_sandbox_origin_serves_nothing(installed: Installed) -> None:
    """A log that says sandbox in its name is refused by `serve`."""
    other = installed.config("gateway.hrss.example/log", "sandbox.invalid/hutong/log")

    ended = installed.shell(f"hutong serve --config {other}\n")

    assert ended.returncode == ExitCode.UNREADABLE
    assert "sandbox origin" in ended.stderr


@pytest.mark.parametrize(
    ("revoked", "reason"),
    [
        ("--system fund --key $(openssl_keyid fund/envelope.crt)", "SIGNER_REVOKED"),
        ("--system fund --thumbprint $(openssl_thumbprint fund/tls.crt)", "CHANNEL_REFUSED"),
        ("--whole", "CHANNEL_REFUSED"),
    ],
    ids=["signing key", "thumbprint", "whole organisation"],
)
def test_a_serving_gateway_refuses_what_is_revoked(
    installed: Installed, tmp_path: Path, revoked: str, reason: str
) -> None:
    """Answered before, refused within its next reloads, without a restart."""
    copied = replace(installed, folder=tmp_path / "operator")
    shutil.copytree(installed.folder, copied.folder)
    ask = AGAIN + next(block for block in installed.after if block.startswith("hutong ask"))

    with _served(copied):
        before = copied.shell(ask)
        done = copied.shell(f"{OF_OPENSSL}hutong partner revoke trust --org $FUND {revoked}\n")
        ends = time.monotonic() + RELOADS_S
        while (after := copied.shell(ask)).returncode == ExitCode.YES:
            assert time.monotonic() < ends, "what is revoked is still answered"

    assert before.returncode == ExitCode.YES, before.stderr
    assert done.returncode == ExitCode.YES, done.stderr
    assert after.returncode == ExitCode.NO
    assert reason in after.stdout + after.stderr


def test_no_secret_is_printed(installed: Installed) -> None:
    """Settings in force and diagnostics hold no passphrase, no key and no person."""
    with _served(installed):
        installed.shell(AGAIN + "".join(installed.after))

    told = (installed.folder / "diagnostics").read_text("utf-8")
    secrets = [
        *installed.folder.rglob("*.pass"),
        installed.folder / "gateway" / "registers-key",
        installed.folder / "gateway" / "pseudonym-secret",
    ]
    assert '"event": "serving"' in told
    assert len(secrets) > 8
    assert not [path for path in secrets if path.read_text("utf-8").strip() in told]
    assert "370102198203159010" not in told
    assert "李明哲" not in told


def test_everything_made_is_for_this_user_alone(installed: Installed) -> None:
    """Keys, passphrases, log and registers are readable by nobody else."""
    private = [
        path
        for pattern in ("*.key", "*.pass", "*.passphrase", "access.db*", "epochs", "registers*")
        for path in installed.folder.rglob(pattern)
    ]

    open_to_others = [path.name for path in private if path.stat().st_mode & 0o077]

    assert len(private) > 15
    assert open_to_others == []
