"""`python -m bench.storm`: kills a gateway under load and makes its log fail, and looks for losses.

After each kill and among the faults the gateway has to answer again by itself. Again and again the
whole log is examined by `hutong.evidence` with every receipt handed out so far: no acknowledged
answer without its entry, every root derived anew. Ends with 1 on any loss; results are JSON.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress, TaskID

from bench.goals import RESULTS
from bench.processes import NotStarted, start, stop
from bench.storm_faults import STRACE_PACKAGE, fail_writes_for_a_moment, failing, strace_works
from bench.storm_load import StormLoad
from bench.world import (
    PARTICIPATION,
    BenchWorld,
    bench_world,
    build_questions,
    select_answered,
)
from hutong.evidence import examine_log

KILLS: Final = 200
FAULTS: Final = 100
QUICK: Final = 20
EACH_EXAMINED: Final = 20
"""So many kills are examined one by one, then each twentieth.

A loss stays a loss, and the log grows by a thousand entries with each kill, all read again."""
RESUME_S: Final = 30.0
FAULTS_PER_PROCESS: Final = 10
LOOK_S: Final = 0.2


@dataclass(slots=True, kw_only=True)
class Storm:
    """What happened."""

    kills: int = 0
    faults: int = 0
    fault_kinds: list[str] = field(default_factory=list)
    acknowledged: int = 0
    entries: int = 0
    examinations: int = 0
    restart_s: list[float] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    """Anything here fails the run."""
    found: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class _Run:
    world: BenchWorld
    load: StormLoad
    storm: Storm
    chance: random.Random
    progress: Progress
    bar: TaskID


async def kill_many(run: _Run, count: int) -> None:
    """Start, load, kill at a random moment; again and again."""
    for _ in range(count):
        began = time.monotonic()
        process = await start("gateway", str(run.world.config))
        try:
            await run.load.reconnect()
            await _require_resumed(run, f"kill {run.storm.kills}")
            run.storm.restart_s.append(time.monotonic() - began)
            if run.storm.kills < EACH_EXAMINED or run.storm.kills % EACH_EXAMINED == 0:
                await examine(run)
            await asyncio.sleep(run.chance.uniform(0, 0.3))
        finally:
            process.kill()
            await process.wait()
        run.storm.kills += 1
        run.progress.advance(run.bar)


async def fault_many(run: _Run, count: int, trace: Path) -> None:
    """Let writes and syncs of the log fail while callers go on."""
    while run.storm.faults < count:
        wanted = min(FAULTS_PER_PROCESS, count - run.storm.faults)
        world = run.world
        try:
            async with failing(world.config, world.database, trace, run.chance) as faulty:
                await run.load.reconnect()
                run.storm.fault_kinds.append(faulty.what)
                await _until_injected(run, wanted, faulty.injected)
        except NotStarted:
            # The fault hit the start: refusing to serve a log one cannot write is right.
            run.storm.faults += 1
            run.progress.advance(run.bar)
        await _recovers(run)


async def _until_injected(run: _Run, wanted: int, injected: Callable[[], int]) -> None:
    seen = 0
    until = time.monotonic() + RESUME_S
    while seen < wanted and time.monotonic() < until:
        await asyncio.sleep(LOOK_S)
        now = min(wanted, injected())
        if now > seen:
            until = time.monotonic() + RESUME_S
            run.storm.faults += now - seen
            run.progress.advance(run.bar, now - seen)
            seen = now
    if seen < wanted:
        run.storm.losses.append("callers got no answer between two faults")
    await _require_resumed(run, f"fault {run.storm.faults}")
    await examine(run)


async def fault_without_strace(run: _Run, count: int) -> None:
    """The same by the limit on file sizes."""
    process = await start("gateway", str(run.world.config))
    try:
        await run.load.reconnect()
        for _ in range(count):
            await fail_writes_for_a_moment(process)
            await _require_resumed(run, f"fault {run.storm.faults}")
            run.storm.faults += 1
            run.progress.advance(run.bar)
        await examine(run)
    finally:
        await stop(process)


async def _recovers(run: _Run) -> None:
    """After the faults a gateway without them starts on the same log."""
    process = await start("gateway", str(run.world.config))
    try:
        await run.load.reconnect()
        await _require_resumed(run, "start after faults")
        await examine(run)
    finally:
        await stop(process)


async def _require_resumed(run: _Run, when: str) -> None:
    if not await run.load.resumed(RESUME_S):
        run.storm.losses.append(f"no answer within {RESUME_S:.0f} s after {when}")


async def examine(run: _Run, *, ended: bool = False) -> None:
    """Hold the whole log against every receipt that was acknowledged until now."""
    receipts = tuple(run.load.receipts)
    log_key = run.load.identity.log_key
    report = await asyncio.to_thread(examine_log, run.world.database, log_key, receipts)
    run.storm.examinations += 1
    run.storm.acknowledged, run.storm.entries = len(receipts), report.size
    when = f"after {run.storm.kills} kills, {run.storm.faults} faults"
    found = {f"{f.position} {f.reason} {f.detail}": when for f in report.findings}
    # Each examination finds all of the log's faults again; the first one tells when it came.
    for finding, first in found.items():
        if finding not in run.storm.found:
            run.storm.found.add(finding)
            run.storm.losses.append(f"{first}: {finding}")
            keep_log(run.world.database, len(run.storm.found))
    if ended and report.unanswered:
        run.storm.losses.append(f"{len(report.unanswered)} asks were left open")


def keep_log(database: Path, number: int) -> None:
    """Keep the log as it stood when something was found in it; all in it is synthetic."""
    RESULTS.mkdir(exist_ok=True)
    with (
        closing(sqlite3.connect(database)) as source,
        closing(sqlite3.connect(RESULTS / f"storm-{number}.db")) as kept,
    ):
        source.backup(kept)


async def storm(kills: int, faults: int, seed: int, progress: Progress) -> Storm:
    """Run both parts over one log, then look at it once more with nobody asking."""
    bar = progress.add_task("making a sandbox", total=kills + faults)
    with tempfile.TemporaryDirectory(prefix="hutong-storm-") as folder:
        async with bench_world(Path(folder)) as world:
            run = _Run(
                world=world,
                load=await _build_load(world),
                storm=Storm(),
                chance=random.Random(seed),  # noqa: S311  repeatable moments, no secret
                progress=progress,
                bar=bar,
            )
            async with _calling(run.load):
                progress.update(bar, description="kills")
                await kill_many(run, kills)
                progress.update(bar, description="faults")
                await fault(run, faults, Path(folder) / "trace")
                await _recovers(run)
            await _end(run)
    return run.storm


async def fault(run: _Run, count: int, trace: Path) -> None:
    """Inject faults the way this machine can."""
    if strace_works():
        await fault_many(run, count, trace)
        return
    run.progress.console.print(f"no strace (system package {STRACE_PACKAGE}): writes only")
    await fault_without_strace(run, count)


async def _end(run: _Run) -> None:
    """Let the gateway close what was left open, and examine the log at rest."""
    await stop(await start("gateway", str(run.world.config)))
    await examine(run, ended=True)
    unproven = run.load.unproven.items()
    run.storm.losses += [f"unproven: {reason}, {times} times" for reason, times in unproven]
    told = f"callers met {dict(run.load.faults)}, refusals {dict(run.load.refusals)}"
    run.progress.console.print(told)


async def _build_load(world: BenchWorld) -> StormLoad:
    process = await start("gateway", str(world.config))
    try:
        questions = build_questions(world.identity, PARTICIPATION)
        asked = [each for each, _ in await select_answered(world.identity, questions)]
    finally:
        await stop(process)
    return StormLoad(world.identity, asked)


@asynccontextmanager
async def _calling(load: StormLoad) -> AsyncIterator[None]:
    """Run the callers for the time of a `with` block."""
    calling = asyncio.create_task(load.run())
    try:
        yield
    finally:
        calling.cancel()
        await asyncio.wait([calling])
        await load.close()


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
    with Progress(console=console) as progress:
        result = asyncio.run(storm(kills, faults, options.seed, progress))
    restart = statistics.median(result.restart_s) if result.restart_s else 0.0
    console.print(
        f"{result.kills} kills, {result.faults} faults, {result.acknowledged} answers "
        f"acknowledged, {result.entries} entries, examined {result.examinations} times; "
        f"answering again after {restart:.1f} s"
    )
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(asdict(result) | {"found": sorted(result.found)}, indent=2) + "\n"
    (RESULTS / "storm.json").write_text(text, encoding="utf-8")
    for loss in result.losses:
        console.print(f"[red]LOST[/] {loss}")
    sys.exit(bool(result.losses))


if __name__ == "__main__":
    main()
