"""`python -m bench.storm`: kills a gateway under load and makes its log fail, and looks for losses.

After each kill and each fault seen the gateway has to answer again by itself, and what is new in
the log is examined with the receipts handed out since; after the kills, half-way through the faults
and at the end the whole log with every receipt, by `hutong.evidence` alone: no acknowledged answer
without its entry, every root derived anew. Ends with 1 on any loss; results are JSON.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from asyncio.subprocess import Process
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.goals import RESULTS
from bench.processes import NotStarted, start, stop
from bench.storm_examiner import Examiner, Storm
from bench.storm_faults import (
    STRACE_PACKAGE,
    Faulty,
    count_injected,
    fail_writes_for_a_moment,
    failing,
    strace_works,
)
from bench.storm_load import StormLoad, happens
from bench.world import (
    PARTICIPATION,
    BenchWorld,
    bench_world,
    build_questions,
    select_answered,
)

KILLS: Final = 200
FAULTS: Final = 100
QUICK: Final = 20
RESUME_S: Final = 30.0
LONGEST_LIFE_S: Final = 1.0
"""At most so long a gateway lives on after its first answer."""
FAULTS_PER_PROCESS: Final = 10
TOLD_EACH: Final = 10
"""So many kills pass between two lines of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the parts of a storm share."""

    world: BenchWorld
    load: StormLoad
    storm: Storm
    examiner: Examiner
    chance: random.Random
    console: Console
    began: float
    told_by_gateway: Path
    """Diagnostics of all gateways, one after another."""

    def lose(self, what: str) -> None:
        """Write down what fails the run."""
        when = f"after {self.storm.kills} kills, {self.storm.faults} faults"
        self.storm.losses.append(f"{when}: {what}")

    def last_words(self) -> str:
        """The last line a gateway wrote."""
        lines = self.told_by_gateway.read_text("utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def tell(self) -> None:
        """Print how far the storm is."""
        self.storm.minutes = (time.monotonic() - self.began) / 60
        self.console.print(f"{self.storm.minutes:5.1f} min  {self.storm.told}", soft_wrap=True)


async def kill_many(run: Run, count: int) -> None:
    """Start, load, kill at a random moment; again and again."""
    for _ in range(2 * count):
        if run.storm.kills == count:
            return
        began = time.monotonic()
        process = await start_or_lose(run)
        if process is None:
            continue
        try:
            await run.load.reconnect()
            if await resumes(run):
                run.storm.restart_s.append(time.monotonic() - began)
            await run.examiner.examine_new(run.load.receipts)
            await asyncio.sleep(run.chance.uniform(0, LONGEST_LIFE_S))
        finally:
            await _kill(run, process)
        if run.storm.kills % TOLD_EACH == 0:
            run.tell()


async def _kill(run: Run, process: Process) -> None:
    """Kill a gateway; without a call under way that is no kill under load, and not counted.

    The process that writes its log lives a moment longer: it commits at most what it was sent, and
    whoever opens the log next waits for that.
    """
    struck = run.load.under_way
    if process.returncode is None:
        process.kill()
    if await process.wait() != -signal.SIGKILL:
        run.lose(f"the gateway ended by itself, with {process.returncode}")
    elif struck:
        run.storm.kills += 1
        run.storm.struck += struck


async def fault_many(run: Run, count: int, trace: Path) -> None:
    """Let writes and syncs of the log fail while callers go on, until so many were injected."""
    while run.storm.faults < count:
        before = run.storm.faults
        try:
            async with failing(run.world.config, run.world.database, trace, run.chance) as faulty:
                run.storm.fault_kinds.append(faulty.what)
                await run.load.reconnect()
                await _until_injected(run, min(FAULTS_PER_PROCESS, count - before), faulty)
            if faulty.process.returncode:
                run.lose(f"under faults the gateway ended with {faulty.process.returncode}")
        except NotStarted as error:
            # The fault hit the start: refusing to serve a log one cannot write is right.
            hit = min(1, await asyncio.to_thread(count_injected, trace))
            run.storm.faults += hit
            if not hit:
                run.lose(f"no start, and no fault was injected: {error}")
        await recover(run)
        run.tell()
        if run.storm.faults == before:
            return


async def _until_injected(run: Run, wanted: int, faulty: Faulty) -> None:
    seen = 0
    while seen < wanted:
        if not await happens(partial(faulty.failed_again, seen), RESUME_S):
            run.lose(f"no write or sync came to fail within {RESUME_S:.0f} s")
            return
        began = time.monotonic()
        now = min(wanted, faulty.injected())
        run.storm.faults += now - seen
        seen = now
        if not await resumes(run):
            return
        run.storm.resumed_s.append(time.monotonic() - began)
        await run.examiner.examine_new(run.load.receipts)


async def fault_without_strace(run: Run, count: int) -> None:
    """The same by the limit on file sizes; what counts is a moment in which callers felt it."""
    process = await start_or_lose(run)
    if process is None:
        return
    try:
        await run.load.reconnect()
        for _ in range(2 * count):
            if run.storm.faults == count or not await resumes(run):
                return
            before = run.load.unanswered
            await fail_writes_for_a_moment(process)
            began = time.monotonic()
            if await resumes(run):
                run.storm.resumed_s.append(time.monotonic() - began)
            run.storm.faults += min(1, run.load.unanswered - before)
            await run.examiner.examine_new(run.load.receipts)
    finally:
        await stop(process)


async def recover(run: Run) -> None:
    """After the faults a gateway without them starts on the same log."""
    process = await start_or_lose(run)
    if process is None:
        return
    try:
        await run.load.reconnect()
        await resumes(run)
        await run.examiner.examine_new(run.load.receipts)
    finally:
        await stop(process)


async def resumes(run: Run) -> bool:
    """Whether the gateway answers a question asked from now on; a loss where it does not."""
    resumed = await run.load.resumed(RESUME_S)
    if not resumed:
        run.lose(f"no answer within {RESUME_S:.0f} s")
    return resumed


async def start_or_lose(run: Run) -> Process | None:
    """Start a gateway; None, and a loss, where it does not serve."""
    try:
        return await start("gateway", str(run.world.config), errors=run.told_by_gateway)
    except NotStarted as error:
        run.lose(f"no start: {error}; {await asyncio.to_thread(run.last_words)}")
        return None


async def storm(kills: int, faults: int, seed: int, console: Console) -> Storm:
    """Run both parts over one log, then look at it once more with nobody asking."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hutong-storm-") as folder:
        async with bench_world(Path(folder)) as world:
            run = await build_run(world, seed, console, began)
            async with run.load.calling():
                await kill_many(run, kills)
                await run.examiner.examine_whole(run.load.receipts)
                run.tell()
                await fault(run, faults // 2, Path(folder) / "trace")
                await run.examiner.examine_whole(run.load.receipts)
                run.tell()
                await fault(run, faults, Path(folder) / "trace")
            await end(run)
    require_full(run.storm, kills, faults)
    return run.storm


async def fault(run: Run, count: int, trace: Path) -> None:
    """Inject faults the way this machine can, until there were so many in all."""
    if strace_works():
        await fault_many(run, count, trace)
        return
    run.console.print(f"no strace (system package {STRACE_PACKAGE}): writes only")
    await fault_without_strace(run, count)
    await recover(run)


async def end(run: Run) -> None:
    """Let the gateway close what was left open, and examine the log at rest."""
    process = await start_or_lose(run)
    if process is not None:
        await stop(process)
    await run.examiner.examine_whole(run.load.receipts, ended=True)
    unproven = run.load.unproven.items()
    run.storm.losses += [f"unproven: {reason}, {times} times" for reason, times in unproven]
    run.tell()
    told = f"callers met {dict(run.load.faults)}, refusals {dict(run.load.refusals)}"
    run.console.print(told)


def require_full(result: Storm, kills: int, faults: int) -> None:
    """Write down as a loss that the storm was smaller than it was asked to be."""
    for what, came, wanted in (("kills", result.kills, kills), ("faults", result.faults, faults)):
        if came < wanted:
            result.losses.append(f"only {came} of {wanted} {what}")
    if not result.acknowledged:
        result.losses.append("no answer was acknowledged, so none could be lost")


async def build_run(world: BenchWorld, seed: int, console: Console, began: float) -> Run:
    """Find out who gets answers, and prepare what holds the log against them."""
    process = await start("gateway", str(world.config))
    try:
        questions = build_questions(world.identity, PARTICIPATION)
        asked = [each for each, _ in await select_answered(world.identity, questions)]
    finally:
        await stop(process)
    made = Storm()
    return Run(
        world=world,
        load=StormLoad(world.identity, asked),
        storm=made,
        examiner=Examiner(world.database, world.identity.log_key, made, RESULTS),
        chance=random.Random(seed),  # noqa: S311  repeatable moments, no secret
        console=console,
        began=began,
        told_by_gateway=world.database.parent.parent / "gateway.err",
    )


def main() -> None:
    """Storm, print, store, judge."""
    parser = argparse.ArgumentParser(description="kills and injected faults of the access log")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--faults", type=int, default=FAULTS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} of each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kills = QUICK if options.quick else options.kills
    faults = QUICK if options.quick else options.faults
    console = Console()
    result = asyncio.run(storm(kills, faults, options.seed, console))
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(asdict(result), indent=2) + "\n"
    (RESULTS / "storm.json").write_text(text, encoding="utf-8")
    for loss in result.losses:
        console.print(f"[red]LOST[/] {loss}")
    sys.exit(bool(result.losses))


if __name__ == "__main__":
    main()
