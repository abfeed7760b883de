"""`hutong sandbox --remote`: nodes as processes, and the same nodes when it is taken up again."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.restart import Kept, store_kept
from gateway.cli.sandbox.simulated import PREFIXES
from gateway.cli.told import CommandReason
from signing.encoding import JsonValue

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]
PROGRAM = (sys.executable, "-m", "gateway.cli")


@contextmanager
def _running(folder: Path, *options: str) -> Iterator[dict[str, JsonValue]]:
    """Run a sandbox as a process of its own, and end it with SIGTERM."""
    process = subprocess.Popen(
        [*PROGRAM, "sandbox", "--dir", str(folder), "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        printed: dict[str, JsonValue] = json.loads(text)
        yield printed
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def _asked(identity: str, enrolled: dict[str, str]) -> int:
    """Ask public security as a newcomer, who is known within two seconds of an enrolment."""
    arguments = [
        *("--identity", identity, "--agreement", enrolled["agreements"][0]),
        *("--matter", "M2", "--case", enrolled["case"], "--timeout", "10"),
        *("--subject-id", enrolled["subject_id"], "--subject-name", enrolled["subject_name"]),
        *("--field", "full_name"),
    ]
    codes: list[int] = []
    while len(codes) < 8 and ExitCode.YES not in codes:
        ended = subprocess.run(
            [*PROGRAM, "ask", *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        codes.append(ended.returncode)
    return codes[-1]


def test_a_remote_sandbox_is_taken_up_with_its_nodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A newcomer is known to the nodes too, and they come back with the folder, unasked."""
    folder = tmp_path / "sandbox"
    with _running(folder, "--remote", "--population", "240") as first:
        capsys.readouterr()
        run(["sandbox", "enrol", "newcomer-1", "--dir", str(folder), "--json"])
        enrolled: dict[str, str] = json.loads(capsys.readouterr().out)
        before = _asked(enrolled["identity"], enrolled)
    with _running(folder) as again:
        after = _asked(enrolled["identity"], enrolled)
    config = yaml.safe_load(Folders(root=folder).config.read_text("utf-8"))

    for printed in (first, again):
        nodes = printed["nodes"]
        assert isinstance(nodes, dict)
        assert set(nodes) == set(PREFIXES)
    assert {name: list(section) for name, section in config["departments"].items()} == {
        name: ["node"] for name in PREFIXES
    }
    assert (before, after) == (ExitCode.YES, ExitCode.YES)


def test_another_province_has_its_one_node(tmp_path: Path) -> None:
    """Both options together: the one department it connects runs a node, also when taken up."""
    folder = tmp_path / "sandbox"
    with _running(folder, "--remote", "--province", "other", "--population", "240") as first:
        pass
    with _running(folder) as again:
        pass
    config = yaml.safe_load(Folders(root=folder).config.read_text("utf-8"))

    for printed in (first, again):
        nodes = printed["nodes"]
        assert isinstance(nodes, dict)
        assert set(nodes) == {"hrss"}
    assert {name: list(section) for name, section in config["departments"].items()} == {
        "hrss": ["node"]
    }


def test_nodes_are_decided_at_the_first_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kept sandbox whose departments are embedded does not become another; nothing is begun."""
    folders = Folders(root=tmp_path / "sandbox")
    folders.make()
    store_kept(folders, Kept(seed=1, population=240, port=0))

    code = run(["sandbox", "--dir", str(folders.root), "--remote", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.USAGE
    assert told["reason"] == CommandReason.SANDBOX_NODES_FIXED
