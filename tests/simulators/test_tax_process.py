"""The tax simulator as a process: who may register, what it leaves, how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from adapters.simulators.population import Population
from adapters.simulators.tax.clients import BadRegistration, load_clients
from adapters.simulators.tax.folders import KEPT_MS, QUOTA, Folders
from adapters.simulators.tax.money import yuan
from adapters.simulators.tax.questions import Service
from adapters.simulators.tax.refusals import Code
from adapters.simulators.tax.register import MESSAGES
from adapters.simulators.tax.sftp import Counter
from tests.simulators.simulator_process import ROOT, Running, running
from tests.simulators.tax_client import TaxClient, ask, drop, fetch_code
from tests.simulators.test_tax_answers import about

MANUAL = (ROOT / "docs" / "adapters" / "tax.md").read_text()
Row = dict[str, str | list[str]]


def test_the_manual_lists_the_codes_and_services_there_are() -> None:
    """Envelope codes, record codes and services, each in the order of the manual."""
    codes = re.findall(r"^\| `(\d{8})` \|", MANUAL, re.MULTILINE)
    records = re.findall(r"^\| `(\d{4})` \|", MANUAL.split("## 7")[0], re.MULTILINE)
    services = re.findall(r"^\| `(SWZJ[A-Z.]+)` \|", MANUAL, re.MULTILINE)

    assert codes == [code.value for code in Code]
    assert records == list(MESSAGES)
    assert services == [service.value for service in Service]


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-52_000, "-520.00")]
)
def test_amounts(cents: int, text: str) -> None:
    """A minus before what is negative, also below one yuan."""
    assert yuan(cents) == text


@pytest.mark.parametrize(
    "bend",
    [
        lambda rows: [{**rows[0], "client_no": "x"}],
        lambda rows: [{**rows[0], "sign_key": "short"}],
        lambda rows: [{**rows[0], "public_key": "ssh-ed25519 AAAA"}],
        lambda rows: [{**rows[0], "services": ["SWZJ.HXZG.CX.NONE"]}],
        lambda rows: [{**rows[0], "user": 1}],
        lambda rows: [rows[0], rows[0]],
        lambda rows: [rows[0], {**rows[1], "user": rows[0]["user"]}],
        lambda rows: [rows[0], {**rows[1], "client_no": rows[0]["client_no"]}],
        lambda rows: {"a": rows[0]},
        lambda _: None,
    ],
)
def test_bad_registrations_are_not_used(
    tax_folder: Path, tmp_path: Path, bend: Callable[[list[Row]], list[Row]]
) -> None:
    """Other shapes, short keys, unknown services, shared names."""
    rows = json.loads((tax_folder / "clients.json").read_text())["clients"]
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"clients": bend(rows)}))

    with pytest.raises(BadRegistration):
        load_clients(path)


async def test_a_client_is_taken_off_the_list(
    tax_folder: Path, tmp_path: Path, people: Population
) -> None:
    """After a reload new connections are judged by the new file; the given host key is shown."""
    host_key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    host_key.write_private_key(tmp_path / "host")
    listed = json.loads((tax_folder / "clients.json").read_text())
    (tmp_path / "clients.json").write_text(json.dumps(listed))
    options = ("--clients", str(tmp_path / "clients.json"), "--host-key", str(tmp_path / "host"))
    with running("tax", *options) as simulator:
        client = TaxClient(
            port=simulator.port, host_key=simulator.host_key, key=tax_folder / "hrss"
        )
        assert host_key.export_public_key().decode().strip() == simulator.host_key
        async with client.open() as sftp:
            await drop(sftp, package := ask(about(people.person(400))))
            assert await fetch_code(sftp, package) == "00000000"
        (tmp_path / "clients.json").write_text(json.dumps({"clients": listed["clients"][1:]}))
        simulator.admin.post("/clients/reload")

        with pytest.raises(asyncssh.PermissionDenied):
            async with client.open():
                pass
        async with replace(client, user="narrow", key=tax_folder / "narrow").open() as sftp:
            assert await sftp.listdir("/in") == []


def test_it_listens_on_loopback_alone_and_writes_nothing(tax: Running) -> None:
    """Both ports on 127.0.0.1; no regular file is open for writing."""
    listening = {
        line.split()[1].split(":")[0]
        for line in Path(f"/proc/{tax.pid}/net/tcp").read_text().splitlines()[1:]
        if int(line.split()[1].split(":")[1], 16) in {tax.port, tax.admin.base_url.port}
        and line.split()[3] == "0A"
    }
    written = [
        entry.readlink()
        for entry in Path(f"/proc/{tax.pid}/fd").iterdir()
        if int(entry.name) > 2 and entry.lstat().st_mode & 0o200 and entry.resolve().is_file()
    ]

    assert listening == {"0100007F"}
    assert written == []


def test_a_signal_ends_it_with_a_connection_open(tax_folder: Path) -> None:
    """A client that hangs does not keep it."""
    with running("tax", "--clients", str(tax_folder / "clients.json")) as simulator:
        simulator.fault("connection_hang", None)
        with socket.create_connection(("127.0.0.1", simulator.port)) as silent:
            silent.settimeout(0.3)
            with pytest.raises(TimeoutError):
                silent.recv(1)
            os.kill(simulator.pid, signal.SIGTERM)


def test_the_command_line_starts_it(tax_folder: Path) -> None:
    """`hutong simulate tax` becomes the simulator."""
    command = [
        sys.executable, "-c", "from gateway.cli import main; main()",
        "simulate", "tax", "--clients", str(tax_folder / "clients.json"), "--exit-with-stdin",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(10) == 0

    assert (ready["department"], ready["host"]) == ("tax", "127.0.0.1")
    assert ready["host_key"].startswith("ssh-ed25519 ")


def test_forgotten_files_are_overwritten() -> None:
    """Removed, replaced, purged, wiped: whoever still holds the octets sees zeros."""
    folders = Folders()
    held = []
    for doing in (
        lambda: folders.remove("in", "a"),
        lambda: folders.create("in", "a", 0),
        lambda: folders.purge(KEPT_MS + 1),
        folders.wipe,
    ):
        folders.put("in", "a", b"370102195603159016", 0)
        file = folders.find("in", "a")
        assert file is not None
        held.append(file.octets)
        doing()

    assert held == [bytes(18)] * 4


def test_room_is_counted_over_all_folders() -> None:
    """What lies in any folder takes part."""
    folders = Folders()
    folders.put("out", "a", bytes(QUOTA - 10), 0)

    assert folders.has_room(10)
    assert not folders.has_room(11)


def test_every_operation_of_the_library_is_answered_here_or_refused() -> None:
    """A new version of the library cannot add one that reaches this machine's files."""
    own = {name for name in vars(Counter) if not name.startswith("_")}
    refused_by_path = {"mkdir", "rmdir", "readlink", "symlink", "link", "statvfs"}
    harmless = {
        "channel", "connection", "env", "logger", "convert_attrs", "exit", "format_group",
        "format_longname", "format_user", "reverse_map_path", "lock", "unlock",
    }  # fmt: skip
    offered = {name for name in dir(asyncssh.SFTPServer) if not name.startswith("_")}

    assert offered - own == refused_by_path | harmless
