"""Identifiers of electronic certificates, government service items and marriage certificates."""

import re
from datetime import date
from typing import Final

from stdnum.iso7064 import mod_37_36

from adapters.mapping.codes import code_table
from adapters.mapping.identifiers.organisation import examine_uscc
from adapters.mapping.identifiers.problems import (
    NOT_ONE,
    Examined,
    Problem,
    collect,
    year_problem,
)
from adapters.mapping.identifiers.regions import is_known_region
from adapters.mapping.names import fold_width

# GB/T 36904-2018: root . type 18 + 3 . issuer 18 . serial . version 3 . check.
_LICENSE: Final = re.compile(
    r"1\.2\.156\.3005\.2"
    r"\.(?P<type>[0-9A-Z]{18}[0-9]{3})\.(?P<issuer>[0-9A-Z]{18})"
    r"\.(?P<serial>[0-9A-Z]{1,32})\.(?P<version>[0-9]{3})\.(?P<check>[0-9A-Z])"
)
# issuer 18, level 1, basic code 12 (area 2, type 2, department 2, main 3, sub 3), business item 2.
_ITEM: Final = re.compile(
    r"(?P<issuer>[0-9A-Z]{18})(?P<level>[0-9])"
    r"(?P<area>[0-9]{2})(?P<type>[0-9]{2})[0-9]{8}(?P<business>[0-9]{2})?"
)
_MARRIAGE: Final = re.compile(
    r"(?P<kind>B?[JL])(?P<division>[0-9]{6})-(?P<year>[0-9]{4})-(?P<serial>[0-9]{6})"
)
# Spellings of the hyphen met between the parts of a certificate's number.
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_IDEOGRAPH: Final = re.compile(r"[\u4e00-\u9fff]")
# `str60`: longer is no number of anything.
_MAX_FREE_TEXT: Final = 60
_NATION: Final = "00"


def examine_license_id(text: str) -> Examined:
    """Report on an electronic certificate's identifier (电子证照标识, ISO 7064 MOD 37,36).

    `1.2.156.3005.2.11100000000013338W000.11370000MB2DEM0105.2026HRSS000000000001.001.Q`
    """
    folded = fold_width(text).upper()
    match = _LICENSE.fullmatch(folded)
    if match is None:
        return NOT_ONE
    issuer = examine_uscc(match["issuer"])
    # An issuer that is no credit code makes the whole no identifier.
    if issuer.refused or examine_uscc(match["type"][:18]).refused:
        return NOT_ONE
    body = match["type"] + match["issuer"] + match["serial"] + match["version"]
    agrees = mod_37_36.calc_check_digit(body) == match["check"]
    return Examined(value=folded, problems=(*collect(CERTIFICATE_CHECK=agrees), *issuer.warnings))


def examine_service_item(text: str) -> Examined:
    """Report on a government service item's code (政务服务事项实施编码), 31 or 33 characters."""
    folded = fold_width(text).upper()
    match = _ITEM.fullmatch(folded)
    if match is None:
        return NOT_ONE
    issuer = examine_uscc(match["issuer"])
    if issuer.refused:
        return NOT_ONE
    known = (
        match["level"] in code_table("ITEM_LEVEL").entries
        and match["type"] in code_table("ITEM_TYPE").entries
        and (match["area"] == _NATION or match["area"] in code_table("GB/T2260.1").entries)
    )
    return Examined(value=folded, problems=(*collect(PART=known), *issuer.warnings))


def examine_marriage_number(text: str, today: date | None = None) -> Examined:
    """Report on a marriage or divorce certificate's number (J, L; BJ, BL when issued again).

    `J370102-2019-000123`. Records from before the standard numbering are free text, e.g.
    `历字第12号`, and kept as they are.
    """
    folded = fold_width(text).translate(_HYPHENS).upper()
    match = _MARRIAGE.fullmatch(folded)
    if match is not None:
        region = collect(REGION=is_known_region(match["division"]))
        return Examined(value=folded, problems=(*region, *year_problem(match["year"], today)))
    if _IDEOGRAPH.search(folded) and len(folded) <= _MAX_FREE_TEXT:
        return Examined(value=folded, problems=(Problem.FREE_TEXT,))
    return NOT_ONE
