"""What a run must reach, and how its results are written down.

Goals are ratios or rates with room: two cores of whatever machine, server and generator apart
(docs/bench.md says where each comes from).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.exchanges import Row

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One figure and the bound it has to keep."""

    name: str
    figure: float
    bound: float
    at_least: bool

    @property
    def holds(self) -> bool:
        """Whether the figure keeps the bound."""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything one run measured."""

    measured_at: str
    machine: Mapping[str, str]
    exchanges: Mapping[str, Row]
    handshake_ms: Mapping[str, float]
    """A fresh connection with mutual TLS, beside the echo's."""
    log: Mapping[str, float]
    decision: Mapping[str, float]
    primitives: Mapping[str, float]
    """Microseconds per act."""


def build_goals(results: Results) -> tuple[Goal, ...]:
    """Return the goals of `make bench`, with what this run reached."""
    return (
        Goal(
            name="unary exchange, ratio to echo",
            figure=results.exchanges["exchange"].ratio,
            bound=0.20,
            at_least=True,
        ),
        Goal(
            name="log entries a second",
            figure=results.log["entries_per_s"],
            bound=20_000,
            at_least=True,
        ),
        Goal(
            name="decision p50, microseconds",
            figure=results.decision["closure_decide_p50_us"],
            bound=50,
            at_least=False,
        ),
    )


def encode_results(results: Results, goals: tuple[Goal, ...]) -> str:
    """Write results as JSON."""
    judged = [asdict(goal) | {"holds": goal.holds} for goal in goals]
    document = asdict(results) | {"goals": judged}
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def store_results(text: str, name: str = "latest.json") -> Path:
    """Keep the newest results beside the program; git ignores them."""
    path = RESULTS / name
    RESULTS.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
