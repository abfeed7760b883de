"""Runs the examples of an agreement: its unit tests, which must reach every rung of every cell.

An example states outcomes of conditions, not facts: whether a condition's expression means what its
name says is tested where the condition is defined.
"""

from collections.abc import Collection, Iterator, Mapping

from adapters.port import FieldName
from gateway.catalog import Dataset
from gateway.catalog.problems import PolicyReason, Position, Problem
from gateway.policy.document import AgreementDocument, ExampleDocument
from gateway.policy.table import Plan, Row, build_plan
from gateway.policy.vocabulary import Outcome


def find_example_problems(
    document: AgreementDocument, row: Row, dataset: Dataset
) -> Iterator[Problem]:
    """Yield a problem per example that comes out otherwise and per rung no example reaches."""
    titles = {field.title_zh: field.name for field in dataset.fields}
    reached: set[tuple[FieldName, int]] = set()
    for example in document.examples:
        unknown = next((name for name in example.conditions if name not in row.conditions), None)
        if unknown is not None:
            yield _problem(
                PolicyReason.UNKNOWN_CONDITION,
                example.position,
                f"例“{example.name}”中的条件“{unknown}”与本协议无关",
                f"example names a condition this agreement does not use: {unknown}",
            )
            continue
        outcomes = _complete(example, row)
        # A single word stands for every field with a cell.
        expected = example.expected
        if "*" in expected:
            cells = row.agreement.cells
            expected = {title: expected["*"] for title, name in titles.items() if name in cells}
        shown = {titles[title] for title in expected if title in titles}
        plan = build_plan(row, outcomes, shown)
        yield from _compare(example, expected, plan, titles)
        reached |= _list_reached(row, outcomes, plan, shown)
    for cell in row.agreement.cells.values():
        for index, step in enumerate(cell.steps):
            if (cell.field, index) not in reached:
                yield _problem(
                    PolicyReason.EXAMPLE_MISSING,
                    document.position,
                    f"没有例走到 {cell.field} 的“{step.text}”",
                    f"no example reaches {step.text} of {cell.field}",
                )


def _complete(example: ExampleDocument, row: Row) -> Mapping[str, Outcome]:
    preconditions = row.agreement.preconditions
    return {
        name: example.conditions.get(name, Outcome.TRUE if name in preconditions else Outcome.FALSE)
        for name in row.conditions
    }


def _compare(
    example: ExampleDocument,
    expected: Mapping[str, str],
    plan: Plan,
    titles: Mapping[str, FieldName],
) -> Iterator[Problem]:
    for title, wanted in expected.items():
        found = plan.find(titles.get(title, FieldName(""))).effect_text
        if title not in titles or found != wanted:
            yield _problem(
                PolicyReason.EXAMPLE_FAILED,
                example.position,
                f"例“{example.name}”：“{title}”应为“{wanted}”，实为“{found}”",
                f"example: {title} should be {wanted}, is {found}",
            )


def _list_reached(
    row: Row, outcomes: Mapping[str, Outcome], plan: Plan, shown: Collection[FieldName]
) -> set[tuple[FieldName, int]]:
    """Return the rungs an example shows: those it names that no precondition shut off."""
    # An example under a failed precondition shows that nothing leaves, not which rung would.
    if any(outcomes[name] is not Outcome.TRUE for name in row.agreement.preconditions):
        return set()
    reached: set[tuple[FieldName, int]] = set()
    for cell in row.agreement.cells.values():
        if cell.field in shown:
            index = next(
                number
                for number, step in enumerate(cell.steps)
                if step.condition is None or outcomes[step.condition] is Outcome.TRUE
            )
            if plan.find(cell.field).effect == cell.steps[index].effect:
                reached.add((cell.field, index))
    return reached


def _problem(reason: PolicyReason, at: Position, text_zh: str, text_en: str) -> Problem:
    return Problem(reason=reason, position=at, text_zh=text_zh, text_en=text_en)
