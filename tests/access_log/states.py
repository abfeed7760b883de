"""What tests wait for and look at, whoever writes the log."""

import asyncio
from collections.abc import Iterable

import pytest

from gateway.access_log.log import AccessLog
from gateway.model import Logged
from tests.access_log import naive_tree
from tests.access_log.drafts import LogHome


async def until_accepting(log: AccessLog) -> None:
    """Wait until the log has resumed."""
    await until_stopped_for(log, None)


async def until_stopped_for(log: AccessLog, reason: str | None) -> None:
    """Wait until the log gives this reason for accepting nothing, or none."""
    for _ in range(2_500):
        stopped = log.health().stopped
        if stopped is None if reason is None else reason in (stopped or ""):
            return
        await asyncio.sleep(0.002)
    pytest.fail("the log did not come to that state")


def require_whole(home: LogHome, acknowledged: Iterable[Logged]) -> None:
    """Every acknowledged entry is stored, and the tree is the naive one."""
    entries = naive_tree.stored_entries(home.file)
    assert all(entries[each.index] == each.entry for each in acknowledged)
    root = naive_tree.mth([naive_tree.leaf(entry) for entry in entries])
    assert naive_tree.stored_head(home.file) == (len(entries), root)
