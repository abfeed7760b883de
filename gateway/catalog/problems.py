"""What can be wrong in a document of a bundle, as closed reasons with positions.

Knows nothing of how an agreement is decided. A text here names rules, never data of persons.
"""

from dataclasses import dataclass
from enum import StrEnum


class PolicyReason(StrEnum):
    """Why a policy document is refused (docs/policy/reasons.md lists each with its remedy)."""

    NOT_YAML = "NOT_YAML"
    TOO_LARGE = "TOO_LARGE"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    ALIAS_USED = "ALIAS_USED"
    WRONG_SHAPE = "WRONG_SHAPE"
    UNKNOWN_MEMBER = "UNKNOWN_MEMBER"
    MEMBER_MISSING = "MEMBER_MISSING"
    CATALOG_BROKEN = "CATALOG_BROKEN"
    UNKNOWN_DATASET = "UNKNOWN_DATASET"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    UNKNOWN_MATTER = "UNKNOWN_MATTER"
    UNKNOWN_ROLE = "UNKNOWN_ROLE"
    UNKNOWN_CONDITION = "UNKNOWN_CONDITION"
    BAD_SYSTEM = "BAD_SYSTEM"
    NUMBER_TAKEN = "NUMBER_TAKEN"
    BASIS_MISSING = "BASIS_MISSING"
    EXPIRY_MISSING = "EXPIRY_MISSING"
    QUOTA_MISSING = "QUOTA_MISSING"
    OWNER_MISSING = "OWNER_MISSING"
    EFFECT_MALFORMED = "EFFECT_MALFORMED"
    EFFECT_NOT_APPLICABLE = "EFFECT_NOT_APPLICABLE"
    THRESHOLD_OPEN = "THRESHOLD_OPEN"
    ABOVE_CEILING = "ABOVE_CEILING"
    NOT_SHAREABLE = "NOT_SHAREABLE"
    LADDER_NOT_DESCENDING = "LADDER_NOT_DESCENDING"
    LADDER_OPEN_ENDED = "LADDER_OPEN_ENDED"
    SEALED_DOCUMENT_MASKED = "SEALED_DOCUMENT_MASKED"
    DOCUMENT_UNSUPPORTED = "DOCUMENT_UNSUPPORTED"
    SYSTEM_ROLE_MIXED = "SYSTEM_ROLE_MIXED"
    SYSTEM_ABOVE_PREDICATE = "SYSTEM_ABOVE_PREDICATE"
    JOINT_DISCLOSURE = "JOINT_DISCLOSURE"
    JOINT_SET_REACHED = "JOINT_SET_REACHED"
    CONDITION_MALFORMED = "CONDITION_MALFORMED"
    CONDITION_NOT_BOOLEAN = "CONDITION_NOT_BOOLEAN"
    CONDITION_OUTSIDE_SUBSET = "CONDITION_OUTSIDE_SUBSET"
    EXAMPLE_FAILED = "EXAMPLE_FAILED"
    EXAMPLE_MISSING = "EXAMPLE_MISSING"
    BUNDLE_EXPIRED = "BUNDLE_EXPIRED"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where in which document; lines and columns count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, said in both languages."""

    reason: PolicyReason
    position: Position
    text_zh: str
    text_en: str

    def format(self) -> str:
        """Return one line: position, reason, Chinese, English."""
        at = self.position
        return f"{at.file}:{at.line}:{at.column}: {self.reason}: {self.text_zh} / {self.text_en}"


class PolicyRefused(Exception):
    """A policy document is refused; every problem found is listed, in the order of the files."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.format() for problem in problems))
        self.problems = problems

    @property
    def reasons(self) -> frozenset[PolicyReason]:
        """The distinct reasons."""
        return frozenset(problem.reason for problem in self.problems)


def refusal(reason: PolicyReason, position: Position, text_zh: str, text_en: str) -> PolicyRefused:
    """Return a refusal with one problem."""
    return PolicyRefused(
        (Problem(reason=reason, position=position, text_zh=text_zh, text_en=text_en),)
    )
