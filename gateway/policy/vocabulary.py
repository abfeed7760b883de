"""The typed facts a condition may name, and the three-valued outcome of a condition.

Knows nothing of where facts come from (`gateway.policy.facts` asks the registries).

INVARIANT: a fact that is missing, of another type, or outside its listed values is unknown; nothing
here turns unknown into a value.
"""

from collections.abc import Iterable, Mapping
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


def select_known(facts: Facts, declarations: Iterable[FactDeclaration]) -> KnownFacts:
    """Return the facts that are declared, known, of their type and among their listed values."""
    known: KnownFacts = {}
    for declaration in declarations:
        # Whatever does not fit is left out, which every back end reads as unknown.
        value = facts.get(declaration.name, UNKNOWN)
        if type(value) is bool:  # a bool is an int to isinstance
            fits = declaration.type is FactType.BOOL
        elif isinstance(value, int):
            fits = declaration.type is FactType.INT and -_INT64 <= value < _INT64
        elif isinstance(value, str):
            listed = not declaration.values or value in declaration.values
            fits = declaration.type is FactType.STRING and listed
        else:
            continue
        if fits:
            known[declaration.name] = value
    return known
