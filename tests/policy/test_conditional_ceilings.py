"""Conditional ceilings lower, plans are remade when too many are kept, places count as counties."""

from dataclasses import replace

import pytest

from adapters.port import DatasetName, FieldName
from certs.identity import SystemId
from gateway.policy import Bundle, DecisionInput, RuleCode, decide
from gateway.policy.disclosure import Released, count_candidates
from gateway.policy.effects import parse_effect
from gateway.policy.explain import explain_decision
from gateway.policy.vocabulary import UNKNOWN, FactValue
from tests.policy.conftest import LoadSmall
from tests.policy.writing import AT_MS, BASIS, SYSTEM, USCC, granting, restrictions

QUESTION = DecisionInput(
    agreement="XY-T-001",
    organisation=USCC,
    system=SystemId(SYSTEM),
    role="经办",
    matter="M2",
    facts={"fact_0": True, "fact_2": False, "fact_3": False, "fact_5": False},
    dataset=DatasetName("zz.test@1"),
    fields=(FieldName("amount"),),
    at_ms=AT_MS,
    legal_basis=BASIS,
)


@pytest.fixture
def lowered(load_small: LoadSmall) -> Bundle:
    """Return a bundle that lowers an amount twice: to thousands, then to nothing."""
    scope = {"说明": "测试", "目录": "zz.test@1", "字段": ["金额"]}
    lowering = restrictions()
    lowering["条件上限"] = [
        {"编号": "TJ-1", "当": "条件2", "上限": "概化(千元)", **scope},
        {"编号": "TJ-2", "当": "条件3", "上限": "不予提供", **scope},
    ]
    return load_small(restrictions=lowering, agreements=[granting({"金额": "明文"})])


@pytest.mark.parametrize(
    ("changed", "text", "rule", "rule_id"),
    [
        ({}, "明文", RuleCode.GRANTED, ""),
        ({"fact_2": True}, "概化(千元)", RuleCode.GRANTED, "TJ-1"),
        ({"fact_2": UNKNOWN}, "概化(千元)", RuleCode.GRANTED, "TJ-1"),
        ({"fact_3": True}, "不予提供", RuleCode.CEILING, "TJ-2"),
        ({"fact_2": True, "fact_3": UNKNOWN}, "不予提供", RuleCode.CEILING, "TJ-2"),
    ],
)
def test_a_conditional_ceiling_lowers_unless_it_is_known_to_be_off(
    lowered: Bundle, changed: dict[str, FactValue], text: str, rule: RuleCode, rule_id: str
) -> None:
    """True and unknown lower alike; the number of the ceiling is kept."""
    (field,) = lowered.decide(replace(QUESTION, facts={**QUESTION.facts, **changed})).fields

    assert (field.effect_text, field.rule, field.rule_id) == (text, rule, rule_id)


def test_a_ceiling_that_withholds_is_named_to_reviewers(lowered: Bundle) -> None:
    """With the agreement's basis and owner."""
    question = replace(QUESTION, facts={**QUESTION.facts, "fact_3": True})

    (told,) = explain_decision(lowered, lowered.decide(question))

    assert "条件上限 TJ-2" in told.text_zh
    assert "conditional ceiling TJ-2" in told.text_en


def test_plans_are_dropped_and_remade_when_too_many_are_kept(
    lowered: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forgetting plans changes no decision."""
    monkeypatch.setattr(decide, "MAX_PLANS", 1)
    other = replace(QUESTION, facts={**QUESTION.facts, "fact_2": True})

    first, second = lowered.decide(QUESTION), lowered.decide(other)

    assert lowered.decide(QUESTION) == first
    assert lowered.decide(other) == second
    assert first.fields != second.fields


@pytest.mark.parametrize(
    ("place", "birth", "expected"),
    [
        ("概化(市)", None, 12 * 36_525 // 11),
        ("概化(县)", None, 36_525 // 11),
        ("明文", None, 36_525 // 11),
        ("掩码(0,0)", None, 40 * 36_525 // 11),
        (None, "核对(相符)", 40 * 36_525 // 11),
        (None, "概化(月)", 40 * 28 // 11),
    ],
)
def test_a_place_and_a_birth_date_narrow_a_number(
    place: str | None, birth: str | None, expected: int
) -> None:
    """Counties left times days left, one in eleven by the check digit."""
    released = Released(
        front=3,
        back=4,
        place=None if place is None else parse_effect(place),
        birth=None if birth is None else parse_effect(birth),
    )

    assert count_candidates(released) == expected
