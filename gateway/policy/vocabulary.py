"""The typed facts a condition may name, and the three-valued outcome of a condition.

Knows nothing of where facts come from (`gateway.policy.facts` asks the registries).

INVARIANT: a fact that is missing, of another type, or outside its listed values is unknown; nothing
here turns unknown into a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Final


class Unknown(Enum):
    """The one value of a fact nobody could tell: a registry was unreachable or holds nothing."""

    UNKNOWN = "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
KnownValue = bool | int | str
FactValue = KnownValue | Unknown
Facts = Mapping[str, FactValue]
KnownFacts = dict[str, KnownValue]

_INT64: Final = 1 << 63


class FactType(StrEnum):
    """Type of a fact, named as in CEL."""

    BOOL = "bool"
    INT = "int"
    STRING = "string"


class FactSource(StrEnum):
    """Whose fact it is; Explain never consults those of the subject (decisions.md)."""

    SUBJECT = "subject"
    CASE = "case"
    OFFICER = "officer"
    CALENDAR = "calendar"


class Outcome(IntEnum):
    """What a condition came to: E(c, q) of policy.md 3.3; UNKNOWN is its `!`."""

    FALSE = 0
    TRUE = 1
    UNKNOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FactDeclaration:
    """One name of the vocabulary."""

    name: str
    type: FactType
    source: FactSource
    title_zh: str
    values: tuple[str, ...] = ()
    """The closed list of a string fact; empty means any text."""


Vocabulary = Mapping[str, FactDeclaration]


def select_known(facts: Facts, vocabulary: Vocabulary) -> KnownFacts:
    """Return the facts that are declared, known, of their type and among their listed values."""
    known: KnownFacts = {}
    for name, declaration in vocabulary.items():
        value = facts.get(name, UNKNOWN)
        if not isinstance(value, Unknown) and _conforms(value, declaration):
            known[name] = value
    return known


def _conforms(value: KnownValue, declaration: FactDeclaration) -> bool:
    kind = type(value)  # a bool is an int to isinstance
    match declaration.type:
        case FactType.BOOL:
            return kind is bool
        case FactType.INT:
            return kind is int and isinstance(value, int) and -_INT64 <= value < _INT64
        case FactType.STRING:
            return kind is str and (not declaration.values or value in declaration.values)
