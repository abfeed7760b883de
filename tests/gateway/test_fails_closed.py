"""Steps 7 and 11 when something fails: what cannot be logged is neither asked nor released."""

import asyncio
import dataclasses
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from adapters.port import Outcome, Query
from adapters.records import RecordSource
from gateway.access_log.errors import ClockBackwards, LogUnavailable
from gateway.access_log.intake import QueueLimits
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox
from gateway.clock import BACKWARDS_TOLERANCE_MS
from gateway.errors import Reason
from gateway.model import EntryKind
from gateway.outcome import Answered
from hutong.client import Identity
from hutong.client.requests import build_exchange
from tests.gateway.asking import (
    core_question,
    moment,
)
from tests.gateway.core import Core, SpyAdapter, build_core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_ask_is_on_disk_when_the_department_hears_of_it(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """Another connection to the log's file reads the ask while the adapter is being asked."""
    path = sandbox.world.folders.log / "access.db"
    seen: list[dict[str, object]] = []

    def look(spy: SpyAdapter, query: Query) -> Outcome:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        rows = connection.execute("SELECT body FROM entry ORDER BY idx DESC LIMIT 5").fetchall()
        connection.close()
        entries = [json.loads(row[0]) for row in rows]
        seen.extend(each for each in entries if each.get("tx") == query.request_id.hex())
        return spy.honest(query)

    core.spies["ps."].twist = look
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    assert isinstance(outcome, Answered)
    assert [each["kind"] for each in seen] == ["ask"]
    assert core.events == ["ask", "fetch", "answer"]


async def test_a_log_that_fails_at_the_ask_asks_nobody(core: Core, retirement: Identity) -> None:
    """Not logged is not asked; the same bytes may be sent again and are then answered."""
    core.log.failing = {EntryKind.ASK: LogUnavailable("disk")}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.LOG_UNAVAILABLE)

    assert core.events == []
    core.log.failing = {}
    assert isinstance(await core.ask(retirement, request), Answered)


async def test_a_log_that_fails_at_the_answer_releases_nothing(
    core: Core, retirement: Identity
) -> None:
    """The department was asked, the answer could not be logged: nothing of it leaves, ever."""
    core.log.failing = {EntryKind.ANSWER: LogUnavailable("disk")}
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    first = require_refused(await core.ask(retirement, request), Reason.LOG_UNAVAILABLE)

    assert core.events == ["ask", "fetch"]
    assert "王" not in repr(first.envelope)
    core.log.failing = {}
    require_refused(await core.ask(retirement, request), Reason.REPLAYED)
    assert core.events.count("fetch") == 1


@pytest.mark.parametrize("kind", list(EntryKind)[:3])
async def test_a_clock_that_goes_back_in_the_log_stops_the_exchange(
    core: Core, retirement: Identity, kind: EntryKind
) -> None:
    """The log's own refusal to date an entry back is told as such."""
    core.log.failing = {kind: ClockBackwards()}
    question = core_question(retirement)
    if kind is EntryKind.REFUSE:
        purpose = dataclasses.replace(question.purpose, case_number="NO-SUCH-CASE")
        question = dataclasses.replace(question, purpose=purpose)
    request = build_exchange(retirement, question, moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    wanted = Reason.LOG_UNAVAILABLE if kind is EntryKind.REFUSE else Reason.CLOCK_BACKWARDS
    require_refused(outcome, wanted)


async def test_a_clock_behind_the_newest_checkpoint_answers_nobody(
    core: Core, retirement: Identity
) -> None:
    """Beyond five seconds back the gateway stops; within them it holds its floor."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    floor = core.now_ms
    core.clock.raise_floor(floor)
    core.clock.set(floor - BACKWARDS_TOLERANCE_MS)
    held = core.now_ms
    core.clock.set(floor - BACKWARDS_TOLERANCE_MS - 1)

    outcome = await core.ask(retirement, request)

    assert held == floor
    require_refused(outcome, Reason.CLOCK_BACKWARDS)
    assert core.events == []


@contextmanager
def _full_disk(gateway: Gateway) -> Iterator[None]:
    """Let the log think that its disk is at its reserve."""
    intake = gateway.log._writer.intake
    limits = intake._limits
    intake._limits = QueueLimits(reserve_share=1.0, reserve_bytes=1 << 62)
    intake._disk_asked_at = float("-inf")
    try:
        yield
    finally:
        intake._limits = limits
        intake._disk_asked_at = float("-inf")


async def test_a_full_disk_stops_the_exchange(
    core: Core, gateway: Gateway, retirement: Identity
) -> None:
    """Without room for the entry there is no question, and with room again there is."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    with _full_disk(gateway):
        outcome = await core.ask(retirement, request)

    require_refused(outcome, Reason.LOG_UNAVAILABLE)
    assert core.events == []
    assert isinstance(await core.ask(retirement, request), Answered)


class _Registers:
    """Case registry that breaks, or never answers."""

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs

    async def fetch_case(self, *_question: object) -> None:
        """Break, or hang."""
        if self._hangs:
            await asyncio.Event().wait()
        raise RuntimeError("370102195603159016")


def _broken(gateway: Gateway, sources: Mapping[str, RecordSource], *, hangs: bool) -> Core:
    own = gateway.exchange._deciding._registers
    broken = dataclasses.replace(own, cases=_Registers(hangs=hangs))
    return build_core(gateway, sources, registers=broken)


async def test_an_unforeseen_error_releases_nothing_and_says_nothing(
    gateway: Gateway,
    sources: Mapping[str, RecordSource],
    retirement: Identity,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the text of an error nor the names of our code leave the process or reach its log."""
    core = _broken(gateway, sources, hangs=False)
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    refused = require_refused(await core.ask(retirement, request), Reason.INTERNAL)

    shown = repr(refused.envelope) + capsys.readouterr().out
    assert "3701021956" not in shown
    assert "Traceback" not in shown
    assert "fetch" not in core.events


async def test_a_deadline_that_passes_before_the_ask_is_told(
    gateway: Gateway, sources: Mapping[str, RecordSource], retirement: Identity
) -> None:
    """When deciding takes too long the call ends with a status, and nobody is asked."""
    core = _broken(gateway, sources, hangs=True)
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request, patience_s=0.1)

    require_refused(outcome, Reason.DEADLINE_EXCEEDED)
    assert "fetch" not in core.events
