"""`python -m bench.resilience`: does a department in trouble cost the others anything?

One department hangs, one answers every second call with an error, both real simulator processes
behind a real gateway; what is judged is the p99 of the others, at fixed rates, beside the same load
without trouble. Each round has two calm steps and one in trouble, in turns; what two calm steps
differ by is what the machine does by itself. Ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.exchanges import Worthless
from bench.goals import Goal, store_results
from bench.paced import Paced
from bench.trouble import Gateway, Shape, Step, measuring
from gateway.clock import SystemClock
from gateway.trust import moment

MOST_RISE: Final = 0.10
"""Beyond what two calm steps of one round differ by."""
MOST_SPREAD: Final = 0.30
"""Between two calm steps; on a machine that differs from itself by more, any rise would hold."""
MOST_GROWTH_MIB: Final = 32.0
MOST_LATE_MS: Final = 100.0
"""A generator later than this, one time in a hundred, measured the machine."""
LEAST_REPEATED: Final = 1.4
"""Calls by questions where every second call fails and is repeated: 2, less what is under way."""
TRIES: Final = 3
RESULTS: Final = "resilience.json"
# Each round begins with another step, so that none always comes first.
ORDERS: Final = ("AAB", "ABA", "BAA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Two calm steps and one in trouble, whatever their order was."""

    calm: tuple[Step, Step]
    troubled: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Medians of the rounds; shares of a p99, and MiB."""

    calm_p99_ms: float
    troubled_p99_ms: float
    spread: float
    rise: float
    answered: float
    """Of the others' questions while two departments were in trouble."""
    growth_mib: float
    """Most memory in trouble, less the most in the calm steps of its round."""


def judge(rounds: Sequence[Round]) -> Judged:
    """Return what the rounds come to."""
    spreads, rises, growths = [], [], []
    for each in rounds:
        first, second = (step.others.p99_ms for step in each.calm)
        mean = (first + second) / 2
        spreads.append(abs(first - second) / mean)
        rises.append(each.troubled.others.p99_ms / mean - 1)
        calm = max(step.peak_mib for step in each.calm)
        growths.append(each.troubled.peak_mib - calm)
    troubled = [each.troubled.others for each in rounds]
    answered = sum(lane.told.get("ANSWERED", 0) for lane in troubled)
    return Judged(
        calm_p99_ms=statistics.median(step.others.p99_ms for each in rounds for step in each.calm),
        troubled_p99_ms=statistics.median(lane.p99_ms for lane in troubled),
        spread=statistics.median(spreads),
        rise=statistics.median(rises),
        answered=answered / sum(lane.sent for lane in troubled),
        growth_mib=statistics.median(growths),
    )


def build_goals(judged: Judged) -> tuple[Goal, ...]:
    """Return the goals of this run, with what it reached."""
    return (
        Goal(
            name="p99 of the others rises by, beyond the A/A spread",
            figure=judged.rise - judged.spread,
            bound=MOST_RISE,
            at_least=False,
        ),
        Goal(
            name="the others' questions answered, share",
            figure=judged.answered,
            bound=1.0,
            at_least=True,
        ),
        Goal(
            name="memory in trouble grows by, MiB",
            figure=judged.growth_mib,
            bound=MOST_GROWTH_MIB,
            at_least=False,
        ),
    )


def require_quiet(judged: Judged) -> None:
    """Refuse to judge by a machine whose calm steps differ too much.

    Raises:
        Worthless: by how much.
    """
    if judged.spread > MOST_SPREAD:
        raise Worthless(f"two calm steps differ by {judged.spread:.0%}: the machine is not at rest")


def require_calm(step: Step) -> None:
    """Refuse a calm step in which anything was not answered.

    Raises:
        Worthless: what came instead.
    """
    for lane in step.lanes:
        if lane.failed or set(lane.told) != {"ANSWERED"}:
            raise Worthless(f"calm, {lane.name}: {lane.failed | lane.told}")


def require_trouble(step: Step) -> None:
    """Refuse a step whose departments were not in trouble: it would prove nothing.

    Raises:
        Worthless: which was well.
    """
    hanging = step.hanging
    # A caller may have given up a moment before the gateway told him of the timeout.
    waited = "PROVIDER_TIMEOUT" in hanging.told or "DEADLINE_EXCEEDED" in hanging.failed
    if "ANSWERED" in hanging.told or not waited:
        raise Worthless(f"the one that hangs did not: {hanging.told}")
    if step.calls_per_question < LEAST_REPEATED:
        raise Worthless(f"the one that fails did not: {step.calls_per_question:.2f} calls each")


