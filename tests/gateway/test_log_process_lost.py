"""A gateway whose log process dies refuses everything, says so, and serves again by itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.app import Gateway
from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from gateway.cli.sandbox.running import Sandbox
from gateway.errors import Reason
from gateway.outcome import Answered
from hutong.client import Client, Identity
from hutong.client.requests import build_exchange
from tests.gateway.asking import RETIREMENT, core_question, moment
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEN_S = 30.0


def gauge(gateway: Gateway) -> float | None:
    """What metrics say of the process."""
    return gateway.metrics.registry.get_sample_value("hutong_log_process")


async def until_gauge(gateway: Gateway, value: float) -> None:
    """Wait until metrics say so."""
    async with asyncio.timeout(SEEN_S):
        while gauge(gateway) != value:  # noqa: ASYNC110 - as an operator sees it
            await asyncio.sleep(0.02)


async def told_by_health(gateway: Gateway) -> tuple[bool, str]:
    """Whether the gateway is ready and what it says of its log, looked at anew."""
    gateway.health._looked = float("-inf")
    ready, parts = await gateway.health.report()
    return ready, parts["log"]


async def serves_again(gateway: Gateway) -> None:
    """Wait until the log accepts."""
    async with asyncio.timeout(SEEN_S):
        while gateway.log.health().stopped is not None:  # noqa: ASYNC110 - as an operator sees it
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="session")
async def killed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The process that wrote the log, killed, while no other can be started."""
    process = gateway.log.process_id
    assert process is not None
    monkeypatch.setattr("gateway.child.sys.executable", "/nowhere/python")
    monkeypatch.setattr("gateway.access_log.apart.LONGEST_PAUSE_S", 0.2)
    os.kill(process, signal.SIGKILL)
    async with asyncio.timeout(SEEN_S):
        while gateway.log.process_id is not None:  # noqa: ASYNC110 - seen by another task
            await asyncio.sleep(0.005)
    yield process
    monkeypatch.undo()
    await serves_again(gateway)


async def test_without_its_log_process_a_gateway_refuses_and_then_serves(
    core: Core,
    gateway: Gateway,
    retirement: Identity,
    killed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody is asked for what cannot be logged; the same request is answered afterwards."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    refused = await core.ask(retirement, request)
    asked = list(core.events)
    monkeypatch.undo()
    await serves_again(gateway)
    answered = await core.ask(retirement, request)

    require_refused(refused, Reason.LOG_UNAVAILABLE)
    assert asked == []
    assert isinstance(answered, Answered)
    assert gateway.log.process_id not in {None, killed}


@pytest.mark.usefixtures("killed")
async def test_metrics_and_health_show_that_nobody_writes(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not ready, with the kind of the fault; afterwards ready, and the gauge is one again."""
    await until_gauge(gateway, 0.0)
    without = await told_by_health(gateway)

    monkeypatch.undo()
    await serves_again(gateway)

    assert without == (False, "LogUnavailable")
    assert (await told_by_health(gateway))[1] == "ok"
    await until_gauge(gateway, 1.0)


@pytest.mark.usefixtures("killed")
async def test_a_look_that_nobody_can_log_shows_nothing(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """`hutong log show` beside such a gateway ends with 2, says why, and prints no entry."""
    organisation = RETIREMENT.partition("/")[0]
    config = str(sandbox.world.folders.config)
    options = ("--org", organisation, "--case", "C-1", "--officer", "o", "--for-case", "F-1")
    capsys.readouterr()

    code = await asyncio.to_thread(run, ["log", "show", "--config", config, *options, "--json"])

    written = capsys.readouterr()
    assert code == ExitCode.INDETERMINATE
    assert '"entries"' not in written.out
    assert "nothing is shown" in written.err


async def test_a_partner_is_answered_after_the_process_was_replaced(
    gateway: Gateway, client: Client
) -> None:
    """The client tries again where the gateway says that it could not log."""
    process = gateway.log.process_id
    assert process is not None
    await client.exchange(core_question(client.identity))

    os.kill(process, signal.SIGKILL)
    question = core_question(client.identity)
    answer = await client.exchange(question)

    assert answer.request_id
    assert gateway.log.process_id not in {None, process}
