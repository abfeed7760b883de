"""Faults of a storm meet the process that writes the log, not the one that serves."""

import asyncio
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench import storm_faults
from bench.storm_faults import SMALLEST_FILE, fail_writes_for_a_moment, find_writer
from gateway.access_log.protocol import MODULE

pytestmark = pytest.mark.asyncio

SERVING = """
import subprocess, sys, threading

def start(*named):
    waiting = [sys.executable, "-c", "input()", *named]
    children.append(subprocess.Popen(waiting, stdin=subprocess.PIPE))

children = []
for named in (["other"], sys.argv[1:]):
    starting = threading.Thread(target=start, args=named)
    starting.start()
    starting.join()
print(children[-1].pid, flush=True)
input()
"""
"""A server that starts, from threads of its own, one child of another kind and one as named."""


@asynccontextmanager
async def serving(named: str) -> AsyncIterator[tuple[Process, int]]:
    """Run the server; its children end with it, as their standard input does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVING, named), stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def test_the_process_that_writes_is_found_among_the_children() -> None:
    """By the module it runs, whichever thread of the gateway started it."""
    async with serving(MODULE) as (gateway, child):
        assert find_writer(gateway.pid) == child


async def test_without_such_a_process_the_gateway_writes() -> None:
    """On a machine with one core nobody else does."""
    async with serving("another") as (gateway, _):
        assert find_writer(gateway.pid) == gateway.pid


async def test_writes_fail_for_a_moment_where_the_log_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit is lowered there alone, and is lifted again."""
    monkeypatch.setattr(storm_faults, "WINDOW_S", 0.2)
    async with serving(MODULE) as (gateway, child):
        before = resource.prlimit(child, resource.RLIMIT_FSIZE)
        failing = asyncio.create_task(fail_writes_for_a_moment(gateway))
        await asyncio.sleep(0.1)
        during = [resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] for pid in (child, gateway.pid)]
        await failing

        assert during == [SMALLEST_FILE, before[0]]
        assert resource.prlimit(child, resource.RLIMIT_FSIZE) == before


async def test_a_writer_that_was_replaced_meanwhile_needs_no_lifting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit went with it."""
    monkeypatch.setattr(storm_faults, "WINDOW_S", 0.2)
    async with serving(MODULE) as (gateway, _):
        failing = asyncio.create_task(fail_writes_for_a_moment(gateway))
        await asyncio.sleep(0.05)

    await failing