async def measure(
    folder: Path, shape: Shape, told: Callable[[str], None] = lambda _: None
) -> tuple[Round, ...]:
    """Measure round after round; `told` hears of each step.

    Raises:
        Worthless: a calm step was none, or a step in trouble was calm.
    """
    rounds = []
    async with measuring(folder, shape) as gateway:
        # The first load fills caches, connections and what is kept for twins.
        told("warming up")
        require_calm(await gateway.step(troubled=False))
        for number in range(shape.rounds):
            steps: dict[str, list[Step]] = {"A": [], "B": []}
            for kind in ORDERS[number % len(ORDERS)]:
                told(f"round {number + 1} of {shape.rounds}: {kind}")
                steps[kind].append(await _step(gateway, troubled=kind == "B"))
            first, second = steps["A"]
            rounds.append(Round(calm=(first, second), troubled=steps["B"][0]))
    return tuple(rounds)


async def _step(gateway: Gateway, *, troubled: bool) -> Step:
    """Measure a step, again where the generator was late; the last try decides."""
    for _ in range(TRIES):
        step = await gateway.step(troubled=troubled)
        (require_trouble if troubled else require_calm)(step)
        if max(lane.late_ms for lane in step.lanes) <= MOST_LATE_MS:
            return step
    raise Worthless("the generator was late: the machine is busy with something else")


def build_table(rounds: Sequence[Round], judged: Judged) -> Table:
    """Return one table of what was measured."""
    table = Table("step", "others p99", "failing p99", "waiting", "MiB", "told", title="resilience")
    for number, each in enumerate(rounds, start=1):
        for name, step in zip("AAB", (*each.calm, each.troubled), strict=True):
            table.add_row(
                f"{number}{name}",
                f"{step.others.p99_ms:.1f} ms",
                f"{step.failing.p99_ms:.1f} ms",
                str(step.most_waiting),
                f"{step.peak_mib:.0f}",
                _told(step.hanging),
            )
        table.add_section()
    figures = f"{judged.calm_p99_ms:.1f} → {judged.troubled_p99_ms:.1f} ms"
    table.add_row("median", figures, "", "", "", f"A/A ±{judged.spread:.0%}, {judged.rise:+.0%}")
    return table


def build_verdicts(goals: Sequence[Goal]) -> str:
    """Return one line per goal."""
    return "\n".join(
        f"goal: {goal.name}: {goal.figure:,.2f}, {'>=' if goal.at_least else '<='} "
        f"{goal.bound:g}: {'holds' if goal.holds else 'MISSED'}"
        for goal in goals
    )


def _told(lane: Paced) -> str:
    ended = lane.told | lane.failed
    return ", ".join(f"{name.removeprefix('PROVIDER_')} {ended[name]}" for name in sorted(ended))


def encode_results(rounds: Sequence[Round], judged: Judged, shape: Shape) -> str:
    """Write what was measured as JSON."""
    goals = [asdict(goal) | {"holds": goal.holds} for goal in build_goals(judged)]
    document = {
        "measured_at": moment(SystemClock().now_ms()).isoformat(timespec="seconds"),
        "shape": asdict(shape),
        "rounds": [asdict(each) for each in rounds],
        "judged": asdict(judged),
        "goals": goals,
    }
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Measure, print, store, judge."""
    parser = argparse.ArgumentParser(description="a department in trouble beside the others")
    parser.add_argument("--rounds", type=int, default=Shape().rounds)
    parser.add_argument("--seconds", type=int, default=Shape().seconds)
    options = parser.parse_args()
    shape = Shape(rounds=options.rounds, seconds=options.seconds)
    console = Console()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hutong-bench-") as folder,
            console.status("making a sandbox") as status,
        ):
            rounds = asyncio.run(measure(Path(folder), shape, status.update))
    except Worthless as error:
        console.print(f"[red]worthless[/]: {error}")
        sys.exit(1)
    judged = judge(rounds)
    goals = build_goals(judged)
    console.print(build_table(rounds, judged))
    console.print(build_verdicts(goals))
    path = store_results(encode_results(rounds, judged, shape), RESULTS)
    console.print(f"written to {path.name}")
    try:
        require_quiet(judged)
    except Worthless as error:
        console.print(f"[red]worthless[/]: {error}")
        sys.exit(1)
    sys.exit(not all(goal.holds for goal in goals))


if __name__ == "__main__":
    main()
