"""Questions as the department takes them, and what of a question its answers are read by.

Knows no message form.
INVARIANT: a claim that names no period or year, or none that can be asked about, is never answered
with a finding about another one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.codes import INSURANCE_KINDS
from adapters.mapping.dates import day_of_ms, parse_month
from adapters.mapping.names import normalise_dots
from adapters.port import Finding, Indeterminate, Query, Subject, SubjectType
from adapters.records import dataset_of, require_name
from signing.encoding import JsonValue, encode_canonical_json

MAX_NAME: Final = 60
_MAX_TEXT: Final = 64
_KIND: Final = re.compile(r"[0-9]{3}")
_YEAR: Final = re.compile(r"[1-9][0-9]{3}")
_FIRST_YEAR: Final = 2019
_DECEMBER: Final = 12


class Service(StrEnum):
    """Section 6: the services of the department."""

    CONTRIBUTION = "SWZJ.HXZG.CX.GRSBFJF"
    INCOME_TAX = "SWZJ.HXZG.CX.GRSDSSR"
    TAXPAYER = "SWZJ.HXZG.CX.NSRXX"


SERVICES: Final[Mapping[str, Service]] = MappingProxyType(
    {
        "tx.contribution": Service.CONTRIBUTION,
        "tx.income_tax": Service.INCOME_TAX,
        "tx.taxpayer": Service.TAXPAYER,
    }
)
"""Dataset, without version → the service that answers for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One record to be asked for."""

    service: Service
    subject: Subject = field(repr=False)
    content: bytes = field(repr=False)
    """The JSON of its `subPackage`."""
    period: str | None = None
    """`YYYYMM` that is asked about; None where the claims name none."""
    insurance_kind: str | None = None
    year: int = 0
    unasked: Finding | None = None
    """What the predicate finds whatever the department says, for want of a claim it can judge."""


def build_question(query: Query) -> Question:
    """Return what to ask the department.

    Raises:
        DepartmentFailed: QUESTION_REJECTED for a subject of the wrong type, and for a name, matter
            or case the department would refuse; NOT_CONNECTED for another's dataset.
    """
    service = SERVICES.get(dataset_of(query))
    if service is None:
        raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
    wanted = SubjectType.USCC if service is Service.TAXPAYER else SubjectType.RESIDENT_ID
    # Nothing found would be the catalog's finding for a person without a record, mostly NO.
    if query.subject.type is not wanted:
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return _BUILDERS[service](query, day_of_ms(query.issued_at_ms))


def _contribution(query: Query, today: date) -> Question:
    period, unasked = _claimed_period(query.claims.get("period"))
    kind, unknown = _claimed_kind(query.claims.get("insurance_kind"))
    # The service wants a period; without one of the asker's the latest that can be complete.
    asked = period or _month_before(today)
    return Question(
        service=Service.CONTRIBUTION,
        subject=query.subject,
        content=_encode({**_person(query), "SSQQ": asked, "SSQZ": asked}),
        period=period,
        insurance_kind=kind,
        # A claim that cannot be read outweighs one that was not made.
        unasked=unknown if unknown is Finding.ERROR else unasked or unknown,
    )


def _income_tax(query: Query, today: date) -> Question:
    claimed, unasked = _claimed_year(query.claims.get("tax_year"), today)
    # The latest year that can be complete, where the asker names none.
    year = claimed or today.year - 1
    return Question(
        service=Service.INCOME_TAX,
        subject=query.subject,
        content=_encode({**_person(query), "ND": year}),
        year=year,
        unasked=unasked,
    )


def _taxpayer(query: Query, _: date) -> Question:
    members: dict[str, JsonValue] = {"NSRSBH": query.subject.identifier, **_business(query)}
    if query.subject.full_name:
        members["NSRMC"] = query.subject.full_name
    return Question(service=Service.TAXPAYER, subject=query.subject, content=_encode(members))


_BUILDERS: Final[Mapping[Service, Callable[[Query, date], Question]]] = MappingProxyType(
    {
        Service.CONTRIBUTION: _contribution,
        Service.INCOME_TAX: _income_tax,
        Service.TAXPAYER: _taxpayer,
    }
)


def _person(query: Query) -> dict[str, JsonValue]:
    name = normalise_dots(require_name(query))
    if len(name) > MAX_NAME:
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return {"ZJHM": query.subject.identifier, "XM": name, **_business(query)}


def _business(query: Query) -> dict[str, JsonValue]:
    for text in (query.matter, query.case_number):
        if not 1 <= len(text) <= _MAX_TEXT:
            raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return {"SXBM": query.matter, "BJBH": query.case_number}


def _claimed_period(claimed: str | None) -> tuple[str | None, Finding | None]:
    if claimed is None:
        return None, Finding.NOT_APPLICABLE
    try:
        return parse_month(claimed), None
    except AnswerMalformed:
        # The claim is no month: the asker's error, and nothing of the subject's.
        return None, Finding.ERROR


def _claimed_kind(claimed: str | None) -> tuple[str | None, Finding | None]:
    if claimed is None:
        return None, None
    if not _KIND.fullmatch(claimed):
        return None, Finding.ERROR
    # A kind the manual does not know has no entries there, and that is no "not paid".
    return claimed, None if claimed in INSURANCE_KINDS else Finding.INDETERMINATE


def _claimed_year(claimed: str | None, today: date) -> tuple[int | None, Finding | None]:
    if claimed is None:
        return None, Finding.NOT_APPLICABLE
    if not _YEAR.fullmatch(claimed):
        return None, Finding.ERROR
    # Before the service begins, and in a year to come, "nothing declared" says nothing.
    if not _FIRST_YEAR <= int(claimed) <= today.year:
        return None, Finding.INDETERMINATE
    return int(claimed), None


def _month_before(today: date) -> str:
    if today.month == 1:
        return f"{today.year - 1}{_DECEMBER}"
    return f"{today.year}{today.month - 1:02d}"


def _encode(members: Mapping[str, JsonValue]) -> bytes:
    return encode_canonical_json(dict(members))
