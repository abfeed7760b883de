"""Outcomes of a matter as rows: one per field, held against what was expected of it.

INVARIANT: a row of a field that was not granted holds no value; in `--json` it does not stand.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.cli.demo.expectations import ANSWERED, ANY, Expected
from gateway.cli.demo.people import Asked
from hutong.client import (
    Answered,
    AnsweredField,
    FieldOutcome,
    Receipt,
    Refused,
    Review,
    find_reviews,
)
from signing.encoding import parse_b64url

WITHHELD = "不予提供"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field of one exchange."""

    person: str
    matter: str
    dataset: str
    item: str
    effect: str
    """In the words of the agreement."""
    observed: str = field(repr=False)
    """Spelled as in `expectations`."""
    told: str = field(repr=False)
    """What a person reads: the value, the finding, or why there is neither."""
    state: str
    outcome: str
    """What became of the field, as the SDK says; `REFUSED` where the dataset was refused."""
    provider: str
    receipt_index: int | None
    granted: bool
    expected: str
    value: str | tuple[str, ...] | None = field(default=None, repr=False)
    finding: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the field came out as expected."""
        wanted = self.expected
        if wanted.endswith(ANY):
            prefix = wanted.removesuffix(ANY)
            return self.observed.startswith(prefix) and len(self.observed) > len(prefix)
        return self.observed == wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that came back for one person."""

    asked: Asked
    rows: tuple[Row, ...]
    receipts: tuple[Receipt, ...] = field(repr=False)
    unproven: int
    """Refusals that ought to carry a receipt and do not."""
    suites: frozenset[tuple[str, str]] = frozenset()
    """Who signed the records, and with which suite: USCC and name."""
    reviews: tuple[Review, ...] = ()
    """What a person has to look at: the case is marked for review, never refused."""

    @property
    def holds(self) -> bool:
        """Whether everything came out as expected."""
        return self.unproven == 0 and all(row.holds for row in self.rows)


def told_of(asked: Asked, outcomes: tuple[Answered | Refused, ...]) -> Told:
    """Return the rows and receipts of one matter."""
    rows: list[Row] = []
    receipts: list[Receipt] = []
    unproven = 0
    for query, outcome in zip(asked.question.queries, outcomes, strict=True):
        expected = asked.person.datasets[query.dataset]
        if outcome.receipt is None:
            unproven += 1
        else:
            receipts.append(outcome.receipt)
        if isinstance(outcome, Refused):
            rows += _refused(asked, query.dataset, query.fields, outcome, expected)
        else:
            rows += _answered(asked, outcome, expected)
    return Told(
        asked=asked,
        rows=tuple(rows),
        receipts=tuple(receipts),
        unproven=unproven,
        suites=frozenset(
            (each.provider, _suite_of(each.record))
            for each in outcomes
            if isinstance(each, Answered) and each.record is not None
        ),
        reviews=find_reviews(outcomes),
    )


def _suite_of(record: str) -> str:
    """Read the suite out of a record that the client has proven."""
    header = json.loads(parse_b64url(record.partition(".")[0]))
    return str(header["alg"])


def _refused(
    asked: Asked, dataset: str, fields: tuple[str, ...], refused: Refused, expected: Expected
) -> Iterator[Row]:
    state = f"REFUSED {refused.reason}"
    for name in fields:
        yield Row(
            person=asked.person.case,
            matter=asked.person.matter,
            dataset=dataset,
            item=name,
            effect="—",
            observed=_spelled("REFUSED", state, expected),
            told=refused.reason,
            state=state,
            outcome="REFUSED",
            provider="",
            receipt_index=None if refused.receipt is None else refused.receipt.index,
            granted=False,
            expected=expected.fields[name],
        )


def _answered(asked: Asked, answered: Answered, expected: Expected) -> Iterator[Row]:
    state = str(answered.state)
    if answered.indeterminate_reason is not None:
        state = f"{state} {answered.indeterminate_reason}"
    for each in answered.fields:
        yield Row(
            person=asked.person.case,
            matter=asked.person.matter,
            dataset=answered.dataset,
            item=each.name,
            effect=each.effect_text,
            observed=_spelled(_observed(each), state, expected),
            told=_told(each, answered),
            state=state,
            outcome=str(each.outcome),
            provider=answered.provider,
            receipt_index=answered.receipt.index,
            granted=each.outcome is not FieldOutcome.WITHHELD,
            expected=expected.fields[each.name],
            value=each.value,
            finding=None if each.finding is None else str(each.finding),
        )


def _spelled(observed: str, state: str, expected: Expected) -> str:
    """Return the observed text, led by the state where that is another than expected."""
    return observed if state == expected.state else f"{state}: {observed}"


def _observed(each: AnsweredField) -> str:
    match each.outcome:
        case FieldOutcome.VALUE:
            text = "、".join(each.value) if isinstance(each.value, tuple) else each.value
            return f"{each.effect} {text}"
        case FieldOutcome.FINDING:
            return f"{each.effect} {each.finding}"
        case FieldOutcome.ABSENT:
            return "ABSENT"
        case _:
            return f"{each.effect} {each.outcome}"


def _told(each: AnsweredField, answered: Answered) -> str:
    match each.outcome:
        case FieldOutcome.VALUE:
            return "、".join(each.value) if isinstance(each.value, tuple) else str(each.value)
        case FieldOutcome.FINDING:
            return str(each.finding)
        case FieldOutcome.WITHHELD:
            return WITHHELD
        case FieldOutcome.ABSENT:
            return str(answered.state) if str(answered.state) != ANSWERED else "ABSENT"
        case _:
            reason = answered.indeterminate_reason
            return "INDETERMINATE" if reason is None else f"INDETERMINATE {reason}"
