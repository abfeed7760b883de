"""`hutong simulate`: it leads to every simulator, its page names them, faults can be on."""

import json
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from adapters.simulators.command_line import board_of, common_arguments
from gateway.cli.simulate import Department, list_faults
from tests.simulators.simulator_process import plain_client

ROOT = Path(__file__).resolve().parents[2]


def _faults_of(department: Department) -> type[StrEnum]:
    listed = import_module(f"adapters.simulators.{department}.faults").Fault
    assert isinstance(listed, type)
    assert issubclass(listed, StrEnum)
    return listed


def test_every_simulator_can_be_started_by_name() -> None:
    """No department is left out, and none is named that does not exist."""
    packages = (ROOT / "adapters" / "simulators").glob("*/__main__.py")

    assert {path.parent.name for path in packages} == {each.value for each in Department}
    assert all(find_spec(f"adapters.simulators.{each}.__main__") for each in Department)


def test_the_pages_name_every_simulator() -> None:
    """The command line's page and that of the people list the same departments."""
    cli = (ROOT / "docs" / "cli.md").read_text()
    people = (ROOT / "docs" / "population.md").read_text()
    names = {each.value for each in Department}

    (listed,) = re.findall(r"`hutong simulate ([a-z_|]+) …`", cli)

    assert set(listed.split("|")) == names
    assert set(re.findall(r"^python -m adapters\.simulators\.(\w+)", people, re.MULTILINE)) == names


@pytest.mark.parametrize("department", Department)
def test_every_fault_of_a_department_can_be_on_from_the_start(department: Department) -> None:
    """Each name of the list is taken, alone and with a count."""
    faults = _faults_of(department)
    parser = ArgumentParser()
    common_arguments(parser, faults)
    names = list_faults(department)

    board = board_of(parser.parse_args([f"--fault={name}" for name in names]), faults)
    counted = board_of(parser.parse_args([f"--fault={name}:2" for name in names]), faults)

    assert board.list_all() == dict.fromkeys(names)
    assert counted.list_all() == dict.fromkeys(names, 2)


@pytest.mark.parametrize("text", ["flood", "hang:0", "hang:-1", "hang:", "hang:1_0", "hang: 1"])
def test_what_is_no_fault_ends_a_simulator_before_it_listens(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of those there are is told instead."""
    parser = ArgumentParser()
    common_arguments(parser, _faults_of(Department.HEALTH))

    with pytest.raises(SystemExit) as ended:
        parser.parse_args([f"--fault={text}"])

    assert ended.value.code == 2
    assert "two_valid_rows" in capsys.readouterr().err


@pytest.mark.integration
def test_a_department_starts_with_its_faults_on(tmp_path: Path) -> None:
    """`hutong simulate … --fault` is what the admin port would have switched on."""
    apps = tmp_path / "apps.json"
    apps.write_text(json.dumps({"apps": []}))
    options = ("--apps", str(apps), "--population", "240", "--exit-with-stdin")
    faults = ("--fault", "bad_date:2", "--fault", "hang")
    command = [sys.executable, "-m", "gateway.cli", "simulate", "health", *faults, *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        listed = _switches(ready)
        process.stdin.close()

    on = {name: left for name, left in listed.items() if left != "off"}
    assert on == {"bad_date": 2, "hang": None}


def _switches(ready: Mapping[str, str | int]) -> Mapping[str, object]:
    url = f"http://127.0.0.1:{ready['admin_port']}"
    with plain_client(url, str(ready["admin_token"])) as admin:
        listed: Mapping[str, object] = admin.get("/faults").json()["faults"]
    return listed
