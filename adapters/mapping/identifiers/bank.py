"""Account numbers and clearing numbers of banks."""

import re
from typing import Final

from stdnum import luhn

from adapters.mapping.identifiers.problems import NOT_ONE, Examined, collect
from adapters.mapping.names import fold_width

_ACCOUNT: Final = re.compile(r"[0-9]{16,19}")
_CNAPS: Final = re.compile(r"[0-9]{12}")

# First six digits under which the large banks issue debit cards; a social security card's account
# stands under one of them. Other account numbers carry no check digit.
CARD_PREFIXES: Final = frozenset(
    {
        "621226",
        "621661",
        "621700",
        "621799",
        "622188",
        "622202",
        "622260",
        "622700",
        "622848",
    }
)


def examine_account_number(text: str) -> Examined:
    """Report on a card or account number of 16 to 19 digits (ISO/IEC 7812-1, Luhn).

    The Luhn digit is judged only under a known card prefix: some account numbers are no cards.
    """
    folded = fold_width(text).replace(" ", "")
    if not _ACCOUNT.fullmatch(folded):
        return NOT_ONE
    is_card = folded[:6] in CARD_PREFIXES
    right = not is_card or bool(luhn.is_valid(folded))
    return Examined(value=folded, problems=collect(CARD_CHECK=right))


def examine_cnaps(text: str) -> Examined:
    """Report on a clearing number (联行号): bank 3, area 4, serial 4, check 1.

    The rule of the check digit is not published, so only the form is judged.
    """
    folded = fold_width(text)
    return Examined(value=folded) if _CNAPS.fullmatch(folded) else NOT_ONE
