"""What of the answers of a case a person has to look at before anything is decided.

`INDETERMINATE` is not "no": a department that was away, or found two people, takes nothing from the
applicant. Knows no matter: which fields a case turns on is its department's to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hutong.client.answers import (
    Answered,
    AnsweredField,
    FieldOutcome,
    Finding,
    IndeterminateReason,
)
from hutong.client.errors import Refused

_UNSURE: Final = frozenset({Finding.INDETERMINATE, Finding.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One field that could not be told: a person looks, the case waits for him (人工复核)."""

    dataset: str
    field: str
    provider: str
    """USCC of the organisation that could not tell."""
    reason: IndeterminateReason | None
    """None where the department answered and its data leave the question open."""


def find_reviews(outcomes: Iterable[Answered | Refused]) -> tuple[Review, ...]:
    """Return every field of the outcomes that needs a person, in their order.

    What was refused is not among them: there the agreement decided, and nothing is open.
    """
    return tuple(
        Review(
            dataset=answered.dataset,
            field=each.name,
            provider=answered.provider,
            reason=answered.indeterminate_reason,
        )
        for answered in outcomes
        if isinstance(answered, Answered)
        for each in answered.fields
        if is_open(each)
    )


def is_open(each: AnsweredField) -> bool:
    """Tell whether a field was granted and could not be told."""
    return each.outcome is FieldOutcome.INDETERMINATE or each.finding in _UNSURE
