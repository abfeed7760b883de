"""Killed at any moment, the log has lost nothing it acknowledged, and its tree is whole."""

import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.access_log import naive_tree
from tests.access_log.apart import gone, lives
from tests.access_log.drafts import LogHome

KILLS = 20
KILLS_APART = 5
"""Each start of a process of its own takes half a second longer."""
WRITER = Path(__file__).with_name("killed_writer.py")
ROOT = WRITER.parents[2]


def acknowledged_until_killed(
    folder: Path, seconds: float, *mode: str
) -> tuple[dict[int, bytes], int]:
    """Let a writer run, kill it, and return what it acknowledged and which process wrote."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), *mode],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    process = int(writer.stdout.readline())
    time.sleep(seconds)
    writer.kill()
    lines = writer.stdout.read().splitlines(keepends=True)
    writer.wait()
    writer.stdout.close()
    whole = [line.rstrip(b"\n").split(b" ", 1) for line in lines if line.endswith(b"\n")]
    return {int(index): entry for index, entry in whole}, process


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "kills"), [((), KILLS), (("apart",), KILLS_APART)])
async def test_killed_writer_loses_nothing_it_acknowledged(
    home: LogHome, mode: tuple[str, ...], kills: int
) -> None:
    """After each kill the stored entries hold every acknowledged one and yield the signed root.

    A process of its own outlives its gateway by what it was sent, and ends.
    """
    choose = random.Random(2026)  # noqa: S311 - a seed makes the moments repeatable
    acknowledged: dict[int, bytes] = {}

    for _ in range(kills):
        told, process = acknowledged_until_killed(home.folder, choose.uniform(0.0, 0.12), *mode)
        acknowledged |= told

        await gone(process)
        entries = naive_tree.stored_entries(home.file)
        assert {index: entries[index] for index in acknowledged} == acknowledged
        root = naive_tree.mth([naive_tree.leaf(entry) for entry in entries])
        assert naive_tree.stored_head(home.file) == (len(entries), root)

    assert len(acknowledged) > kills
    reopened = home.open()
    assert reopened.size == len(naive_tree.stored_entries(home.file))
    reopened.close()


@pytest.mark.slow
def test_a_log_whose_gateway_was_killed_can_be_opened_at_once(home: LogHome) -> None:
    """Who opens it waits for what the orphan still commits, and then has the file alone."""
    told, process = acknowledged_until_killed(home.folder, 0.1, "apart")

    log = home.open()

    size = log.size
    log.close()
    entries = naive_tree.stored_entries(home.file)
    assert not lives(process) or not writes(process, home.file)
    assert {index: entries[index] for index in told} == told
    assert size == len(entries)


def writes(process: int, file: Path) -> bool:
    """Whether a process has a file open."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        opened = Path(f"/proc/{process}/fd").iterdir()
        return any(each.resolve() == file for each in opened)
    return False
