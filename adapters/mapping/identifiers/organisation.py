"""Identifiers of organisations: social credit code, organisation code, taxpayer's number."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.mapping.codes import code_table
from adapters.mapping.identifiers.problems import NOT_ONE, Examined, collect
from adapters.mapping.identifiers.regions import NATION, is_known_region
from adapters.mapping.identifiers.resident import examine_resident_id
from adapters.mapping.names import fold_width

# GB 32100-2015 5.2: 31 characters, without I O S V Z; weights 3^(i-1) mod 31.
_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PLACES: Final = {character: place for place, character in enumerate(_ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
_USCC: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")

# GB 11714-1997: weights of the 8 characters; letters count from 10.
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION: Final = re.compile(r"[0-9A-Z]{8}-?[0-9X]")

_TAX_ID: Final = re.compile(r"[0-9A-Z]{15,20}")
_LENGTH: Final = 18
# A natural person's number and two characters for a further registration.
_LENGTH_OF_PERSONS: Final = 20
# Before 2015: 6 digits of the tax office's division and the organisation code.
_LENGTH_BEFORE_2015: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationCode:
    """A unified social credit code; some lawful codes fail their check character (finding 8)."""

    code: str
    check_agrees: bool


def organisation_check(eight: str) -> str:
    """Return the ninth character of an organisation code: 10 is written X, 11 is written 0."""
    total = sum(
        int(character, 36) * weight
        for character, weight in zip(eight, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[(11 - total % 11) % 11]


def credit_code_check(seventeen: str) -> str:
    """Return the 18th character of a social credit code (GB 32100-2015 5.3)."""
    total = sum(
        _PLACES[character] * weight for character, weight in zip(seventeen, _WEIGHTS, strict=True)
    )
    return _ALPHABET[-total % 31]


def examine_organisation_code(text: str) -> Examined:
    """Report on an organisation code of nine characters, with or without the hyphen."""
    folded = fold_width(text).upper()
    if not _ORGANISATION.fullmatch(folded):
        return NOT_ONE
    code = folded.replace("-", "")
    agrees = organisation_check(code[:8]) == code[8]
    return Examined(value=code, problems=collect(ORGANISATION_CHECK=agrees))


def examine_uscc(text: str) -> Examined:
    """Report on a unified social credit code (统一社会信用代码): every doubt is a warning."""
    folded = fold_width(text).upper()
    if not _USCC.fullmatch(folded):
        return NOT_ONE
    region = folded[2:8]
    return Examined(
        value=folded,
        problems=collect(
            PREFIX=folded[:2] in code_table("USCC_PREFIX").entries,
            REGION=region == NATION or is_known_region(region),
            ORGANISATION_CHECK=organisation_check(folded[8:16]) == folded[16],
            CREDIT_CODE_CHECK=credit_code_check(folded[:17]) == folded[17],
        ),
    )


def examine_tax_id(text: str, today: date | None = None) -> Examined:
    """Report on a taxpayer's number (纳税人识别号), 15 to 20 characters.

    18 are a credit code or a resident number, 20 begin with a resident number, 15 end with an
    organisation code; of other lengths only the alphabet is known.
    """
    folded = fold_width(text).upper()
    if not _TAX_ID.fullmatch(folded):
        return NOT_ONE
    if len(folded) == _LENGTH:
        person = examine_resident_id(folded, today)
        # A credit code may happen to be digits only, so what is a right number is taken for one.
        return examine_uscc(folded) if person.refused else person
    if len(folded) == _LENGTH_OF_PERSONS:
        return Examined(value=folded, problems=examine_resident_id(folded[:18], today).problems)
    if len(folded) == _LENGTH_BEFORE_2015 and not examine_resident_id(folded, today).refused:
        return Examined(value=folded)
    if len(folded) == _LENGTH_BEFORE_2015:
        code = examine_organisation_code(folded[6:])
        region = collect(REGION=folded[:6].isdigit() and is_known_region(folded[:6]))
        return Examined(value=folded, problems=(*region, *code.problems))
    return Examined(value=folded)


def parse_uscc(text: str) -> OrganisationCode:
    """Return a unified social credit code and whether its check character agrees (GB 32100).

    Raises:
        AnswerMalformed: Not 18 characters of the alphabet, digits where the division stands.
    """
    code = examine_uscc(text).require()
    return OrganisationCode(code=code, check_agrees=credit_code_check(code[:17]) == code[17])
