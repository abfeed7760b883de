"""One load over three departments, calm or with two of them in trouble: what a step sees.

Knows how trouble is made and looked at; what it means is `resilience`'s. The departments are the
sandbox's: HRSS's own tables stand for the others, education answers every second call with an
error, the population register hangs.
"""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import aiohttp
import yaml

from bench.corpus import build_corpus, write_corpus
from bench.exchanges import GENERATOR_CORE, Worthless
from bench.paced import Lane, Paced
from bench.processes import resident_mib, running
from bench.world import (
    EDUCATION,
    PARTICIPATION,
    POLICE,
    SLUG,
    BenchWorld,
    bench_world,
    build_questions,
    select_answered,
)
from gateway.cli.departments import fetch_departments
from gateway.cli.sandbox.authority import write_private
from gateway.cli.told import Told
from gateway.clock import SystemClock
from gateway.config import load_config
from hutong.client import AnswerState, Client, ClientError, Question
from hutong.client.requests import build_exchange

OTHERS, FAILING, HANGING = PARTICIPATION.name, EDUCATION.name, POLICE.name
KEPT_BYTES: Final = 4 << 20
"""Of answers for twins: full after the first step, so that growth is not theirs."""
LOOK_S: Final = 0.25
SETTLE_S: Final = 60.0
QUICK_S: Final = 4.0
"""Less than the education department takes over what it has to look up by hand."""
_BEYOND: Final = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How long, how often, and how many questions a second."""

    rounds: int = 5
    seconds: int = 8
    others: float = 100.0
    failing: float = 20.0
    hanging: float = 50.0
    deadline_s: float = 6.0
    """Patience of all callers; times `hanging` it is more than a room holds."""

    @property
    def rates(self) -> Mapping[str, float]:
        """Questions a second by lane."""
        return {OTHERS: self.others, FAILING: self.failing, HANGING: self.hanging}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one load saw."""

    lanes: tuple[Paced, ...]
    calls_per_question: float
    """Of the department that fails, as it counts them itself."""
    peak_mib: float
    """Most memory of the gateway and its processes."""
    most_waiting: int
    """Exchanges that waited for the one that hangs."""
    breakers: Mapping[str, str]
    """By organisation, at the end of the load."""

    @property
    def others(self) -> Paced:
        """The lane that is judged."""
        return self._lane(OTHERS)

    @property
    def failing(self) -> Paced:
        """The lane of the department that fails."""
        return self._lane(FAILING)

    @property
    def hanging(self) -> Paced:
        """The lane of the department that hangs."""
        return self._lane(HANGING)

    def _lane(self, name: str) -> Paced:
        return next(each for each in self.lanes if each.name == name)


