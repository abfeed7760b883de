"""From outcomes of conditions to the plan of an agreement's fields (policy.md 3.3).

Steps 2 to 6. A pure function of (agreement, restrictions, ceilings, outcomes). The subject never
enters, so a plan may be kept and used for any subject.

INVARIANT: an UNKNOWN outcome never raises a field: it fails a precondition, skips a rung, keeps a
conditional ceiling and keeps a prohibition.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from adapters.port import Effect, FieldName
from gateway.policy.conditions_file import ConditionsDocument
from gateway.policy.effects import WITHHOLD, format_effect, meet
from gateway.policy.model import Agreement, Cell, FieldDecision, Restriction, RuleCode
from gateway.policy.vocabulary import FactDeclaration, Outcome

Outcomes = Mapping[str, Outcome]
InForce = Callable[[Restriction], bool]
"""Whether a restriction counts: for who decides, while it is not known to be off."""
WITHHELD_TEXT = format_effect(WITHHOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of every field there is, under one set of outcomes."""

    cells: Mapping[FieldName, FieldDecision]
    otherwise: RuleCode
    """Why a field without a cell is withheld."""
    otherwise_id: str = ""

    def find(self, field: FieldName) -> FieldDecision:
        """Return the decision on a field."""
        return self.cells.get(field) or withhold(field, self.otherwise, self.otherwise_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An agreement, the restrictions that speak about it, every condition any of them names."""

    agreement: Agreement
    prohibitions: tuple[Restriction, ...]
    conditional_ceilings: tuple[Restriction, ...]
    caps: tuple[Restriction, ...]
    conditions: tuple[str, ...]
    facts: tuple[FactDeclaration, ...]
    """The facts these conditions name."""
    fact_names: frozenset[str]
    """The same by name."""

    @property
    def lowering(self) -> tuple[Restriction, ...]:
        """Every restriction, of whatever kind."""
        # One list for all who go through them: a kind that one of them forgets is a hole there.
        return (*self.prohibitions, *self.conditional_ceilings, *self.caps)


def build_row(
    agreement: Agreement, restrictions: tuple[Restriction, ...], stated: ConditionsDocument
) -> Row:
    """Return the row of an agreement."""
    covering = tuple(
        restriction
        for restriction in restrictions
        if any(restriction.covers(agreement.dataset, field) for field in agreement.cells)
        and not restriction.spares(agreement)
    )
    names = [*agreement.preconditions]
    for cell in agreement.cells.values():
        names += [step.condition for step in cell.steps if step.condition is not None]
    names += [restriction.condition for restriction in covering]
    # A condition named twice is evaluated once; the order is the document's.
    distinct = tuple(dict.fromkeys(names))
    facts = frozenset[str]().union(*(stated.conditions[name].facts for name in distinct))
    return Row(
        agreement=agreement,
        prohibitions=tuple(
            item for item in covering if item.ceiling is None and item.kinds is None
        ),
        conditional_ceilings=tuple(item for item in covering if item.ceiling is not None),
        caps=tuple(item for item in covering if item.kinds is not None),
        conditions=distinct,
        facts=tuple(stated.vocabulary[fact] for fact in sorted(facts)),
        fact_names=facts,
    )


def build_plan(row: Row, outcomes: Outcomes, only: Collection[FieldName] | None = None) -> Plan:
    """Decide the fields of the agreement under the outcomes of its conditions.

    With `only` the plan may be asked about these fields alone.
    """
    # Step 2 comes before step 3: a field without a cell is told the precondition, like any other.
    failed = next(
        (name for name in row.agreement.preconditions if outcomes[name] is not Outcome.TRUE), None
    )
    if failed is not None:
        return Plan(cells={}, otherwise=RuleCode.PRECONDITION, otherwise_id=failed)
    cells = {
        cell.field: _decide_cell(row, cell, outcomes)
        for cell in row.agreement.cells.values()
        if only is None or cell.field in only
    }
    return Plan(cells=cells, otherwise=RuleCode.NO_CELL)


def withhold(field: FieldName, rule: RuleCode, rule_id: str = "") -> FieldDecision:
    """Return the decision that nothing of a field leaves."""
    return FieldDecision(
        field=field, effect=WITHHOLD, effect_text=WITHHELD_TEXT, rule=rule, rule_id=rule_id
    )


def _decide_cell(row: Row, cell: Cell, outcomes: Outcomes) -> FieldDecision:
    # Step 4: the first rung whose condition is true. The fixed ceiling was proven at compile time.
    reached = next(
        place
        for place, step in enumerate(cell.steps)
        if step.condition is None or outcomes[step.condition] is Outcome.TRUE
    )
    return restrict(row, cell, reached, lambda item: outcomes[item.condition] is not Outcome.FALSE)


def restrict(row: Row, cell: Cell, reached: int, in_force: InForce) -> FieldDecision:
    """Decide a field whose ladder is entered at the rung `reached`: steps 5 and 6."""
    dataset = row.agreement.dataset
    counting = [
        item for item in row.lowering if item.covers(dataset, cell.field) and in_force(item)
    ]
    # The order of steps 5 and 6 decides which rule is named, never what leaves.
    effect, capped_by = _cap(cell, reached, counting)
    effect, lowered_by = _lower(effect, counting)
    lowered_by = lowered_by or capped_by
    if effect == WITHHOLD:
        return withhold(cell.field, RuleCode.CEILING, lowered_by)
    prohibition = next((item for item in row.prohibitions if item in counting), None)
    if prohibition is not None:
        return withhold(cell.field, RuleCode.PROHIBITION, prohibition.number)
    return FieldDecision(
        field=cell.field,
        effect=effect,
        effect_text=format_effect(effect),
        rule=RuleCode.GRANTED,
        rule_id=lowered_by,
    )


def _cap(cell: Cell, reached: int, counting: Collection[Restriction]) -> tuple[Effect, str]:
    """Go down the ladder to the first rung no cap passes over; name the cap that moved it last."""
    capped_by = ""
    # Down, never to a meet: under a cap that a lost fact brings, no field may come out clearer
    # than it was (T5), and rungs only descend.
    for step in cell.steps[reached:]:
        passing = next((cap for cap in counting if not _admits(cap, step.effect)), None)
        if passing is None:
            return step.effect, capped_by
        capped_by = passing.number
    return WITHHOLD, capped_by


def _admits(cap: Restriction, effect: Effect) -> bool:
    return cap.kinds is None or effect == WITHHOLD or effect.kind in cap.kinds


def _lower(effect: Effect, counting: Collection[Restriction]) -> tuple[Effect, str]:
    """Apply step 5: every conditional ceiling that counts."""
    lowered_by = ""
    for item in counting:
        if item.ceiling is None:
            continue
        lowered = meet(effect, item.ceiling)
        if lowered != effect:
            effect, lowered_by = lowered, item.number
    return effect, lowered_by
