"""Killed at any moment, the log has lost nothing it acknowledged, and its tree is whole."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.access_log import naive_tree
from tests.access_log.drafts import LogHome

KILLS = 20
WRITER = Path(__file__).with_name("killed_writer.py")
ROOT = WRITER.parents[2]


def acknowledged_until_killed(folder: Path, seconds: float) -> dict[int, bytes]:
    """Let a writer run, kill it, and return what it acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    writer.kill()
    lines = writer.stdout.read().splitlines(keepends=True)
    writer.wait()
    writer.stdout.close()
    whole = [line.rstrip(b"\n").split(b" ", 1) for line in lines if line.endswith(b"\n")]
    return {int(index): entry for index, entry in whole}


@pytest.mark.slow
def test_killed_writer_loses_nothing_it_acknowledged(home: LogHome) -> None:
    """After each kill the stored entries hold every acknowledged one and yield the signed root."""
    choose = random.Random(2026)  # noqa: S311 - a seed makes the moments repeatable
    acknowledged: dict[int, bytes] = {}

    for _ in range(KILLS):
        acknowledged |= acknowledged_until_killed(home.folder, choose.uniform(0.0, 0.12))

        entries = naive_tree.stored_entries(home.file)
        assert {index: entries[index] for index in acknowledged} == acknowledged
        root = naive_tree.mth([naive_tree.leaf(entry) for entry in entries])
        assert naive_tree.stored_head(home.file) == (len(entries), root)

    assert len(acknowledged) > KILLS
    reopened = home.open()
    assert reopened.size == len(naive_tree.stored_entries(home.file))
    reopened.close()
