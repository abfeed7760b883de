"""Members of the department's records in their one form; anything else is malformed.

Every member the manual lists for a record is mandatory: one that is absent or empty is not "no
value" (docs/adapters/tax.md, section 7).
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from adapters.errors import AnswerMalformed
from adapters.mapping.dates import encode_day, parse_month
from adapters.mapping.documents import require_objects, require_text
from signing.encoding import JsonValue

Members = Mapping[str, JsonValue]

_AMOUNT: Final = re.compile(r"-?(0|[1-9][0-9]{0,11})\.[0-9]{2}")
_DAY: Final = re.compile(r"[0-9]{8}")
_MONTH: Final = re.compile(r"[0-9]{6}")
_VOUCHER: Final = re.compile(r"[0-9]{18}")
NOTHING: Final = Decimal("0.00")


def require_filled(members: Members, name: str) -> str:
    """Return a mandatory text.

    Raises:
        AnswerMalformed: Absent, empty or of another type.
    """
    text = require_text(members, name)
    if not text:
        raise AnswerMalformed(f"member {name} is empty")
    return text


def require_amount(members: Members, name: str) -> Decimal:
    """Return an amount such as `"-520.00"`.

    Raises:
        AnswerMalformed: Another form.
    """
    return Decimal(_require(members, name, _AMOUNT))


def require_month(members: Members, name: str) -> str:
    """Return a period `YYYYMM` of the calendar.

    Raises:
        AnswerMalformed: Another form, or no month.
    """
    return parse_month(_require(members, name, _MONTH))


def require_day(members: Members, name: str) -> str:
    """Return a day of the calendar as `YYYY-MM-DD`.

    Raises:
        AnswerMalformed: Another form than `YYYYMMDD`, or no day.
    """
    return encode_day(_require(members, name, _DAY))


def require_voucher(members: Members, name: str) -> str:
    """Return the number of a voucher, 18 digits.

    Raises:
        AnswerMalformed: Another form.
    """
    return _require(members, name, _VOUCHER)


def require_rows(members: Members, name: str, at_most: int) -> Sequence[Members]:
    """Return the rows of a list of 1 to `at_most` objects.

    Raises:
        AnswerMalformed: No list, none, or more.
    """
    return require_objects(members, name, at_most=at_most)


def _require(members: Members, name: str, form: re.Pattern[str]) -> str:
    text = require_text(members, name)
    if not form.fullmatch(text):
        raise AnswerMalformed(f"member {name} has another form")
    return text
