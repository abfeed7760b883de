"""The registries policy asks about a case and a subject, as ports.

`UNKNOWN` is what a register answers that cannot be reached or cannot tell; it closes
(decisions.md). A port never raises for that. Knows nothing of documents, plans or transport.

INVARIANT: identifiers go in and never come out.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from adapters.port import Subject
from certs.quick import quickly_made
from gateway.policy.vocabulary import UNKNOWN, Unknown


class CaseState(StrEnum):
    """The state of a case (办件)."""

    OPEN = "open"
    HELD = "held"
    CLOSED = "closed"


class Relation(StrEnum):
    """What a subject is in a case."""

    APPLICANT = "applicant"
    PARTY = "party"
    NONE = "none"


class ConsentKind(StrEnum):
    """What a consent covers: the subject's own data, or a household's for a check of its means."""

    CONSENT = "consent"
    MANDATE = "mandate"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """A case as its registry knows it, with the relation of one subject to it."""

    state: CaseState
    matter: str
    organisation: str
    division: str
    """GB/T 2260 code of the division that accepted the case."""
    relation: Relation
    in_investigation: bool | Unknown = UNKNOWN
    special_grade: bool | Unknown = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """On what occasion a consent is given: it is bound to these."""

    organisation: str
    matter: str
    at_ms: int


class Register(StrEnum):
    """What a question may need to be told by the registers."""

    CASE = "case"
    CONSENT = "consent"
    MANDATE = "mandate"
    GUARDIAN = "guardian"
    PROTECTED = "protected"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterQuestion:
    """What one question asks of all registers; one value, so that they tell of one moment."""

    organisation: str
    matter: str
    case_number: str = field(repr=False)
    subject: Subject
    at_ms: int
    needed: frozenset[Register]
    """What will be asked for; the rest is not looked at."""


class CaseRegistry(Protocol):
    """办件库: which cases exist and who is a party."""

    async def fetch_case(self, question: RegisterQuestion) -> CaseRecord | Unknown | None:
        """Return the case of the organisation, or None where it has none of this number."""
        ...


class Consent(Protocol):
    """Consents and mandates, purpose-bound, expiring and revocable."""

    async def fetch_consent(self, kind: ConsentKind, question: RegisterQuestion) -> bool | Unknown:
        """Return whether a consent is in force."""
        ...


class ProtectedPersons(Protocol):
    """Persons of whom nothing leaves."""

    async def fetch_protected(self, question: RegisterQuestion) -> bool | Unknown:
        """Return whether the subject is protected."""
        ...


class Guardianship(Protocol):
    """Consents of guardians (PIPL article 31)."""

    async def fetch_guardian_consent(self, question: RegisterQuestion) -> bool | Unknown:
        """Return whether a guardian's consent is in force."""
        ...
