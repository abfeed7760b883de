"""What can be wrong with an identifier, and how severe each is: the whole policy in one table.

Knows no identifier. Severity follows from harm: what can only be a slip of the pen is refused,
because the slip is mostly somebody else's number; what lawful identifiers are known to show is a
warning, because a person's case must not hang on it (domain.md 0, findings 7 and 8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.errors import AnswerMalformed


class Severity(StrEnum):
    """What a problem does to the request or answer that carries it."""

    REFUSE = "REFUSE"
    WARN = "WARN"


class Problem(StrEnum):
    """Everything that an identifier is ever said to have; a code is never renamed."""

    FORMAT = "FORMAT"
    PERSON_CHECK = "PERSON_CHECK"
    BIRTH_DATE = "BIRTH_DATE"
    BIRTH_IN_FUTURE = "BIRTH_IN_FUTURE"
    AGE = "AGE"
    CARD_CHECK = "CARD_CHECK"
    CERTIFICATE_CHECK = "CERTIFICATE_CHECK"
    CREDIT_CODE_CHECK = "CREDIT_CODE_CHECK"
    ORGANISATION_CHECK = "ORGANISATION_CHECK"
    REGION = "REGION"
    PREFIX = "PREFIX"
    PART = "PART"
    YEAR = "YEAR"
    FREE_TEXT = "FREE_TEXT"


POLICY: Final[Mapping[Problem, Severity]] = MappingProxyType(
    {
        Problem.FORMAT: Severity.REFUSE,
        Problem.PERSON_CHECK: Severity.REFUSE,
        Problem.BIRTH_DATE: Severity.REFUSE,
        Problem.BIRTH_IN_FUTURE: Severity.REFUSE,
        Problem.AGE: Severity.REFUSE,
        # Where the first six digits are known to be a card's, a wrong digit pays somebody else.
        Problem.CARD_CHECK: Severity.REFUSE,
        Problem.CERTIFICATE_CHECK: Severity.REFUSE,
        # Some lawfully issued codes fail (finding 8): the department that registered them decides.
        Problem.CREDIT_CODE_CHECK: Severity.WARN,
        Problem.ORGANISATION_CHECK: Severity.WARN,
        # A table is never complete, and a division ends while its numbers go on (finding 7).
        Problem.REGION: Severity.WARN,
        Problem.PREFIX: Severity.WARN,
        Problem.PART: Severity.WARN,
        Problem.YEAR: Severity.WARN,
        Problem.FREE_TEXT: Severity.WARN,
    }
)
"""Severity of every problem (domain.md 6, "Policy"); docs/identifiers.md prints it."""

MEANINGS: Final[Mapping[Problem, str]] = MappingProxyType(
    {
        Problem.FORMAT: "length, alphabet or layout is not that of the identifier",
        Problem.PERSON_CHECK: "the check character of a resident number is wrong",
        Problem.BIRTH_DATE: "no calendar has the birth date in a resident number",
        Problem.BIRTH_IN_FUTURE: "the birth date is later than today in China",
        Problem.AGE: "the birth date makes the person older than 130 years",
        Problem.CARD_CHECK: "the Luhn digit of a number under a known card prefix is wrong",
        Problem.CERTIFICATE_CHECK: "the check character of a certificate identifier is wrong",
        Problem.CREDIT_CODE_CHECK: "the check character of a social credit code is wrong",
        Problem.ORGANISATION_CHECK: "the check character of the organisation code inside is wrong",
        Problem.REGION: "no table has the division",
        Problem.PREFIX: "no table has the registering authority and kind",
        Problem.PART: "no table has the code of one part (type, level, area)",
        Problem.YEAR: "the year lies in the future or before 1949",
        Problem.FREE_TEXT: "a number from before the standard numbering, kept as it is written",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An identifier in its one spelling and what is wrong with it; `value` is "" without form."""

    value: str = field(repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def refused(self) -> tuple[Problem, ...]:
        """The problems that refuse it."""
        return tuple(each for each in self.problems if POLICY[each] is Severity.REFUSE)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that refuse nothing."""
        return tuple(each for each in self.problems if POLICY[each] is Severity.WARN)

    def require(self) -> str:
        """Return the value of an identifier that a department sent.

        Raises:
            AnswerMalformed: A problem refuses it; the text names the problem, never the value.
        """
        refused = self.refused
        if refused:
            raise AnswerMalformed(f"identifier: {refused[0]}", Cause.IDENTIFIER_FORM)
        return self.value


NOT_ONE: Final = Examined(value="", problems=(Problem.FORMAT,))
"""The report on a text that has not the form."""

FIRST_YEAR: Final = 1949
"""No certificate of a body of this state is older."""


def year_problem(text: str, today: date | None) -> tuple[Problem, ...]:
    """Return YEAR for a year of four digits before 1949 or after today's; without today none."""
    year = int(text)
    doubtful = year < FIRST_YEAR or (today is not None and year > today.year)
    return (Problem.YEAR,) if doubtful else ()


def collect(**holds: bool) -> tuple[Problem, ...]:
    """Return the problems whose names are given with a condition that does not hold."""
    return tuple(Problem(name) for name, right in holds.items() if not right)
