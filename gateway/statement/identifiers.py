"""Identifiers of subjects at the border: one spelling, refused or doubted by the one policy.

What is refused and what is a doubt stands in `adapters.mapping.identifiers` (docs/identifiers.md).
Width is not folded here: a signed statement has one spelling (decisions.md, "The path, refined").
"""

from typing import assert_never

from adapters.mapping.dates import day_of_ms
from adapters.mapping.identifiers import Examined, Problem, examine_resident_id, examine_uscc
from adapters.port import Subject, SubjectType
from gateway.errors import Reason, Refusal


def normalised_identifier(kind: SubjectType, identifier: str, now_ms: int) -> str:
    """Return the identifier in its normal form: 18 characters, upper case.

    Raises:
        Refusal: `SUBJECT_INVALID`; its texts hold nothing of the identifier, its diagnostics name
            the problem.
    """
    examined = _examine(kind, identifier, now_ms)
    # A mistyped digit is mostly somebody else's number: refused before anybody is looked up.
    for problem in examined.refused:
        raise Refusal(Reason.SUBJECT_INVALID, diagnostics=f"identifier: {problem}")
    return examined.value


def doubts_about(subject: Subject, now_ms: int) -> tuple[Problem, ...]:
    """Return what is doubtful about a subject's identifier and refuses nothing."""
    return _examine(subject.type, subject.identifier, now_ms).warnings


def _examine(kind: SubjectType, identifier: str, now_ms: int) -> Examined:
    # Blanks and full-width digits are another spelling of the signed bytes, for which none stands.
    if not identifier.isascii() or identifier.strip() != identifier:
        return Examined(value="", problems=(Problem.FORMAT,))
    match kind:
        case SubjectType.RESIDENT_ID:
            # Numbers are given in China: a child born there today is not born in the future.
            return examine_resident_id(identifier, day_of_ms(now_ms))
        case SubjectType.USCC:
            # Lower case was never taken for a credit code here; the log's tokens depend on it.
            if identifier != identifier.upper():
                return Examined(value="", problems=(Problem.FORMAT,))
            return examine_uscc(identifier)
        case _:
            assert_never(kind)
