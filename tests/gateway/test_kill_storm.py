"""The gateway is killed again and again: no answer without its entry, nothing charged twice."""

import asyncio
import contextlib
import dataclasses
import json
import os
import random
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.simulators.population import planted
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, write_partners
from hutong.client import Client, ClientError, Identity, Settings, load_identity
from hutong.client.clock import system_clock
from hutong.client.requests import build_exchange
from hutong.evidence import Outcome, Receipt, examine_log, parse_log_key, parse_receipt
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import RETIREMENT, diploma_question, insured_question, moment
from tests.gateway.conftest import POPULATION

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.timeout(300),
]

KILLS = 20
CALLERS = 6
LONGEST_LIFE_S = 0.5
SETTINGS = Settings(timeout_s=4.0)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prepared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A world of its own, whose gateway is a process to be killed."""
    options = SandboxOptions(
        root=tmp_path_factory.mktemp("storm") / "sandbox",
        population=POPULATION,
        systems=frozenset({RETIREMENT}),
    )
    async with prepared(options) as made:
        yield made


@dataclasses.dataclass(slots=True)
class Mortal:
    """A gateway that is killed and started again on the same folder."""

    process: Process
    pid: int = 0

    async def start(self) -> int:
        """Start it and return its port."""
        stdin = self.process.stdin
        assert stdin is not None
        stdin.write(b"start\n")
        pid, _, port = (await self._line()).partition(" ")
        self.pid = int(pid)
        return int(port)

    async def kill(self) -> None:
        """Kill it with signal 9 and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        while await self._line() != "ended":
            pass

    async def _line(self) -> str:
        stdout = self.process.stdout
        assert stdout is not None
        async with asyncio.timeout(60):
            while (line := await stdout.readline()).strip():
                # Diagnostics of the gateway stand between our lines.
                if line.endswith(b"ended\n"):
                    # A line that was being written when the gateway died stands before it.
                    return "ended"
                if line.replace(b" ", b"").strip().isdigit():
                    return line.decode().strip()
        raise AssertionError("the gateway did not start")


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(prepared_sandbox: Sandbox) -> AsyncIterator[Mortal]:
    """A gateway process that is not started yet; gone after the test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("gateway_process.py")),
        str(prepared_sandbox.world.folders.config),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    made = Mortal(process)
    yield made
    if made.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(made.pid, signal.SIGKILL)
    process.kill()
    await process.wait()


def _at(identity: Identity, port: int) -> Identity:
    return dataclasses.replace(identity, address=f"127.0.0.1:{port}")


async def _load(client: Client, people: list[str], receipts: list[Receipt]) -> None:
    """Ask without pause until the connection breaks; keep each receipt."""
    for who in people:
        try:
            answered = await client.exchange(insured_question(client.identity, who), timeout_s=1.0)
        except ClientError:
            continue
        receipts.append(parse_receipt(answered.receipt.encode()))


def _charges(path: Path) -> dict[str, int]:
    """Return what each ask was charged, by request id."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT body FROM entry").fetchall()
    entries = [json.loads(row[0]) for row in rows]
    return {each["tx"]: each["charge"] for each in entries if each["kind"] == "ask"}


def _states(path: Path, request_id: bytes) -> list[str]:
    """Return the states of the answers to one request."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT body FROM entry").fetchall()
    entries = [json.loads(row[0]) for row in rows]
    own = [each for each in entries if each.get("tx") == request_id.hex()]
    return [each["state"] for each in own if each["kind"] == "answer"]


async def test_no_acknowledged_answer_is_lost(prepared_sandbox: Sandbox, mortal: Mortal) -> None:
    """After 20 kills the log stands, holds every receipt given, and no ask lacks an answer."""
    sandbox = prepared_sandbox
    chance = random.Random(20261123)  # noqa: S311 - repeatable moments, no secret
    people = [each.name_of_case for each in planted()]
    receipts: list[Receipt] = []
    write_partners(sandbox.world, "127.0.0.1:1")
    identity = load_identity(sandbox.world.folders.partner("retirement"))
    port = await mortal.start()
    for _ in range(KILLS):
        async with Client.open(_at(identity, port), SETTINGS) as client:
            callers = [
                asyncio.ensure_future(_load(client, chance.sample(people, len(people)), receipts))
                for _ in range(CALLERS)
            ]
            await asyncio.sleep(chance.uniform(0.05, LONGEST_LIFE_S))
            await mortal.kill()
            for caller in callers:
                caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
        port = await mortal.start()  # by itself: nobody repairs anything
    await mortal.kill()

    path = sandbox.world.folders.log / "access.db"
    report = examine_log(path, parse_log_key(sandbox.world.log_vkey), receipts)

    assert report.outcome is Outcome.PROVEN, report.findings
    assert report.unanswered == ()
    assert len(receipts) >= KILLS
    assert report.receipts == len(receipts)


async def test_a_retry_of_an_interrupted_request_is_free(
    prepared_sandbox: Sandbox, mortal: Mortal
) -> None:
    """Killed between ask and answer: the restarted gateway closes it, and its retry is free."""
    sandbox = prepared_sandbox
    path = sandbox.world.folders.log / "access.db"
    write_partners(sandbox.world, "127.0.0.1:1")
    identity = load_identity(sandbox.world.folders.partner("retirement"))
    question = diploma_question(identity)
    request = build_exchange(identity, question, moment(system_clock()))
    department = sandbox.simulators["education"].process
    port = await mortal.start()
    department.send_signal(signal.SIGSTOP)  # the department hangs, so the ask stays open
    async with Client.open(_at(identity, port), SETTINGS) as client:
        call = asyncio.ensure_future(client._connection.call(request.method, request.message, 5.0))
        async with asyncio.timeout(5):
            while request.request_id.hex() not in _charges(path):  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.02)
        await mortal.kill()
        await asyncio.gather(call, return_exceptions=True)
    department.send_signal(signal.SIGCONT)

    port = await mortal.start()
    async with Client.open(_at(identity, port), SETTINGS) as client:
        retry = build_exchange(
            identity, question, moment(system_clock(), retries=request.request_id)
        )
        message = await client._connection.call(retry.method, retry.message, 5.0)
    await mortal.kill()

    assert exchange_pb2.ExchangeResponse.FromString(message).HasField("answer")
    charges = _charges(path)
    assert charges[request.request_id.hex()] > 0
    assert charges[retry.request_id.hex()] == 0
    assert _states(path, request.request_id) == ["INTERRUPTED"]
