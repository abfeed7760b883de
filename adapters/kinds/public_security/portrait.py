"""The comparison of portraits: a digest goes out, a verdict with a score comes back.

The portrait itself goes from the capture terminal to public security and never passes here; the
digest the terminal gave the counter names it (docs/adapters/public_security.md 3.4).
"""

import re
from decimal import Decimal
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.codes import BANDS, PORTRAITS, TEMPLATE_VERSION, Band
from adapters.kinds.public_security.package import Members
from adapters.port import Finding, Indeterminate, Query

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CASE: Final = re.compile(r"[!-~]{1,64}", re.ASCII)
_SCORE: Final = re.compile(r"(?:100\.00|[1-9]?[0-9]\.[0-9]{2})", re.ASCII)


def read_portrait(query: Query) -> tuple[Members, Finding | None]:
    """Return the members that name the portrait, or what is found where none is claimed.

    Raises:
        DepartmentFailed: QUESTION_REJECTED for a case under which no consent can be traced.
    """
    digest = query.claims.get("photo_digest")
    if digest is None:
        return {}, Finding.NOT_APPLICABLE
    if not _DIGEST.fullmatch(digest):
        return {}, Finding.ERROR
    # The policy found the consent in force for this case; public security traces it by the number.
    if not _CASE.fullmatch(query.case_number):
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return {"XPZY": digest, "MBBB": TEMPLATE_VERSION, "SQBH": query.case_number}, None


def read_band(text: str) -> str:
    """Return the band of a score such as `97.31`.

    Raises:
        AnswerMalformed: No number from 0.00 to 100.00 with two places.
    """
    return _band_of(text).value


def judge_portrait(members: Members) -> Finding:
    """Return whether it is the same person, by verdict and score together.

    Raises:
        AnswerMalformed: A score of another form.
    """
    verdict, score = members["BDJG"], members.get("XSD", "")
    # Nothing was scored where no face was found.
    if not score:
        return Finding.INDETERMINATE
    return PORTRAITS.get((verdict, _band_of(score)), Finding.INDETERMINATE)


def _band_of(text: str) -> Band:
    if not _SCORE.fullmatch(text):
        raise AnswerMalformed("a score of another form")
    score = Decimal(text)
    return next(band for least, band in BANDS if score >= least)
