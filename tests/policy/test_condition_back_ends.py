"""Conditions: the two back ends agree, and whatever cannot be told is unknown."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.problems import PolicyReason
from gateway.policy.checked import parse_checked
from gateway.policy.conditions import CelEngine, ClosureEngine, Condition, ConditionCompiler
from gateway.policy.errors import ConditionRefused
from gateway.policy.vocabulary import (
    UNKNOWN,
    FactDeclaration,
    FactSource,
    FactType,
    FactValue,
    Outcome,
    select_known,
)


def declare(name: str, kind: FactType, *values: str) -> FactDeclaration:
    """Return a declaration."""
    return FactDeclaration(
        name=name, type=kind, source=FactSource.SUBJECT, title_zh=name, values=values
    )


VOCABULARY = {
    fact.name: fact
    for fact in (
        declare("a", FactType.BOOL),
        declare("b", FactType.BOOL),
        declare("n", FactType.INT),
        declare("m", FactType.INT),
        declare("s", FactType.STRING),
        declare("state", FactType.STRING, "open", "closed"),
    )
}
COMPILER = ConditionCompiler(VOCABULARY)


def compile_one(expression: str) -> Condition:
    """Compile an expression."""
    return COMPILER.compile(name="x", expression=expression, owner="o", explanation_en="e")


def evaluate(expression: str, facts: dict[str, FactValue]) -> tuple[Outcome, Outcome]:
    """Return the outcome of both back ends."""
    condition = compile_one(expression)
    known = select_known(facts, VOCABULARY.values())
    cel = CelEngine((condition,), COMPILER).evaluate(("x",), known)
    closure = ClosureEngine((condition,)).evaluate(("x",), known)
    return cel[0], closure[0]


INTEGERS = st.integers(-3, 3)
TEXTS = st.sampled_from(["open", "closed", "张三", ""])
LEAVES = st.one_of(
    st.sampled_from(["a", "b", "true", "false", "!a", "a == b", "a != b", "a in [true, false]"]),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["n", "m"]),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.one_of(st.sampled_from(["n", "m"]), INTEGERS.map(str)),
    ),
    st.builds("n in [{}, {}]".format, INTEGERS, INTEGERS),
    st.builds('s {} "{}"'.format, st.sampled_from(["==", "!=", "<", ">="]), TEXTS),
    st.sampled_from(['state == "open"', 'state in ["open", "closed"]', "s == state"]),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({}) == ({})".format, inner, inner),
    ),
    max_leaves=6,
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from([True, False, UNKNOWN]),
        "b": st.sampled_from([True, False, UNKNOWN, 1, "true"]),
        "n": st.one_of(INTEGERS, st.sampled_from([UNKNOWN, True, "1", 2**63, -(2**63)])),
        "m": st.one_of(INTEGERS, st.just(UNKNOWN)),
        "s": st.one_of(TEXTS, st.sampled_from([UNKNOWN, 0])),
        "state": st.sampled_from(["open", "closed", "other", UNKNOWN]),
    },
)


@settings(max_examples=300, deadline=None)
@given(expression=EXPRESSIONS, facts=FACTS)
def test_both_back_ends_agree(expression: str, facts: dict[str, FactValue]) -> None:
    """Whatever the expression and the facts, missing and mistyped ones too."""
    cel, closure = evaluate(expression, facts)

    assert cel is closure


@settings(max_examples=150, deadline=None)
@given(expression=EXPRESSIONS, facts=FACTS, forgotten=st.sampled_from(list(VOCABULARY)))
def test_forgetting_a_fact_never_turns_an_outcome_round(
    expression: str, facts: dict[str, FactValue], forgotten: str
) -> None:
    """With one fact less an outcome stays or becomes unknown."""
    before, _ = evaluate(expression, facts)
    after, _ = evaluate(expression, {**facts, forgotten: UNKNOWN})

    assert after in {before, Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("expression", "facts", "expected"),
    [
        ("n < 14 && !a", {"a": True}, Outcome.FALSE),
        ("n < 14 && !a", {"n": 13}, Outcome.UNKNOWN),
        ("n < 14 && !a", {}, Outcome.UNKNOWN),
        ("a || b", {"b": True}, Outcome.TRUE),
        ("a || b", {"b": False}, Outcome.UNKNOWN),
        ("!a", {}, Outcome.UNKNOWN),
        ("n < 14", {"n": True}, Outcome.UNKNOWN),
        ("n < 14", {"n": "13"}, Outcome.UNKNOWN),
        ("n < 14", {"n": 2**64}, Outcome.UNKNOWN),
        ("a", {"a": 1}, Outcome.UNKNOWN),
        ("a == a", {}, Outcome.UNKNOWN),
        ('state != "open"', {"state": "nowhere"}, Outcome.UNKNOWN),
        ('state in ["open"]', {}, Outcome.UNKNOWN),
        ("true || a", {}, Outcome.TRUE),
    ],
)
def test_what_other_engines_let_through_is_unknown(
    expression: str, facts: dict[str, FactValue], expected: Outcome
) -> None:
    """Missing variables, wrong types and values off the list: where Cedar or Rego skip the rule."""
    assert evaluate(expression, facts) == (expected, expected)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("nobody", PolicyReason.CONDITION_MALFORMED),
        ("a &&", PolicyReason.CONDITION_MALFORMED),
        ('n < "a"', PolicyReason.CONDITION_MALFORMED),
        ("n < 14u", PolicyReason.CONDITION_MALFORMED),
        ('state == "opne"', PolicyReason.CONDITION_MALFORMED),
        ('state in ["open", "opne"]', PolicyReason.CONDITION_MALFORMED),
        ("a" + " && a" * 200, PolicyReason.CONDITION_MALFORMED),
        ("n", PolicyReason.CONDITION_NOT_BOOLEAN),
        ("s", PolicyReason.CONDITION_NOT_BOOLEAN),
        ("[1, 2].all(x, x < n)", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("[1].exists(x, x == n)", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ('s.matches("a.*")', PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ('matches(s, "a.*")', PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ('s.startsWith("a")', PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("size(s) > 1", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("n + 1 > 2", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("1 / 0 == n", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("a ? a : b", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("n in [n, 1]", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("[1] == [n]", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("1.5 > 1.0", PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ('timestamp("2026-01-01T00:00:00Z") < timestamp(s)', PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("now() > 1", PolicyReason.CONDITION_MALFORMED),
        ('{"x": a}["x"]', PolicyReason.CONDITION_OUTSIDE_SUBSET),
        ("(a == " * 20 + "a" + ")" * 20, PolicyReason.CONDITION_OUTSIDE_SUBSET),
    ],
)
def test_an_expression_outside_the_subset_is_refused(expression: str, reason: PolicyReason) -> None:
    """No macros, functions, arithmetic, clocks or foreign types."""
    with pytest.raises(ConditionRefused) as refused:
        compile_one(expression)

    assert refused.value.reason is reason


@given(junk=st.binary(max_size=60))
def test_a_broken_checked_expression_is_refused(junk: bytes) -> None:
    """Whatever bytes stand for an expression, the reader ends with a refusal or an expression."""
    with suppress(ConditionRefused):
        parse_checked(junk)


def test_an_unknown_name_is_unknown() -> None:
    """Asking for a condition that is not there closes."""
    condition = compile_one("a")

    assert CelEngine((condition,), COMPILER).evaluate(("y",), {"a": True}) == (Outcome.UNKNOWN,)
    assert ClosureEngine((condition,)).evaluate(("y",), {"a": True}) == (Outcome.UNKNOWN,)
