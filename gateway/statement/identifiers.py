"""Identifiers of subjects: format, check characters and normal form (domain.md 6).

Severity: a resident ID with a wrong check digit, a birth date in the future or an age above 130 is
refused; an unknown region is not judged here; a social credit code with a wrong check character
passes, because some lawfully issued ones fail it (domain.md, finding 8).
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from stdnum.iso7064 import mod_11_2

from adapters.port import SubjectType
from gateway.errors import Reason, Refusal

MAX_AGE_YEARS: Final = 130
"""Above this a birth date is taken for an error (domain.md 6)."""
FIFTEEN: Final = 15
"""Digits of a resident number of the first generation."""
_CHINA: Final = timezone(timedelta(hours=8))
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_FIFTEEN = re.compile(r"[0-9]{15}", re.ASCII)
_USCC = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}", re.ASCII)


def normalised_identifier(kind: SubjectType, identifier: str, now_ms: int) -> str:
    """Return the identifier in its normal form: 18 characters, upper case.

    Raises:
        Refusal: `SUBJECT_INVALID`; the text of the refusal holds nothing of the identifier.
    """
    match kind:
        case SubjectType.RESIDENT_ID:
            return _resident_id(identifier, now_ms)
        case SubjectType.USCC:
            if _USCC.fullmatch(identifier) is None:
                raise Refusal(Reason.SUBJECT_INVALID)
            return identifier


def lengthened(fifteen: str) -> str:
    """Return the 18-character form of a 15-digit number: "19" inserted.

    Check character added (GB 11643).
    """
    seventeen = fifteen[:6] + "19" + fifteen[6:]
    return seventeen + mod_11_2.calc_check_digit(seventeen)


def birth_date(resident_id: str) -> date | None:
    """Return the date of birth inside an 18-character resident ID.

    None when there is no such day.
    """
    try:
        return date(int(resident_id[6:10]), int(resident_id[10:12]), int(resident_id[12:14]))
    except ValueError:
        return None


def _resident_id(text: str, now_ms: int) -> str:
    upper = text.upper()
    if _FIFTEEN.fullmatch(upper):
        upper = lengthened(upper)
    # A mistyped digit is mostly somebody else's number: refused before anybody is looked up.
    if not _EIGHTEEN.fullmatch(upper) or not mod_11_2.is_valid(upper):
        raise Refusal(Reason.SUBJECT_INVALID)
    born = birth_date(upper)
    # Numbers are given in China: a child born there today is not born in the future.
    today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(_CHINA).date()
    if born is None or born > today or today.year - born.year > MAX_AGE_YEARS:
        raise Refusal(Reason.SUBJECT_INVALID)
    return upper
