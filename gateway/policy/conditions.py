"""Conditions: one checked expression each, evaluated by either of two back ends.

`CelEngine` evaluates with cel-expr-python (C++); `ClosureEngine` builds Python closures from the
same checked expression. Both answer TRUE, FALSE or UNKNOWN; a missing fact, an error or a value
that is no boolean is UNKNOWN, never FALSE and never an exception.

INVARIANT: `&&` and `||` follow CEL: `false && error` is false, `true || error` is true, whichever
side stands first; every other operator over something unknown is unknown (Kleene's strong logic,
monotone: learning a fact never changes an outcome that was already TRUE or FALSE).
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cel_expr_python import cel

from gateway.catalog.problems import PolicyReason
from gateway.policy.checked import (
    COMPARISONS,
    MEMBERSHIP,
    NEGATION,
    Call,
    Constant,
    Expression,
    Fact,
    Members,
    list_facts,
    parse_checked,
)
from gateway.policy.errors import ConditionRefused
from gateway.policy.vocabulary import (
    FactSource,
    FactType,
    KnownFacts,
    KnownValue,
    Outcome,
    Vocabulary,
)

MAX_EXPRESSION_CHARACTERS: Final = 500
"""Characters of one expression; the longest of the sandbox has 60."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition: its Chinese name, expression, owner, and the form all back ends share."""

    name: str
    expression: str
    owner: str
    explanation_en: str
    serialized: bytes
    checked: Expression
    facts: frozenset[str]
    depends_on_subject: bool


class ConditionEngine(Protocol):
    """Evaluates conditions by name over known facts."""

    def evaluate(self, names: Sequence[str], facts: KnownFacts) -> tuple[Outcome, ...]:
        """Return one outcome per name, in order."""
        ...


class ConditionCompiler:
    """Compiles expressions against one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        types = {
            FactType.BOOL: cel.Type.BOOL,
            FactType.INT: cel.Type.INT,
            FactType.STRING: cel.Type.STRING,
        }
        self.environment = cel.NewEnv(
            variables={name: types[fact.type] for name, fact in vocabulary.items()}
        )

    def compile(self, *, name: str, expression: str, owner: str, explanation_en: str) -> Condition:
        """Return the checked condition.

        Raises:
            ConditionRefused: CONDITION_MALFORMED, CONDITION_NOT_BOOLEAN or
            CONDITION_OUTSIDE_SUBSET.
        """
        if len(expression) > MAX_EXPRESSION_CHARACTERS:
            raise ConditionRefused(PolicyReason.CONDITION_MALFORMED, "too long")
        try:
            compiled = self.environment.compile(expression)
        except RuntimeError as broken:
            # the binding has one exception type; its text holds the expression, which is no secret
            raise ConditionRefused(
                PolicyReason.CONDITION_MALFORMED, str(broken).splitlines()[0]
            ) from broken
        if compiled.return_type() != cel.Type.BOOL:
            raise ConditionRefused(PolicyReason.CONDITION_NOT_BOOLEAN, expression)
        # The one checked form both back ends are built from, so that they cannot read differently.
        serialized = bytes(compiled.serialize())
        checked = parse_checked(serialized)
        self._require_listed_values(checked)
        facts = list_facts(checked)
        return Condition(
            name=name,
            expression=expression,
            owner=owner,
            explanation_en=explanation_en,
            serialized=serialized,
            checked=checked,
            facts=facts,
            depends_on_subject=any(
                self._vocabulary[fact].source is FactSource.SUBJECT for fact in facts
            ),
        )

    def _require_listed_values(self, node: Expression) -> None:
        """Refuse a comparison with a text that the fact can never have (`case_state == "opne"`)."""
        if not isinstance(node, Call):
            return
        for fact in (operand for operand in node.operands if isinstance(operand, Fact)):
            listed = self._vocabulary[fact.name].values
            if listed and not set(_texts(node.operands)) <= set(listed):
                raise ConditionRefused(
                    PolicyReason.CONDITION_MALFORMED, f"{fact.name} never has this value"
                )
        for operand in node.operands:
            self._require_listed_values(operand)


def _texts(operands: Iterable[Expression]) -> list[str]:
    values: list[KnownValue] = []
    for operand in operands:
        if isinstance(operand, Constant):
            values.append(operand.value)
        elif isinstance(operand, Members):
            values.extend(operand.values)
    return [value for value in values if isinstance(value, str)]


class CelEngine:
    """Evaluates with the C++ library."""

    def __init__(self, conditions: Iterable[Condition], compiler: ConditionCompiler) -> None:
        self._environment = compiler.environment
        self._expressions = {
            condition.name: self._environment.deserialize(condition.serialized)
            for condition in conditions
        }

    def evaluate(self, names: Sequence[str], facts: KnownFacts) -> tuple[Outcome, ...]:
        """Return one outcome per name, in order."""
        activation = self._environment.Activation(facts)
        return tuple(self._evaluate_one(name, activation) for name in names)

    def _evaluate_one(self, name: str, activation: cel.Activation) -> Outcome:
        # A name nobody compiled closes like any other unknown.
        expression = self._expressions.get(name)
        if expression is None:
            return Outcome.UNKNOWN
        try:
            value = expression.eval(activation).plain_value()
        except RuntimeError:
            return Outcome.UNKNOWN
        # A missing variable comes back as a value of type ERROR, not as an exception.
        if value is True:
            return Outcome.TRUE
        return Outcome.FALSE if value is False else Outcome.UNKNOWN


Evaluator = Callable[[KnownFacts], KnownValue | None]
"""The value of an expression, None where it is unknown."""


class ClosureEngine:
    """Evaluates closures built from the checked expression; the second implementation."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._evaluators: Mapping[str, Evaluator] = {
            condition.name: _build(condition.checked) for condition in conditions
        }

    def evaluate(self, names: Sequence[str], facts: KnownFacts) -> tuple[Outcome, ...]:
        """Return one outcome per name, in order."""
        return tuple(self._evaluate_one(name, facts) for name in names)

    def _evaluate_one(self, name: str, facts: KnownFacts) -> Outcome:
        evaluator = self._evaluators.get(name)
        value = None if evaluator is None else evaluator(facts)
        if value is True:
            return Outcome.TRUE
        return Outcome.FALSE if value is False else Outcome.UNKNOWN


