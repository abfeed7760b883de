"""What a bench run must show to count, and the form its results are kept in."""

import json
from dataclasses import replace

import pytest

from bench.exchanges import Worthless, build_rows, require_worth
from bench.generator import Load
from bench.goals import Results, build_goals, encode_results

LOAD = Load(
    answered=400,
    seconds=4.0,
    failed={},
    p50_ms=10.0,
    p99_ms=20.0,
    cpu_share=0.5,
    used_up=False,
)
ECHO = replace(LOAD, answered=2_000)


def _results() -> Results:
    return Results(
        measured_at="2026-11-23T00:00:00+00:00",
        machine={"python": "3.11"},
        exchanges=build_rows({"echo": [ECHO], "exchange": [LOAD]}),
        handshake_ms={"echo": 3.0, "gateway": 4.0},
        log={"entries_per_s": 30_000.0},
        decision={"closure_decide_p50_us": 51.0},
        primitives={"sign ES256": 30.0},
    )


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (replace(LOAD, failed={"UNAVAILABLE": 1}), "UNAVAILABLE"),
        (replace(LOAD, used_up=True), "signed for"),
        (replace(LOAD, cpu_share=0.81), "81%"),
    ],
)
def test_load_that_measured_something_else_is_worthless(load: Load, why: str) -> None:
    """Refusals, an empty corpus and a busy generator each end the run by name."""
    with pytest.raises(Worthless, match=why):
        require_worth("exchange", load)


def test_load_at_the_limit_of_the_generator_counts() -> None:
    """Four fifths of a core are allowed."""
    require_worth("exchange", replace(LOAD, cpu_share=0.80))


def test_ratio_is_taken_within_each_round() -> None:
    """A slow round is slow for both, so the ratio is the median of the rounds' ratios."""
    slow_echo, slow = replace(ECHO, answered=1_000), replace(LOAD, answered=200)
    loads = {"echo": [ECHO, slow_echo, ECHO], "exchange": [LOAD, slow, LOAD]}

    row = build_rows(loads)["exchange"]

    assert row.ratio == pytest.approx(0.2)
    assert row.rate == pytest.approx(100)
    assert row.spread == pytest.approx(0.5)


def test_results_name_each_goal_and_whether_it_holds() -> None:
    """A program that reads the results needs no bound of its own."""
    results = _results()

    document = json.loads(encode_results(results, build_goals(results)))

    assert [goal["holds"] for goal in document["goals"]] == [True, True, False]
    assert document["exchanges"]["exchange"]["ratio"] == pytest.approx(0.2)
    assert set(document) == {
        "decision",
        "exchanges",
        "goals",
        "handshake_ms",
        "log",
        "machine",
        "measured_at",
        "primitives",
    }
