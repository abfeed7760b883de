"""What a run with two departments in trouble must show to count, and what it comes to."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.exchanges import Worthless
from bench.paced import Paced
from bench.processes import resident_mib
from bench.resilience import (
    Round,
    build_goals,
    build_table,
    build_verdicts,
    encode_results,
    judge,
    measure,
    require_calm,
    require_quiet,
    require_trouble,
)
from bench.trouble import FAILING, HANGING, OTHERS, Shape, Step


def _lane(name: str, p99_ms: float = 10.0, **told: int) -> Paced:
    counts = told or {"ANSWERED": 100}
    return Paced(
        name=name,
        sent=100,
        failed={},
        told=counts,
        p50_ms=5.0,
        p99_ms=p99_ms,
        late_ms=1.0,
    )


def _step(p99_ms: float = 10.0, peak_mib: float = 200.0) -> Step:
    return Step(
        lanes=(_lane(OTHERS, p99_ms), _lane(FAILING), _lane(HANGING)),
        calls_per_question=1.0,
        peak_mib=peak_mib,
        most_waiting=3,
        breakers={},
    )


def _troubled(p99_ms: float = 10.0, peak_mib: float = 200.0) -> Step:
    step = _step(p99_ms, peak_mib)
    hanging = _lane(HANGING, PROVIDER_TIMEOUT=60, PROVIDER_UNAVAILABLE=40)
    return replace(step, lanes=(*step.lanes[:2], hanging), calls_per_question=1.9)


def _rounds(*troubled: Step) -> list[Round]:
    return [Round(calm=(_step(9.0), _step(11.0)), troubled=each) for each in troubled]


def test_the_rise_is_taken_within_each_round_beyond_its_spread() -> None:
    """One slow round moves no median; what two calm steps differ by is allowed besides."""
    judged = judge(_rounds(_troubled(11.0), _troubled(12.0), _troubled(90.0)))

    assert judged.spread == pytest.approx(0.2)
    assert judged.rise == pytest.approx(0.2)
    assert build_goals(judged)[0].figure == pytest.approx(0.0)
    assert build_goals(judged)[0].holds


@pytest.mark.parametrize(
    ("troubled", "missed"),
    [
        (_troubled(), []),
        (_troubled(12.9), []),
        (_troubled(13.1), [0]),
        (_troubled(peak_mib=231.0), []),
        (_troubled(peak_mib=233.0), [2]),
        (replace(_troubled(), lanes=(_lane(OTHERS, ANSWERED=99), *_troubled().lanes[1:])), [1]),
    ],
    ids=["as calm", "within", "slower", "little memory", "much memory", "one not answered"],
)
def test_each_goal_is_missed_by_its_own_trouble(troubled: Step, missed: list[int]) -> None:
    """p99 above spread and 10 %, one question of the others lost, memory that grows."""
    goals = build_goals(judge(_rounds(troubled)))

    assert [number for number, goal in enumerate(goals) if not goal.holds] == missed


def test_a_machine_that_is_not_at_rest_judges_nothing() -> None:
    """Where two calm steps differ by half, a rise of half would hold."""
    require_quiet(judge(_rounds(_troubled())))
    noisy = [Round(calm=(_step(10.0), _step(16.0)), troubled=_troubled(14.0))]

    with pytest.raises(Worthless, match="46%"):
        require_quiet(judge(noisy))


def test_a_step_that_was_not_calm_is_worthless() -> None:
    """Nothing may be compared with a load that was refused or not told."""
    require_calm(_step())

    for lane in (_lane(OTHERS, PENDING=1, ANSWERED=99), replace(_lane(HANGING), failed={"X": 1})):
        with pytest.raises(Worthless, match=lane.name):
            require_calm(replace(_step(), lanes=(lane,)))


def test_trouble_that_did_not_happen_is_worthless() -> None:
    """A department that answered after all, that nobody waited for, or that did not fail."""
    require_trouble(_troubled())
    told = [{"ANSWERED": 1, "PROVIDER_TIMEOUT": 99}, {"PROVIDER_UNAVAILABLE": 100}]

    for counts in told:
        hanging = replace(_lane(HANGING), told=counts)
        with pytest.raises(Worthless, match="hangs"):
            require_trouble(replace(_troubled(), lanes=(*_step().lanes[:2], hanging)))
    with pytest.raises(Worthless, match="fails"):
        require_trouble(replace(_troubled(), calls_per_question=1.1))


def test_results_say_what_was_measured_and_judged() -> None:
    """As data for programs, and as a table for people."""
    rounds = _rounds(_troubled())
    judged = judge(rounds)

    document = json.loads(encode_results(rounds, judged, Shape()))

    assert [goal["holds"] for goal in document["goals"]] == [True] * 3
    assert document["rounds"][0]["troubled"]["lanes"][0]["p99_ms"] == 10.0
    assert document["shape"]["rounds"] == 5
    assert build_table(rounds, judged).row_count == 3 + 1
    assert build_verdicts(build_goals(judged)).count(": holds") == 3


def test_memory_counts_what_a_process_has_started() -> None:
    """Its children with it, nothing of others; who has ended holds none."""
    hold = "b = bytearray(64 << 20); print('ready', flush=True); input()"
    command = [sys.executable, "-c", hold]
    before = resident_mib(os.getpid())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with_child, alone = resident_mib(os.getpid()), resident_mib(child.pid)
        child.kill()

    assert alone > 64
    assert with_child > before + 60
    assert resident_mib(child.pid) == 0


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_a_short_run_sees_trouble_and_calm(tmp_path: Path) -> None:
    """Real departments behind a real gateway: one hangs, one fails, the others are all answered.

    Nothing is timed: what this machine does meanwhile is no measure of anything.
    """
    shape = Shape(rounds=1, seconds=4, others=5, failing=5, hanging=5, deadline_s=3.0)

    (only,) = await measure(tmp_path, shape)

    assert judge([only]).answered == 1.0
    assert only.troubled.most_waiting > 0
    assert all(step.calls_per_question < 1.4 for step in only.calm)
    assert all(step.peak_mib > 0 for step in (*only.calm, only.troubled))
