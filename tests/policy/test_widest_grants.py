"""The most an agreement can give: what a provider node holds grants against."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.port import Effect, EffectKind, FieldName
from gateway.policy import UNKNOWN, Bundle, DecisionInput, EngineKind, FactValue
from gateway.policy.effects import (
    ANY_PREDICATE,
    CLEAR,
    WITHHOLD,
    is_at_most,
    is_grantable,
    parse_effect,
)
from gateway.policy.facts import FactQuestion, OfficerFacts, list_plain_facts
from gateway.policy.vocabulary import Facts
from gateway.policy.widest import list_too_wide
from tests.policy.conftest import LoadSmall
from tests.policy.drawing import CHAINS, FIELDS, build_input, load
from tests.policy.registering import PENSIONER
from tests.policy.test_decision_theorems import LADDER, LADDER_EXAMPLES, ask
from tests.policy.test_theorems_on_random_bundles import draw_fitting, draw_letters, draw_world
from tests.policy.writing import AT_MS, USCC, agreement

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
    """Told every fact, also that it is unknown: only what tells at most what is released passes."""
    rng, stated, agreements = draw_world(seed)
    bundle = load(tmp_path, stated, agreements, EngineKind.CLOSURE)
    refused = 0
    for _ in range(200):
        drawn = draw_fitting(rng, agreements)
        question = build_input(drawn, rng.choices("TTTTTF!", k=8))
        decided = {each.field: each.effect for each in bundle.decide(question).fields}
        for name in question.fields:
            asked = parse_effect(rng.choice(CHAINS.get(FIELDS[name], ("明文",))))
            if asked == WITHHOLD:
                continue
            too_wide = bool(list_too_wide(bundle, question, {name: asked}))
            refused += too_wide
            assert too_wide is not is_at_most(asked, decided[name])
    assert refused > 50


def _assertion(level: str | None, division: str | None) -> OfficerFacts:
    return OfficerFacts(level=level, division=division)


OFFICERS: dict[str, OfficerFacts | None] = {
    "province": _assertion("province", "370000"),
    "county": _assertion("county", "370102"),
    "township": _assertion("township", "370102001"),
    "village": _assertion("village", "370102001001"),
    "no level": _assertion(None, "370102"),
    "unlisted level": _assertion("hamlet", "370102"),
    "no division": _assertion("county", None),
    "nobody": None,
}
BEST: dict[str, FactValue] = {
    **dict.fromkeys(("case_matter_agrees", "case_organisation_agrees", "division_agrees"), True),
    **dict.fromkeys(("subject_is_applicant", "subject_is_party", "in_investigation"), True),
    **dict.fromkeys(("special_grade", "consent", "mandate", "guardian"), True),
    "case_state": "open",
    "protected": False,
}
"""What the registers tell at best."""


def _questions(bundle: Bundle, facts: Facts) -> Iterator[DecisionInput]:
    """Yield the questions for all fields of every agreement."""
    for row in bundle.rows.values():
        stated = row.agreement
        for role, matter in product(sorted(stated.roles), sorted(stated.matters)):
            yield DecisionInput(
                agreement=stated.number,
                organisation=stated.organisation,
                system=stated.system,
                role=role,
                matter=matter,
                facts=facts,
                dataset=stated.dataset,
                fields=tuple(stated.cells),
                at_ms=AT_MS,
                legal_basis=stated.basis[0],
            )


def _plain(officer: OfficerFacts | None) -> dict[str, FactValue]:
    """Return what a node knows of a question by such an officer."""
    return list_plain_facts(
        FactQuestion(
            organisation=USCC,
            matter="M2",
            case_number="370102-2026-000001",
            subject=PENSIONER,
            officer=officer,
            at_ms=AT_MS,
        )
    )


@pytest.mark.parametrize("who", OFFICERS)
def test_what_is_withheld_by_level_or_division_passes_no_node(sandbox: Bundle, who: str) -> None:
    """Over the shipped bundle: exactly what the gateway can give such an officer passes."""
    plain = _plain(OFFICERS[who])
    # The facts of the question win: no register gives an officer a division he has not.
    gateway, clear = {**BEST, **plain}, {**BEST, **_plain(OFFICERS["county"])}
    withheld = 0
    for question in _questions(sandbox, gateway):
        most = _grants(sandbox, replace(question, facts=clear))
        decided = {each.field: each.effect for each in sandbox.decide(question).fields}
        asked = replace(question, facts=plain)
        too_wide = [name for name in most if not is_at_most(most[name], decided[name])]

        assert list(list_too_wide(sandbox, asked, most)) == too_wide
        assert list_too_wide(sandbox, asked, _grants(sandbox, question)) == ()
        withheld += len(too_wide)
    assert bool(withheld) is (who not in {"province", "county"})


def test_what_is_unknown_to_everybody_is_in_nobodys_favour(load_small: LoadSmall) -> None:
    """A fact given as unknown fails a precondition, skips a rung and keeps a prohibition."""
    bundle = load_small(agreements=[agreement(字段={"姓名": LADDER}, 例=LADDER_EXAMPLES)])
    question, clear, masked = ask(), {NAME: CLEAR}, {NAME: MASKED}
    unsure: Facts = {"fact_0": True, "fact_1": UNKNOWN}

    rung = replace(question, facts=unsure)
    failing = replace(question, facts={"fact_0": UNKNOWN})
    forbidden = replace(question, facts={**unsure, "fact_5": UNKNOWN})

    assert list_too_wide(bundle, rung, clear) == (NAME,)
    assert list_too_wide(bundle, rung, masked) == ()
    assert list_too_wide(bundle, failing, masked) == (NAME,)
    assert list_too_wide(bundle, forbidden, masked) == (NAME,)


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
