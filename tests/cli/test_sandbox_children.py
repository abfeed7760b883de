"""Child processes of a sandbox that do not become ready: ended, waited for, and named."""

import asyncio
import os
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.sandbox.children import start_child, stop_child
from gateway.cli.sandbox.nodes import start_node
from gateway.cli.sandbox.simulators import start_simulator

READY = "print('{\"port\": 1}', flush=True)"
STAY = "import time; time.sleep(60)"
UNREADY = {
    "ended": "",
    "no JSON": f"print('ready', flush=True); {STAY}",
    "a list": f"print('[]', flush=True); {STAY}",
    "another member": f"print('{{}}', flush=True); {STAY}",
    "another type": f'print(\'{{"port": "x"}}\', flush=True); {STAY}',
    "no line": STAY,
    "ended after its line": "print('{}', flush=True)",
}


def _noting(path: Path, code: str) -> tuple[str, ...]:
    """Return arguments of a child that notes its process id and then runs the code."""
    note = f"import os, pathlib; pathlib.Path({str(path)!r}).write_text(str(os.getpid()))"
    return "-c", f"{note}; {code}"


def _port(process: Process, ready: dict[str, Any]) -> tuple[Process, int]:
    return process, int(ready["port"])


def _require_gone(path: Path) -> None:
    """Require that a child is no process any more, not even one that nobody waited for."""
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text("utf-8")), 0)


@pytest.mark.parametrize("how", UNREADY)
async def test_a_child_that_is_not_ready_is_ended_and_named(tmp_path: Path, how: str) -> None:
    """Whatever it says or does not say."""
    noted = tmp_path / "pid"

    with pytest.raises(RuntimeError, match="the child did not start"):
        await start_child("the child", _noting(noted, UNREADY[how]), 3.0, _port)

    _require_gone(noted)


async def test_a_child_is_ended_when_its_sibling_fails(tmp_path: Path) -> None:
    """Cancelled while it has said nothing yet."""
    noted = tmp_path / "pid"

    async def fail() -> None:
        while not noted.exists() or not noted.read_text("utf-8"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        raise RuntimeError("the sibling did not start")

    async def start_both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(start_child("the child", _noting(noted, STAY), 30.0, _port))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as failed:
        await start_both()

    assert [str(each) for each in failed.value.exceptions] == ["the sibling did not start"]
    _require_gone(noted)


async def test_a_child_that_is_ready_stays_until_it_is_stopped(tmp_path: Path) -> None:
    """And stopping one twice, or one that ended by itself, is stopping."""
    noted = tmp_path / "pid"
    process, port = await start_child("the child", _noting(noted, f"{READY}; {STAY}"), 30.0, _port)

    assert port == 1
    assert process.returncode is None
    await stop_child(process)
    await stop_child(process)
    _require_gone(noted)


async def test_a_child_that_will_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may ignore what it is asked."""
    monkeypatch.setattr("gateway.cli.sandbox.children.STOP_S", 0.1)
    noted = tmp_path / "pid"
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; {STAY}"
    process, _ = await start_child("the child", _noting(noted, deaf), 30.0, _port)

    await stop_child(process)

    _require_gone(noted)


async def test_departments_and_nodes_that_end_at_once_are_named(tmp_path: Path) -> None:
    """A department without its module, a node without its configuration."""
    with pytest.raises(RuntimeError, match="simulator no_such did not start"):
        await start_simulator("no_such")
    with pytest.raises(RuntimeError, match="the node of tax did not start"):
        await start_node("tax", tmp_path / "node.yaml")
