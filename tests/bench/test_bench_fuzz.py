"""The fuzzer repeats itself, lets specimens through, and names what a parser must not do."""

import random
import time
from pathlib import Path

import pytest

from bench.fuzz import Parse, Tally, Target, _try, build_targets, fuzz, run_one
from bench.mutations import MOST_BYTES, mutate
from bench.samples import build_samples

TARGETS = build_targets(build_samples())


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  repeatable inputs, no secret


class DeclaredError(Exception):
    """What the parser of a test declares."""


def _parse(raw: bytes) -> int:
    if raw.startswith(b"d"):
        raise DeclaredError
    return int(raw)


OWN = Target(name="own", parse=_parse, specimen=b"1", declared=(DeclaredError,))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_specimen_is_taken(target: Target) -> None:
    """A fuzzer whose specimen is refused looks at error paths only."""
    assert run_one(target, target.specimen) is None


@pytest.mark.parametrize(
    ("raw", "told"), [(b"12", None), (b"d", ""), (b"x", "ValueError is not declared")]
)
def test_ending_of_a_parser_is_told_apart(raw: bytes, told: str | None) -> None:
    """Taken, refused as declared, and anything else are three things."""
    assert run_one(OWN, raw) == told


def test_same_seed_gives_the_same_inputs() -> None:
    """A finding can be brought back."""
    first = [mutate(b"specimen", [b"other"], _chance(seed)) for seed in range(50)]

    again = [mutate(b"specimen", [b"other"], _chance(seed)) for seed in range(50)]

    assert first == again
    assert len(set(first)) > 40


def test_mutations_stay_bounded() -> None:
    """A repeat of a repeat does not eat the memory."""
    changed, chance = b"x" * 200_000, _chance(1)
    for _ in range(50):
        changed = mutate(changed, [changed], chance)

    assert len(changed) <= MOST_BYTES


def _compute(raw: bytes) -> int:
    ends = time.thread_time() + float(raw)
    number = 0
    while time.thread_time() < ends:
        number += 1
    return number


def _wait(raw: bytes) -> None:
    time.sleep(float(raw))


@pytest.mark.parametrize(("parse", "failures"), [(_compute, 1), (_wait, 0)])
def test_what_a_parser_computes_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parse: Parse, failures: int
) -> None:
    """A parser that computes for long fails; one that a loaded machine keeps waiting does not."""
    monkeypatch.setattr("bench.fuzz.KEPT", tmp_path)
    monkeypatch.setattr("bench.fuzz.LONGEST_S", 0.05)
    tally = Tally()

    _try(Target(name="own", parse=parse, specimen=b"", declared=()), b"0.2", tally)

    assert tally.failures == failures


def test_every_parser_stands_a_short_fuzz() -> None:
    """Nothing undeclared in a fraction of a second; `make fuzz` goes on for a minute."""
    tallies = fuzz(TARGETS, 0.5, seed=7)

    assert {name: tally.failures for name, tally in tallies.items()} == dict.fromkeys(tallies, 0)


def test_what_was_slow_but_once_is_not_held_against_a_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The collector walks through the heap whenever it likes, also in the midst of an input."""
    monkeypatch.setattr("bench.fuzz.LONGEST_S", 0.05)
    slow = iter([0.1])

    def parse(_: bytes) -> None:
        until = time.thread_time() + next(slow, 0.0)
        while time.thread_time() < until:
            pass

    target = Target(name="slow once", parse=parse, specimen=b"x", declared=())

    assert fuzz((target,), 0.3, seed=1)["slow once"].failures == 0
