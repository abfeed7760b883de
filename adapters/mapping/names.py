"""Names of persons: one spelling of width, separators and case, and how alike two of them are.

Knows no department. Private-use and Ext-B characters are kept as they are: no table of ours may
replace a character of a name (domain.md 5, "private-use -> keep + flag").
"""

import re
import unicodedata
from typing import Final

from adapters.port import Finding

# Full-width ASCII (Unicode block FF00) to ASCII, and the ideographic space to a space.
_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
DOT: Final = "\u00b7"
"""The separator between the parts of a name as the population register spells it (GB 18030)."""

SEPARATORS: Final = frozenset("\u00b7\u2022\u2027\u30fb")
"""The four code points departments write it with (domain.md 11)."""

# Rarer look-alikes; the full stop, of both widths, is one of them between names.
_OTHER_DOTS: Final = "\u2219\u22c5\uff65\u2024\u0387.\uff0e"
_DOTS: Final = dict.fromkeys(map(ord, "".join(SEPARATORS) + _OTHER_DOTS), DOT)
_BLANKS: Final = re.compile(r"\s+")
# The replacement character, the geta mark and the box that systems print for what they cannot.
_STAND_INS: Final = frozenset("\ufffd\u3013\u25a1")
# Variation selectors choose a glyph of the same ideograph (Unicode 17.0, 23.4).
_SELECTORS: Final = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def fold_width(text: str) -> str:
    """Return the text with full-width ASCII written half-width and outer blanks removed."""
    return text.translate(_WIDTH).strip()


def normalise_dots(name: str) -> str:
    """Return the name with every separator written U+00B7, nothing else changed."""
    return name.translate(_DOTS)


def normalise_name(name: str) -> str:
    """Return the spelling two names are compared in: width, separators, blanks and case folded.

    What no reader sees (variation selectors, joiners, marks of direction) goes; what Unicode calls
    one character in two encodings becomes one (NFC: compatibility ideographs).
    """
    plain = _SELECTORS.sub("", _BLANKS.sub("", normalise_dots(fold_width(name))))
    seen = "".join(each for each in plain if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFC", seen.upper())


def has_private_use(text: str) -> bool:
    """Tell whether a character stands in the text that only its author can read."""
    return any(unicodedata.category(character) == "Co" for character in text)


def has_unreadable(text: str) -> bool:
    """Tell whether a character stands for one that cannot be told: private use or a stand-in."""
    return has_private_use(text) or not _STAND_INS.isdisjoint(text)


def compare_names(claimed: str, held: str) -> Finding:
    """Return YES for the same name, INDETERMINATE where only unreadable characters differ, else NO.

    A private-use character stands for a rare one that another register may hold in its Unicode
    form: that the two differ says nothing about the person.
    """
    left, right = normalise_name(claimed), normalise_name(held)
    if left == right:
        return Finding.YES
    # A rare character may be held in another form, but it stays one character.
    if len(left) != len(right):
        return Finding.NO
    differing = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
    if all(has_unreadable(a + b) for a, b in differing):
        return Finding.INDETERMINATE
    return Finding.NO


def is_held_name(asked: str, held: str) -> bool:
    """Tell whether a register's name is the asked one, as far as it can be read there.

    INVARIANT: only the register's unreadable characters excuse a difference. The asker chooses his
    own: excused, `〓〓` would be everybody's name, and each name could be read one character at a
    time by who asks with the others hidden.
    """
    left, right = normalise_name(asked), normalise_name(held)
    alike = (a == b or has_unreadable(b) for a, b in zip(left, right, strict=False))
    return len(left) == len(right) and all(alike)


def split_characters(text: str) -> list[str]:
    """Split a text into what a reader sees as one character: a base with its marks and selectors.

    Variation selectors (Unicode 17.0, 23.4) belong to the ideograph before them.
    """
    characters: list[str] = []
    for code in text:
        if characters and unicodedata.category(code).startswith("M"):
            characters[-1] += code
        else:
            characters.append(code)
    return characters
