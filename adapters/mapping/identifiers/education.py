"""Numbers of diplomas and degree certificates. None has a check digit (domain.md 6)."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.mapping.codes import code_table
from adapters.mapping.identifiers.problems import NOT_ONE, Examined, collect, year_problem
from adapters.mapping.identifiers.regions import is_known_region
from adapters.mapping.names import fold_width

# school 5, type 1, year 4, level 2, serial 6, or 5 until about 2002.
_DIPLOMA: Final = re.compile(
    r"(?P<school>[0-9]{5})(?P<type>[0-9])(?P<year>[0-9]{4})(?P<level>[0-9]{2})(?P<serial>[0-9]{5,6})"
)
# The self-taught examination: 65, the division of the examining body, the rest as it numbers.
_SELF_TAUGHT: Final = re.compile(r"65(?P<division>[0-9]{6})(?P<serial>[0-9]{9,10})")
# unit 5, level 1, year 4, serial 6 whose first may be S (second) or E (dual degree); prefix
# C adult, T equivalent, Z professional.
_DEGREE: Final = re.compile(
    r"(?P<prefix>[CTZ]?)(?P<unit>[0-9]{5})(?P<level>[0-9])(?P<year>[0-9]{4})(?P<serial>[0-9SE][0-9]{5})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiplomaParts:
    """The parts of a diploma's number; of a self-taught one only division and serial are known."""

    serial: str
    division: str | None = None
    school: str | None = None
    type: str | None = None
    year: int | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DegreeParts:
    """The parts of a degree certificate's number (rule of 2005)."""

    prefix: str
    unit: str
    level: str
    year: int
    serial: str


def split_diploma_number(number: str) -> DiplomaParts | None:
    """Return the parts of a number in its normal form, None for no diploma's number."""
    # No school has a number under 65xxx: those are the examination's.
    if match := _SELF_TAUGHT.fullmatch(number):
        return DiplomaParts(serial=match["serial"], division=match["division"], type="6")
    match = _DIPLOMA.fullmatch(number)
    if match is None:
        return None
    return DiplomaParts(
        serial=match["serial"],
        school=match["school"],
        type=match["type"],
        year=int(match["year"]),
        level=match["level"],
    )


def split_degree_number(number: str) -> DegreeParts | None:
    """Return the parts of a number in its normal form, None for no degree certificate's number."""
    match = _DEGREE.fullmatch(number)
    if match is None:
        return None
    return DegreeParts(
        prefix=match["prefix"],
        unit=match["unit"],
        level=match["level"],
        year=int(match["year"]),
        serial=match["serial"],
    )


def examine_diploma_number(text: str, today: date | None = None) -> Examined:
    """Report on a diploma's number (学历证书编号), 17 or 18 digits."""
    folded = fold_width(text)
    parts = split_diploma_number(folded)
    if parts is None:
        return NOT_ONE
    if parts.division is not None:
        return Examined(value=folded, problems=collect(REGION=is_known_region(parts.division)))
    known = (
        parts.type in code_table("DIPLOMA_TYPE").entries
        and parts.level in code_table("DIPLOMA_LEVEL").entries
    )
    year = year_problem(f"{parts.year:04d}", today)
    return Examined(value=folded, problems=(*collect(PART=known), *year))


def examine_degree_number(text: str, today: date | None = None) -> Examined:
    """Report on a degree certificate's number (学位证书编号), 16 characters and a prefix."""
    folded = fold_width(text).upper()
    parts = split_degree_number(folded)
    if parts is None:
        return NOT_ONE
    known = parts.level in code_table("DEGREE_LEVEL").entries
    year = year_problem(f"{parts.year:04d}", today)
    return Examined(value=folded, problems=(*collect(PART=known), *year))


def parse_diploma_number(text: str) -> str:
    """Return the number of a diploma, 17 or 18 digits (domain.md 6).

    Raises:
        AnswerMalformed: Any other form.
    """
    return examine_diploma_number(text).require()


def parse_degree_number(text: str) -> str:
    """Return the number of a degree certificate, 16 characters and an optional prefix.

    Raises:
        AnswerMalformed: Any other form.
    """
    return examine_degree_number(text).require()