@dataclass(slots=True)
class _Watched:
    """The most that was seen of one step."""

    peak_mib: float = 0.0
    most_waiting: int = 0
    breakers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway, its departments and whom to ask about."""

    world: BenchWorld
    process: Process
    folder: Path
    shape: Shape
    questions: Mapping[str, tuple[Question, ...]]
    health: str
    http: aiohttp.ClientSession

    async def step(self, *, troubled: bool) -> Step:
        """Load all lanes for one step, two of them in trouble or none, and let all come to rest."""
        lanes = await asyncio.to_thread(self._prepare)
        if troubled:
            await self._switch("public_security", "hang")
            await self._switch("education", "server_error", every=2)
        before, watched = await self._calls(), _Watched()
        watching = asyncio.create_task(self._watch(watched))
        try:
            seen = await self._send(lanes)
            calls = await self._calls() - before
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._clear()
        await self._settle()
        failing = next(each for each in seen if each.name == FAILING)
        return Step(
            lanes=seen,
            calls_per_question=calls / failing.sent,
            peak_mib=watched.peak_mib,
            most_waiting=watched.most_waiting,
            breakers=watched.breakers or {},
        )

    def _prepare(self) -> list[Lane]:
        """Sign what will be sent; between the loads, so that it competes with nobody."""
        lanes, now_ms = [], SystemClock().now_ms()
        for number, (name, rate) in enumerate(self.shape.rates.items()):
            corpus = self.folder / f"corpus-{number}"
            count = round(rate * self.shape.seconds)
            messages = build_corpus(
                self.world.identity, self.questions[name], count, build_exchange, now_ms
            )
            write_corpus(corpus, messages)
            patience = self.shape.deadline_s
            lanes.append(Lane(name=name, corpus=str(corpus), rate=rate, deadline_s=patience))
        return lanes

    async def _send(self, lanes: list[Lane]) -> tuple[Paced, ...]:
        plan = self.folder / "plan.json"
        plan.write_text(json.dumps([asdict(each) for each in lanes]), "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.paced"),
            str(self.world.sandbox.world.folders.partner(SLUG)),
            *(f"127.0.0.1:{self.world.port}", GENERATOR_CORE, str(plan)),
            stdout=PIPE,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise Worthless("the generator ended with an error")
        return tuple(Paced(**each) for each in json.loads(output))

    async def _watch(self, watched: _Watched) -> None:
        """Look at memory and at the board, again and again."""
        while True:
            watched.peak_mib = max(watched.peak_mib, resident_mib(self.process.pid))
            with contextlib.suppress(Told):
                told = await asyncio.to_thread(fetch_departments, self.health)
                waiting = max((each.waiting for each in told.departments), default=0)
                watched.most_waiting = max(watched.most_waiting, waiting)
                watched.breakers = {each.organisation: each.breaker for each in told.departments}
            await asyncio.sleep(LOOK_S)

    async def _settle(self) -> None:
        """Wait until every department answers again and nobody waits.

        Raises:
            Worthless: that takes too long.
        """
        async with Client.open(self.world.identity) as client:
            try:
                async with asyncio.timeout(SETTLE_S):
                    for name in (HANGING, FAILING, OTHERS):
                        while not await _answers(client, self.questions[name][0]):  # noqa: ASYNC110 - another process answers or does not
                            await asyncio.sleep(LOOK_S)
            except TimeoutError:
                raise Worthless("a department did not come back after its trouble") from None

    async def _calls(self) -> int:
        """Return how many calls the department that fails has counted so far."""
        told = await self._admin("education", "GET", f"/received?after={_BEYOND}")
        count = told["count"]
        if not isinstance(count, int):
            raise Worthless("a simulator tells no count")
        return count

    async def _switch(self, name: str, fault: str, every: int = 1) -> None:
        await self._admin(name, "POST", "/faults", {"name": fault, "count": None, "every": every})

    async def _clear(self) -> None:
        for name in ("public_security", "education"):
            await self._admin(name, "DELETE", "/faults")

    async def _admin(
        self, name: str, method: str, path: str, body: dict[str, str | int | None] | None = None
    ) -> dict[str, object]:
        simulator = self.world.sandbox.simulators[name]
        headers = {"Authorization": f"Bearer {simulator.admin_token}"}
        url = f"http://127.0.0.1:{simulator.admin_port}{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            response.raise_for_status()
            told: dict[str, object] = await response.json()
            return told


async def _answers(client: Client, question: Question) -> bool:
    try:
        return (await client.exchange(question)).state is AnswerState.ANSWERED
    except ClientError:
        return False


@asynccontextmanager
async def measuring(folder: Path, shape: Shape) -> AsyncIterator[Gateway]:
    """Make a sandbox, start its gateway and find whom to ask about."""
    async with bench_world(folder) as world:
        _keep_little(world)
        health = load_config(world.config).health_listen
        async with (
            running("gateway", str(world.config)) as process,
            aiohttp.ClientSession() as http,
        ):
            yield Gateway(
                world=world,
                process=process,
                folder=folder,
                shape=shape,
                questions=await _find_questions(world),
                health=health,
                http=http,
            )


async def _find_questions(world: BenchWorld) -> dict[str, tuple[Question, ...]]:
    found = {}
    for lane in (PARTICIPATION, EDUCATION, POLICE):
        asked = build_questions(world.identity, lane)
        # Whom a department verifies by hand is PENDING by then, and is left out.
        answered = await select_answered(world.identity, asked, timeout_s=QUICK_S)
        found[lane.name] = tuple(question for question, _ in answered)
    return found


def _keep_little(world: BenchWorld) -> None:
    settings = yaml.safe_load(world.config.read_bytes())
    settings["limits"] = {"kept_answer_bytes": KEPT_BYTES}
    write_private(world.config, yaml.safe_dump(settings, allow_unicode=True).encode())
