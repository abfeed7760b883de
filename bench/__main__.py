"""`python -m bench`: exchanges beside a bare echo, the log, decisions, signatures; then the goals.

Ends with 1 when a goal is missed or a load was worthless. Everything is also written as JSON.
"""

import argparse
import asyncio
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from bench import decision, log_append, primitives
from bench.exchanges import Measured, Row, Shape, Worthless, measure_exchanges
from bench.goals import Goal, Results, build_goals, encode_results, store_results
from gateway.clock import SystemClock
from gateway.trust import moment


def main() -> None:
    """Measure, print, store, judge."""
    parser = argparse.ArgumentParser(description="exchanges per second beside bare gRPC")
    parser.add_argument("--rounds", type=int, default=Shape().rounds)
    parser.add_argument("--seconds", type=int, default=Shape().seconds)
    parser.add_argument("--callers", type=int, default=Shape().callers)
    options = parser.parse_args()
    shape = Shape(rounds=options.rounds, seconds=options.seconds, callers=options.callers)
    console = Console()
    try:
        results = measure(shape, console)
    except Worthless as error:
        console.print(f"[red]worthless[/]: {error}")
        sys.exit(1)
    goals = build_goals(results)
    console.print(build_table(results, goals))
    path = store_results(encode_results(results, goals))
    console.print(f"written to {path.name}")
    missed = [goal.name for goal in goals if not goal.holds]
    if missed:
        console.print(f"[red]missed[/]: {', '.join(missed)}")
    sys.exit(bool(missed))


def measure(shape: Shape, console: Console) -> Results:
    """Measure everything, one part after the other.

    Raises:
        Worthless: a load measured refusals, or the generator.
    """
    with console.status("making a sandbox") as status:
        measured = _exchanges(shape, status.update)
        status.update("access log")
        log = log_append.measure()
        status.update("decisions")
        decided = decision.measure()
        status.update("signatures, scan, record")
        acts = primitives.measure()
    return Results(
        measured_at=moment(SystemClock().now_ms()).isoformat(timespec="seconds"),
        machine={
            "python": platform.python_version(),
            "grpcio": grpc.__version__,
            "system": platform.system(),
            "processor": platform.machine(),
        },
        exchanges=measured.rows,
        handshake_ms=measured.handshake_ms,
        log=log,
        decision=decided,
        primitives=acts,
    )


def _exchanges(shape: Shape, told: Callable[[str], None]) -> Measured:
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as folder:
        return asyncio.run(measure_exchanges(Path(folder), shape, told))


def build_table(results: Results, goals: tuple[Goal, ...]) -> Table:
    """Return one table of all that was measured."""
    table = Table("what", "figure", "p50", "p99", "beside", title="bench")
    for name, row in results.exchanges.items():
        table.add_row(*_row(name, row))
    table.add_section()
    log = results.log
    table.add_row(
        "log, 128 callers",
        f"{log['entries_per_s']:,.0f} entries/s ±{_half_spread(log):.0%}",
        f"{log['p50_ms']:.2f} ms",
        f"{log['p99_ms']:.2f} ms",
        f"x{log['group_commit_gain']:.1f} one caller, x{log['process_gain']:.2f} one process",
    )
    table.add_row(*_decided(results.decision))
    gateway, echo = results.handshake_ms["gateway"], results.handshake_ms["echo"]
    table.add_row("fresh connection", "", f"{gateway:.1f} ms", "", f"echo {echo:.1f} ms")
    table.add_section()
    for name, taken in results.primitives.items():
        table.add_row(name, f"{taken:,.1f} us", "", "", "")
    table.add_section()
    for goal in goals:
        sign, verdict = (">=" if goal.at_least else "<="), ("holds" if goal.holds else "MISSED")
        bound = f"{sign} {goal.bound:,g}"
        table.add_row(f"goal: {goal.name}", f"{goal.figure:,.2f}", bound, "", verdict)
    return table


def _half_spread(log: Mapping[str, float]) -> float:
    return (log["most_entries_per_s"] - log["least_entries_per_s"]) / 2 / log["entries_per_s"]


def _row(name: str, row: Row) -> tuple[str, str, str, str, str]:
    beside = f"x{row.ratio:.3f} of echo, generator {row.generator_cpu:.0%}"
    return (
        name,
        f"{row.rate:,.0f}/s \u00b1{row.spread / 2:.0%}",
        f"{row.p50_ms:.1f} ms",
        f"{row.p99_ms:.1f} ms",
        beside,
    )


def _decided(figures: Mapping[str, float]) -> tuple[str, str, str, str, str]:
    return (
        "decision of 20 fields",
        "",
        f"{figures['closure_decide_p50_us']:.1f} us",
        f"{figures['closure_decide_p99_us']:.1f} us",
        f"CEL {figures['cel_decide_p50_us']:.1f} us",
    )


if __name__ == "__main__":
    main()
