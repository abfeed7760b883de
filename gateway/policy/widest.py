"""The most an agreement can give, for whoever holds the agreement and not the registers.

A provider node is told what was granted and cannot ask who is party to a case. It holds each grant
against what the agreement would give if every condition it cannot judge came out in the requester's
favour, and every condition it can judge came out as it does.

A fact that is given is what whoever grants has too, UNKNOWN included: an officer without a level
has none for anybody. So a condition over given facts alone is judged, and where it comes out
UNKNOWN it tightens here as it does there. A fact that is missing may be anything.

INVARIANT: whatever `Bundle.decide` releases under some facts, `list_too_wide` lets pass under any
part of these facts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.port import Effect, FieldName
from gateway.policy.bundle import Bundle
from gateway.policy.effects import is_at_most
from gateway.policy.model import Cell, DecisionInput, Restriction
from gateway.policy.table import Row, restrict
from gateway.policy.vocabulary import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What is certain of the conditions of a row."""

    outcomes: Mapping[str, Outcome]
    settled: frozenset[str]
    """The conditions all of whose facts are given: UNKNOWN is UNKNOWN for everybody."""

    def fails(self, condition: str) -> bool:
        """Whether it certainly opens nothing."""
        outcome = self.outcomes[condition]
        return outcome is Outcome.FALSE or (
            outcome is Outcome.UNKNOWN and condition in self.settled
        )

    def is_in_force(self, restriction: Restriction) -> bool:
        """Whether it certainly lowers."""
        # One that cannot be judged here was judged by who granted.
        outcome = self.outcomes[restriction.condition]
        return outcome is Outcome.TRUE or (
            outcome is Outcome.UNKNOWN and restriction.condition in self.settled
        )


def list_too_wide(
    bundle: Bundle, question: DecisionInput, grants: Mapping[FieldName, Effect]
) -> tuple[FieldName, ...]:
    """Return the fields whose grant is more than the agreement asked under can give."""
    row = bundle.decider.find_row(question)
    if row is None:
        return tuple(grants)
    judged = _judge(bundle, row, question)
    if any(judged.fails(name) for name in row.agreement.preconditions):
        return tuple(grants)
    return tuple(
        field for field, effect in grants.items() if not _can_give(row, judged, field, effect)
    )


def _judge(bundle: Bundle, row: Row, question: DecisionInput) -> _Judged:
    evaluated = bundle.decider.evaluate(row, question.facts)
    return _Judged(
        outcomes=dict(zip(row.conditions, evaluated, strict=True)),
        settled=frozenset(
            name
            for name in row.conditions
            if bundle.conditions[name].facts <= question.facts.keys()
        ),
    )


def _can_give(row: Row, judged: _Judged, field: FieldName, effect: Effect) -> bool:
    cell = row.agreement.cells.get(field)
    if cell is None:
        return False
    most = (restrict(row, cell, place, judged.is_in_force).effect for place in _open(cell, judged))
    return any(is_at_most(effect, each) for each in most)


def _open(cell: Cell, judged: _Judged) -> Iterator[int]:
    """Yield the places of the rungs that may be the first whose condition holds."""
    for place, step in enumerate(cell.steps):
        if step.condition is not None and judged.fails(step.condition):
            continue
        yield place
        if step.condition is None or judged.outcomes[step.condition] is Outcome.TRUE:
            return
