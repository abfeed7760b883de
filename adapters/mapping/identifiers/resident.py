"""Resident identity numbers (公民身份号码, GB 11643) of both generations.

Of python-stdnum only the check digit is used: its reader of these numbers compares the year of
birth with the years in which a division's code was valid, and refuses most people born before
1976 and all of 15 development zones (domain.md 0, finding 7).
"""

import re
from datetime import date
from typing import Final

from stdnum.iso7064 import mod_11_2

from adapters.mapping.identifiers.problems import NOT_ONE, Examined, Problem
from adapters.mapping.identifiers.regions import is_known_region
from adapters.mapping.names import fold_width

MAX_AGE_YEARS: Final = 130
"""Above this a birth date is taken for an error (domain.md 6)."""

_EIGHTEEN: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN: Final = re.compile(r"[1-9][0-9]{14}")


def widen_resident_id(fifteen: str) -> str:
    """Return the 18 characters of a number of 15 digits: "19" inserted, check character added.

    GB 11643-1999: the second generation writes the century, which was 19 for the first.
    """
    body = fifteen[:6] + "19" + fifteen[6:]
    # Any: the library has no types.
    return body + str(mod_11_2.calc_check_digit(body))


def find_birth_date(resident_id: str) -> date | None:
    """Return the birth date in a number of 18 characters, None when no calendar has it."""
    try:
        return date(int(resident_id[6:10]), int(resident_id[10:12]), int(resident_id[12:14]))
    except ValueError:
        return None


def examine_resident_id(text: str, today: date | None = None) -> Examined:
    """Report on a resident number: 18 characters, or 15 digits, which are widened.

    `today` is the day it is in China; without it the birth date is not compared with a day.
    """
    folded = fold_width(text).upper()
    if _FIFTEEN.fullmatch(folded):
        folded = widen_resident_id(folded)
    if not _EIGHTEEN.fullmatch(folded):
        return NOT_ONE
    problems: list[Problem] = []
    # ISO 7064 MOD 11-2 finds each single wrong digit and each swap of neighbours.
    if mod_11_2.calc_check_digit(folded[:17]) != folded[17]:
        problems.append(Problem.PERSON_CHECK)
    born = find_birth_date(folded)
    if born is None:
        problems.append(Problem.BIRTH_DATE)
    elif today is not None:
        problems += _age_problems(born, today)
    if not is_known_region(folded[:6]):
        problems.append(Problem.REGION)
    return Examined(value=folded, problems=tuple(problems))


def _age_problems(born: date, today: date) -> list[Problem]:
    if born > today:
        return [Problem.BIRTH_IN_FUTURE]
    return [Problem.AGE] if today.year - born.year > MAX_AGE_YEARS else []


def parse_resident_id(text: str) -> str:
    """Return a resident number that a department sent, as 18 characters, upper-case X.

    Raises:
        AnswerMalformed: Neither form, an impossible birth date, or a wrong check character.
    """
    return examine_resident_id(text).require()
