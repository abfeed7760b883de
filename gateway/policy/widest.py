"""The most an agreement can give, for whoever holds the agreement and not the registers.

A provider node is told what was granted and cannot ask who is party to a case. It holds each grant
against what the agreement would give if every condition it cannot judge came out in the requester's
favour, and every condition it can judge came out as it does.

INVARIANT: whatever `Bundle.decide` releases under some facts, `list_too_wide` lets pass under any
part of these facts.
"""

from collections.abc import Iterator, Mapping

from adapters.port import Effect, FieldName
from gateway.policy.bundle import Bundle
from gateway.policy.effects import is_at_most, meet
from gateway.policy.model import Cell, DecisionInput, Step
from gateway.policy.table import Row
from gateway.policy.vocabulary import Outcome

Outcomes = Mapping[str, Outcome]


def list_too_wide(
    bundle: Bundle, question: DecisionInput, grants: Mapping[FieldName, Effect]
) -> tuple[FieldName, ...]:
    """Return the fields whose grant is more than the agreement asked under can give."""
    row = bundle.decider.find_row(question)
    if row is None:
        return tuple(grants)
    evaluated = bundle.decider.evaluate(row, question.facts)
    outcomes = dict(zip(row.conditions, evaluated, strict=True))
    if any(outcomes[name] is Outcome.FALSE for name in row.agreement.preconditions):
        return tuple(grants)
    return tuple(
        field for field, effect in grants.items() if not _can_give(row, outcomes, field, effect)
    )


def _can_give(row: Row, outcomes: Outcomes, field: FieldName, effect: Effect) -> bool:
    cell = row.agreement.cells.get(field)
    if cell is None:
        return False
    dataset = row.agreement.dataset
    # In force for certain only: one that cannot be judged here was judged by who granted.
    if any(
        outcomes[each.condition] is Outcome.TRUE and each.covers(dataset, field)
        for each in row.prohibitions
    ):
        return False
    most = (_lowered(row, outcomes, field, step.effect) for step in _open_steps(cell, outcomes))
    return any(is_at_most(effect, each) for each in most)


def _open_steps(cell: Cell, outcomes: Outcomes) -> Iterator[Step]:
    """Yield the rungs that may be the first whose condition holds."""
    for step in cell.steps:
        outcome = Outcome.TRUE if step.condition is None else outcomes[step.condition]
        if outcome is not Outcome.FALSE:
            yield step
        if outcome is Outcome.TRUE:
            return


def _lowered(row: Row, outcomes: Outcomes, field: FieldName, effect: Effect) -> Effect:
    for item in row.conditional_ceilings:
        known = outcomes[item.condition] is Outcome.TRUE
        if known and item.ceiling is not None and item.covers(row.agreement.dataset, field):
            effect = meet(effect, item.ceiling)
    return effect
