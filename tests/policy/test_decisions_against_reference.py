"""The compiled table against the literal reference, on random bundles and questions."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.policy import EngineKind
from tests.policy import reference
from tests.policy.drawing import (
    CONDITIONS,
    FACTS,
    build_input,
    draw_agreements,
    draw_question,
    draw_restrictions,
    load,
    read_ceilings,
)
from tests.policy.writing import AT_MS, START

BUNDLES, AGREEMENTS, QUESTIONS = 20, 12, 1_050  # 21,000 decisions a run


@pytest.mark.parametrize("seed", range(BUNDLES))
def test_table_and_reference_agree_on_random_decisions(seed: int, tmp_path: Path) -> None:
    """Effects and rule codes of every field equal those of the literal reference."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    restrictions = draw_restrictions(rng)
    agreements = draw_agreements(rng, AGREEMENTS, restrictions)
    bundle = load(tmp_path, restrictions, agreements, EngineKind(rng.choice(list(EngineKind))))
    ceilings = read_ceilings()

    for _ in range(QUESTIONS):
        letters = rng.choices("TTTTF!", k=FACTS)
        question = draw_question(rng, [*agreements, "XY-none"])
        outcomes = {name: outcome(letters) for name, (_, outcome) in CONDITIONS.items()}
        expected = reference.decide(question, agreements, restrictions, ceilings, outcomes)
        decision = bundle.decide(build_input(question, letters))
        found = [(f.effect_text, f.rule.value, f.rule_id) for f in decision.fields]

        for (text, rule, rule_id), got in zip(expected, found, strict=True):
            assert got[:2] == (text, rule)
            assert rule_id in {"*", got[2]}


def test_start_of_the_questions_is_the_start_of_the_bundles() -> None:
    """AT_MS is midnight UTC of the start day."""
    assert datetime.fromtimestamp(AT_MS / 1000, UTC).date() == START