def _build(node: Expression) -> Evaluator:
    match node:
        case Constant(value=value):
            return lambda _: value
        case Fact(name=name):
            return lambda facts: facts.get(name)
        case Call(operator=sign, operands=(only,)) if sign == NEGATION:
            return _build_negation(_build(only))
        case Call(operator=sign, operands=(left, Members(values=values))) if sign == MEMBERSHIP:
            return _build_membership(_build(left), values)
        case Call(operator=sign, operands=(left, right)) if sign in COMPARISONS:
            return _build_comparison(sign, _build(left), _build(right))
        case Call(operator=sign, operands=(left, right)):
            # `a && b` is false as soon as one is false; `a || b` true as soon as one is true.
            return _build_connective(_build(left), _build(right), absorbing=sign == "_||_")
        case _:
            raise ConditionRefused(PolicyReason.CONDITION_OUTSIDE_SUBSET, "unexpected node")


def _build_negation(inner: Evaluator) -> Evaluator:
    def negate(facts: KnownFacts) -> KnownValue | None:
        value = inner(facts)
        return None if value is None else not value

    return negate


def _build_membership(inner: Evaluator, values: tuple[KnownValue, ...]) -> Evaluator:
    def contain(facts: KnownFacts) -> KnownValue | None:
        value = inner(facts)
        return None if value is None else value in values

    return contain


_PYTHON_COMPARISONS: Final[Mapping[str, Callable[[KnownValue, KnownValue], bool]]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
"""Exact for operands of one type, which the type check has made sure of."""


def _build_comparison(sign: str, left: Evaluator, right: Evaluator) -> Evaluator:
    compare = _PYTHON_COMPARISONS[sign]

    def decide(facts: KnownFacts) -> KnownValue | None:
        a, b = left(facts), right(facts)
        return None if a is None or b is None else compare(a, b)

    return decide


def _build_connective(left: Evaluator, right: Evaluator, *, absorbing: bool) -> Evaluator:
    def connect(facts: KnownFacts) -> KnownValue | None:
        a = left(facts)
        if a is absorbing:
            return absorbing
        b = right(facts)
        if b is absorbing:
            return absorbing
        return None if a is None or b is None else not absorbing

    return connect
