"""Resident identity numbers (GB 11643) and the other check characters the population needs.

Written from the standards; tests compare with another implementation.
"""

from datetime import date
from typing import Final

# GB 11643-1999, 4.3: weights of the 17 digits and the characters for the remainder.
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"

LENGTH: Final = 18
"""Characters of an identity number (GB 11643-1999, 4.1)."""

# GB 32100-2015, 5: alphabet without I O S V Z, weights 3^(i-1) mod 31.
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))

# GB 11714-1997: weights of the 8 characters of an organisation code.
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def check_character(body: str) -> str:
    """Compute the 18th character of an identity number from its 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def identity_number(division: str, birth: date, sequence: int) -> str:
    """Compose an 18-character identity number; an odd sequence is male."""
    body = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return body + check_character(body)


def is_identity_number(text: str) -> bool:
    """Tell whether a text is 18 characters with the right check character and a real day."""
    # ASCII is asked first: isdigit() also accepts digits of other scripts.
    if len(text) != LENGTH or not text.isascii() or not text[:-1].isdigit():
        return False
    return text[-1] == check_character(text[:-1]) and birth_of(text) is not None


def birth_of(identity: str) -> date | None:
    """Read the birth date out of an 18-character number, None when it is no day of the calendar."""
    try:
        return date(int(identity[6:10]), int(identity[10:12]), int(identity[12:14]))
    except ValueError:
        return None


def old_form(identity: str) -> str:
    """Shorten to the 15 digits used before 1999-10-01: no century, no check character."""
    return identity[:6] + identity[8:17]


def organisation_check(body: str) -> str:
    """Compute the 9th character of an organisation code (GB 11714)."""
    total = sum(
        int(character, 36) * weight
        for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    # 11 minus the remainder; 10 is written X and 11 is written 0.
    return "0123456789X"[(11 - total % 11) % 11]


def credit_code(prefix: str, division: str, organisation: str) -> str:
    """Compose an 18-character unified social credit code from its parts (GB 32100)."""
    body = prefix + division + organisation + organisation_check(organisation)
    pairs = zip(body, _USCC_WEIGHTS, strict=True)
    total = sum(_USCC_ALPHABET.index(character) * weight for character, weight in pairs)
    return body + _USCC_ALPHABET[(31 - total % 31) % 31]


def card_number(body: str) -> str:
    """Append the Luhn digit (ISO/IEC 7812-1 annex B)."""
    total = 0
    # Every second digit from the right counts twice, the sum of its digits.
    for place, character in enumerate(reversed(body)):
        total += sum(divmod(int(character) * (2 - place % 2), 10))
    return body + str((10 - total % 10) % 10)
