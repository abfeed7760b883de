"""What each code of the health department means; the page of its codes is docs/adapters/health.md.

Knows no message form. A code that is not listed is never "no": it is a failure of the department.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from adapters.errors import AnswerMalformed
from adapters.port import Finding, Indeterminate


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a call told nothing, and how many calls the question may cost in all."""

    reason: Indeterminate
    attempts: int | None = 1
    """None: as many as are configured, for the operation only reads."""


_STOP: Final = Failure(reason=Indeterminate.PROVIDER_FAULT)
_LATER: Final = Failure(reason=Indeterminate.PROVIDER_UNAVAILABLE, attempts=None)

FAULTS: Final[Mapping[str, Failure]] = MappingProxyType(
    {
        "HC-5000": _LATER,
        "HC-4001": _STOP,
        "HC-4010": _STOP,
        "HC-4011": _STOP,
        # Tells operators that a clock is wrong; asked again it would be as wrong.
        "HC-4012": _STOP,
        "HC-4013": Failure(reason=Indeterminate.PROVIDER_FAULT, attempts=2),
        "HC-4030": _STOP,
    }
)
"""Codes of SOAP faults (section 2)."""
_SERVER_FAULT: Final = "HC-5"

ANSWERED: Final = "0"
NUMBER_REFUSED: Final = "4"
REFUSALS: Final[Mapping[str, Failure]] = MappingProxyType(
    {
        "1": _STOP,
        "2": _STOP,
        "3": _STOP,
        "5": Failure(reason=Indeterminate.QUESTION_REJECTED),
        # A certificate stands under this number and another name: neither "no" nor another person.
        "6": Failure(reason=Indeterminate.SUBJECT_UNRESOLVED),
        "7": Failure(reason=Indeterminate.PROVIDER_QUOTA),
        "8": _LATER,
    }
)
"""Values of `success` that tell nothing (section 4)."""
SUCCESS_FINDINGS: Final[Mapping[str, Finding]] = MappingProxyType({NUMBER_REFUSED: Finding.ERROR})
"""Values of `success` that are a finding by themselves."""


class Certificate(Enum):
    """Whether a certificate stands (section 5, `ZMZT`)."""

    VALID = auto()
    REPLACED = auto()
    VOID = auto()


STATES: Final[Mapping[str, Certificate]] = MappingProxyType(
    {"1": Certificate.VALID, "2": Certificate.REPLACED, "3": Certificate.VOID}
)


def read_fault(code: str) -> Failure:
    """Return what a fault means; an unlisted code is the server's own by its first digit."""
    return FAULTS.get(code, _LATER if code.startswith(_SERVER_FAULT) else _STOP)


def read_refusal(success: str) -> Failure:
    """Return what a `success` means that is neither an answer nor a finding."""
    return REFUSALS.get(success, _STOP)


def read_state(code: str) -> Certificate:
    """Return the state of a certificate.

    Raises:
        AnswerMalformed: A state nobody knows might be any of the three.
    """
    if code not in STATES:
        raise AnswerMalformed("state of a certificate is unknown")
    return STATES[code]


def find_record(states: Sequence[Certificate]) -> Finding:
    """Return whether somebody has a certificate that stands, from those on record (one at least).

    Raises:
        AnswerMalformed: Two that stand; nobody can tell which does.
    """
    match states.count(Certificate.VALID):
        case 1:
            return Finding.YES
        case 0:
            # Somebody was certified dead and it was taken back: a person has to look.
            return Finding.INDETERMINATE
        case _:
            raise AnswerMalformed("two certificates stand")
