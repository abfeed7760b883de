"""Identifiers of persons, organisations and certificates: format, check character, one spelling.

Knows no department. Of python-stdnum only the check-digit functions are used: its reader of
resident numbers refuses most people born before 1976 (domain.md 0, finding 7).
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from stdnum.iso7064 import mod_11_2

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from adapters.mapping.names import fold_width

_RESIDENT_18: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_RESIDENT_15: Final = re.compile(r"[1-9][0-9]{14}")
_USCC: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
# GB 32100-2015 5.2: 31 characters, without I O S V Z; weights 3^(i-1) mod 31.
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIPLOMA: Final = re.compile(r"[0-9]{17,18}")
_DEGREE: Final = re.compile(r"[CTZ]?[0-9]{10}[0-9SEZ][0-9]{5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationCode:
    """A unified social credit code; some lawful codes fail their check character (finding 8)."""

    code: str
    check_agrees: bool


def parse_resident_id(text: str) -> str:
    """Return a resident number (GB 11643) as 18 characters, upper-case X; 15 digits are widened.

    Raises:
        AnswerMalformed: Neither form, an impossible birth date, or a wrong check character.
    """
    folded = fold_width(text).upper()
    if _RESIDENT_15.fullmatch(folded):
        # GB 11643-1999: the second generation writes the century, which was 19 for the first.
        body = folded[:6] + "19" + folded[6:]
        folded = body + mod_11_2.calc_check_digit(body)
    if not _RESIDENT_18.fullmatch(folded):
        raise AnswerMalformed(
            "resident number has neither 15 nor 18 characters", Cause.IDENTIFIER_FORM
        )
    try:
        date(int(folded[6:10]), int(folded[10:12]), int(folded[12:14]))
    except ValueError:
        raise AnswerMalformed(
            "resident number holds no birth date", Cause.IDENTIFIER_FORM
        ) from None  # cause: the value
    # GB 11643-1999 (ISO 7064 MOD 11-2): finds each single wrong digit and each swap of neighbours.
    if mod_11_2.calc_check_digit(folded[:17]) != folded[17]:
        raise AnswerMalformed("resident number fails its check character", Cause.IDENTIFIER_FORM)
    return folded


def parse_uscc(text: str) -> OrganisationCode:
    """Return a unified social credit code and whether its check character agrees (GB 32100).

    Raises:
        AnswerMalformed: Not 18 characters of the alphabet.
    """
    folded = fold_width(text).upper()
    if not _USCC.fullmatch(folded):
        raise AnswerMalformed(
            "credit code has not 18 characters of its alphabet", Cause.IDENTIFIER_FORM
        )
    total = sum(
        _USCC_ALPHABET.index(character) * pow(3, position, 31)
        for position, character in enumerate(folded[:17])
    )
    agrees = _USCC_ALPHABET[(31 - total % 31) % 31] == folded[17]
    return OrganisationCode(code=folded, check_agrees=agrees)


def parse_diploma_number(text: str) -> str:
    """Return the number of a diploma, 17 or 18 digits (domain.md 6).

    Raises:
        AnswerMalformed: Any other form.
    """
    return _parse_pattern(text, _DIPLOMA, "diploma number has neither 17 nor 18 digits")


def parse_degree_number(text: str) -> str:
    """Return the number of a degree certificate, 16 characters and an optional prefix.

    Raises:
        AnswerMalformed: Any other form.
    """
    return _parse_pattern(text, _DEGREE, "degree number has another form than the 2005 rule")


def _parse_pattern(text: str, pattern: re.Pattern[str], what: str) -> str:
    folded = fold_width(text).upper()
    if not pattern.fullmatch(folded):
        raise AnswerMalformed(what, Cause.IDENTIFIER_FORM)
    return folded
