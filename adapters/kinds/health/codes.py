"""What each code of the health department means; the page of its codes is docs/adapters/health.md.

Knows no message form. A code that is not listed is never "no": it is a failure of the department.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from adapters.port import Finding, Indeterminate


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a call told nothing, and how many calls the question may cost in all."""

    reason: Indeterminate
    attempts: int | None = 1
    """None: as many as are configured, for the operation only reads."""
    cause: Cause | None = field(default=None, compare=False)
    code: str = field(default="", compare=False)
    """The code as these tables list it."""


_STOP: Final = Failure(reason=Indeterminate.PROVIDER_FAULT)
_LATER: Final = Failure(reason=Indeterminate.PROVIDER_UNAVAILABLE, attempts=None)
_CAUSES: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "HC-5000": Cause.CODE_BUSY,
        "HC-4011": Cause.IDENTITY_REFUSED,
        "HC-4012": Cause.CLOCK_APART,
        "HC-4030": Cause.IDENTITY_REFUSED,
        "2": Cause.IDENTITY_REFUSED,
        "3": Cause.CLOCK_APART,
        "7": Cause.RATE_LIMITED,
        "8": Cause.CODE_BUSY,
    }
)
"""Codes that say more of what is to be mended than that the question was refused."""

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
    unlisted = _LATER if code.startswith(_SERVER_FAULT) else _STOP
    return _explain(code, FAULTS.get(code), unlisted)


def read_refusal(success: str) -> Failure:
    """Return what a `success` means that is neither an answer nor a finding."""
    return _explain(success, REFUSALS.get(success), _STOP)


def _explain(code: str, listed: Failure | None, unlisted: Failure) -> Failure:
    if listed is None:
        # What was sent stays out: an unlisted code is the department's text and may say anything.
        return replace(unlisted, cause=Cause.CODE_UNKNOWN)
    return replace(listed, cause=_CAUSES.get(code, Cause.CODE_REFUSED), code=code)


def read_state(code: str) -> Certificate:
    """Return the state of a certificate.

    Raises:
        AnswerMalformed: A state nobody knows might be any of the three.
    """
    if code not in STATES:
        raise AnswerMalformed("member ZMZT: state of a certificate is unknown", Cause.CODE_UNKNOWN)
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
            raise AnswerMalformed("two certificates stand", Cause.RECORDS_CONTRADICT)
