"""Numbers of social security cards and of tax vouchers. No check rule of either is published."""

import re
from typing import Final

from adapters.mapping.identifiers.problems import NOT_ONE, Examined
from adapters.mapping.names import fold_width

# Nine characters: a letter or digit first, the last a digit or X.
_CARD: Final = re.compile(r"[0-9A-Z][0-9]{7}[0-9X]")
# Electronic vouchers have 18 digits; older ones are shorter and may bear letters.
_VOUCHER: Final = re.compile(r"[0-9A-Z]{8,30}")


def examine_social_card(text: str) -> Examined:
    """Report on a social security card's number (社会保障卡号), nine characters."""
    folded = fold_width(text).upper()
    return Examined(value=folded) if _CARD.fullmatch(folded) else NOT_ONE


def examine_voucher(text: str) -> Examined:
    """Report on a tax voucher's number (税票号), 8 to 30 characters."""
    folded = fold_width(text).upper()
    return Examined(value=folded) if _VOUCHER.fullmatch(folded) else NOT_ONE
