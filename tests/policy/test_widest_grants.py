"""The most an agreement can give: what a provider node holds grants against."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.port import Effect, EffectKind, FieldName
from gateway.policy import Bundle, DecisionInput, EngineKind
from gateway.policy.effects import (
    ANY_PREDICATE,
    CLEAR,
    WITHHOLD,
    is_at_most,
    is_grantable,
    parse_effect,
)
from gateway.policy.widest import list_too_wide
from tests.policy.conftest import LoadSmall
from tests.policy.drawing import CHAINS, FIELDS, build_input, load
from tests.policy.test_decision_theorems import LADDER, LADDER_EXAMPLES, ask
from tests.policy.test_theorems_on_random_bundles import draw_fitting, draw_letters, draw_world
from tests.policy.writing import agreement

NAME = FieldName("full_name")
PARAMETERS = ("1", "01", "", "year", "县", "N", "is_true", "-1")
CELLS = ("明文", "掩码(3,4)", "概化(年)", "化名", "核对(相符)", "判断(是)")
MASKED = parse_effect("掩码(1,0)")


def _grants(bundle: Bundle, question: DecisionInput) -> dict[FieldName, Effect]:
    return {each.field: each.effect for each in bundle.decide(question).released}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_released_passes_whoever_knows_less(seed: int, tmp_path: Path) -> None:
    """A decision under all facts is never too wide for a judge who knows some of them, or none."""
    rng, stated, agreements = draw_world(seed)
    bundle = load(tmp_path, stated, agreements, EngineKind.CLOSURE)
    released = 0
    for _ in range(600):
        drawn, letters = draw_fitting(rng, agreements), draw_letters(rng)
        question = build_input(drawn, letters)
        grants = _grants(bundle, question)
        released += len(grants)
        for share in (1.0, 0.5, 0.0):
            known = {k: v for k, v in question.facts.items() if rng.random() < share}
            assert list_too_wide(bundle, replace(question, facts=known), grants) == ()
    assert released


@pytest.mark.parametrize("seed", range(6))
def test_who_knows_every_fact_lets_nothing_more_pass(seed: int, tmp_path: Path) -> None:
    """With all conditions judged, an effect passes only where it tells at most what is released."""
    rng, stated, agreements = draw_world(seed)
    bundle = load(tmp_path, stated, agreements, EngineKind.CLOSURE)
    refused = 0
    for _ in range(200):
        drawn = draw_fitting(rng, agreements)
        question = build_input(drawn, rng.choices("TTTF", k=8))
        decided = {each.field: each.effect for each in bundle.decide(question).fields}
        for name in question.fields:
            asked = parse_effect(rng.choice(CHAINS.get(FIELDS[name], ("明文",))))
            if asked == WITHHOLD:
                continue
            too_wide = bool(list_too_wide(bundle, question, {name: asked}))
            refused += too_wide
            assert too_wide is not is_at_most(asked, decided[name])
    assert refused > 50


def test_a_ladder_is_open_as_far_as_it_cannot_be_judged(load_small: LoadSmall) -> None:
    """The clear rung is out of reach only once its condition is known to be false."""
    bundle = load_small(agreements=[agreement(字段={"姓名": LADDER}, 例=LADDER_EXAMPLES)])
    clear, question = {NAME: CLEAR}, ask()

    unknown = list_too_wide(bundle, replace(question, facts={"fact_0": True}), clear)
    off = {"fact_0": True, "fact_1": False}
    known = list_too_wide(bundle, replace(question, facts=off), clear)
    lower = list_too_wide(bundle, replace(question, facts=off), {NAME: MASKED})

    assert (unknown, known, lower) == ((), (NAME,), ())


def test_a_precondition_known_to_fail_gives_nothing(load_small: LoadSmall) -> None:
    """One that cannot be judged was judged by who granted; one that can be is judged here too."""
    bundle, question = load_small(agreements=[agreement()]), ask()
    grants = _grants(bundle, question)
    assert grants

    assert list_too_wide(bundle, replace(question, facts={}), grants) == ()
    assert list_too_wide(bundle, replace(question, facts={"fact_0": False}), grants) == tuple(
        grants
    )


def test_without_an_agreement_everything_is_too_wide(load_small: LoadSmall) -> None:
    """Nothing was agreed, so nothing can be given."""
    bundle, question = load_small(agreements=[agreement()]), ask()

    assert list_too_wide(bundle, replace(question, matter="M9"), {NAME: MASKED}) == (NAME,)
    assert list_too_wide(bundle, question, {FieldName("no_such"): MASKED}) == ("no_such",)


def test_a_prohibition_known_to_apply_gives_nothing(load_small: LoadSmall) -> None:
    """What nobody may get, no gateway can have granted."""
    bundle, question = load_small(agreements=[agreement()]), ask()
    grants = _grants(bundle, question)
    assert grants

    on = {**question.facts, "fact_5": True}

    assert list_too_wide(bundle, question, grants) == ()
    assert list_too_wide(bundle, replace(question, facts=on), grants) == tuple(grants)


@given(
    st.builds(
        Effect,
        kind=st.sampled_from(EffectKind),
        parameters=st.lists(st.sampled_from(PARAMETERS)).map(tuple),
    )
)
def test_an_effect_that_is_none_is_found_out(effect: Effect) -> None:
    """Whatever parameters a stranger thinks up: nothing raises, and a yes is an effect of cells."""
    if is_grantable(effect):
        assert effect.kind is not EffectKind.WITHHOLD
        assert is_at_most(effect, CLEAR)


@pytest.mark.parametrize("text", CELLS)
def test_an_effect_of_a_cell_is_one(text: str) -> None:
    """The check above refuses no effect that is."""
    assert is_grantable(parse_effect(text))


def test_bare_effects_of_ceilings_are_none() -> None:
    """They stand above cells and never in one."""
    assert not is_grantable(ANY_PREDICATE)
    assert not is_grantable(WITHHOLD)
