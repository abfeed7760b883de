"""Marriages: the verification of one person or of two, and the lines of their registrations.

INVARIANT: "匹配不成功" and no line mean that this register holds nothing that matches, never that
somebody is single: he may have registered in another province, or never.
INVARIANT: `*_man` of the verification is whoever was asked about; of a line it is the man.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs.asked import (
    Asked,
    context_of,
    held,
    read_claimed,
    require_asked,
    require_own,
    require_value,
    text_of,
)
from adapters.kinds.civil_affairs.codes import (
    MARITAL,
    NO_MATCH,
    OPERATIONS,
    find_couple,
    look_up,
)
from adapters.kinds.civil_affairs.live import JsonRow, LiveCheck
from adapters.mapping.dates import encode_day, parse_day
from adapters.mapping.identifiers import examine_marriage_number, parse_resident_id
from adapters.mapping.names import fold_width
from adapters.port import FieldName, Finding, Indeterminate, Query
from adapters.records import RawRecord, require_subject

_FOUND: Final = FieldName("registration_found")
_COUPLE: Final = FieldName("is_couple")
_STATUS: Final = FieldName("current_status")
_OF_ONE: Final = frozenset({_FOUND, _STATUS})
# Catalog, ca.marriage_record.certificate_no; before 2004 it was free text, which has no such form.
_CERTIFICATE: Final = re.compile(r"B?[JL][0-9]{6}-[0-9]{4}-[0-9]{6}")
_SIDES: Final = (("man", "woman"), ("woman", "man"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One registration from the side of whoever is asked about."""

    day: date
    number: str = field(repr=False)
    """Of its certificate, in one spelling, also where `raw` cannot carry it; empty without one."""
    raw: RawRecord = field(repr=False)


async def ask_marriage(live: LiveCheck, query: Query) -> RawRecord | None:
    """Ask what is registered of a person, and whether he and the claimed one are a couple.

    Two services are asked only where the granted fields need both.
    """
    asked, granted = require_asked(query), {grant.field for grant in query.grants}
    pair = _pair_of(asked, read_claimed(query.claims, "spouse"))
    raw: RawRecord = {}
    # Also where no couple can be asked about: that he stands here at all has to be told truly.
    if isinstance(pair, Finding) or granted & _OF_ONE:
        raw = read_one(asked, await _ask(live, query, "marriage_one", (asked,)))
    if isinstance(pair, Finding):
        # An ERROR of the claim is told beside what is held; alone it would state a registration.
        return {**raw, _COUPLE: pair} if raw else None
    if _COUPLE in granted:
        raw = {**raw, **read_both(*pair, await _ask(live, query, "marriage_both", pair))}
    return raw or None


def _pair_of(asked: Asked, spouse: Asked | Finding) -> tuple[Asked, Asked] | Finding:
    """Return man and woman, or what is found where there are not two such people."""
    if isinstance(spouse, Finding):
        return spouse
    if asked.is_man == spouse.is_man:
        # The register takes a man and a woman; a number of old may say the wrong sex.
        return Finding.INDETERMINATE
    return (asked, spouse) if asked.is_man else (spouse, asked)


async def _ask(live: LiveCheck, query: Query, service: str, people: tuple[Asked, ...]) -> JsonRow:
    question = context_of(query)
    for side, person in zip(("man", "woman"), people, strict=False):
        question |= {f"name_{side}": person.name, f"cert_num_{side}": person.identifier}
    return await live.fetch_result(service, question, query.deadline)


def read_one(asked: Asked, result: JsonRow) -> RawRecord:
    """Return what is registered of one person, nothing where no registration matches.

    Raises:
        AnswerMalformed: Another form than the interface says, or a code it does not list.
        DepartmentFailed: SUBJECT_MISMATCH for another person's registration.
    """
    if _is_no_match(result):
        return {}
    require_own(asked, result, "cert_num_man", "name_man")
    _require_operation(result)
    status = look_up(MARITAL, require_value(result, "marry_status"), "marry_status")
    return {_FOUND: Finding.YES, _STATUS: status}


def read_both(man: Asked, woman: Asked, result: JsonRow) -> RawRecord:
    """Return whether two people are a couple, nothing where no registration matches them.

    Raises:
        AnswerMalformed: Another form than the interface says, or a code it does not list.
        DepartmentFailed: SUBJECT_MISMATCH for another pair's registration.
    """
    if _is_no_match(result):
        return {}
    require_own(man, result, "cert_num_man", "name_man")
    require_own(woman, result, "cert_num_woman", "name_woman")
    state = require_value(result, "reg_state")
    return {_COUPLE: find_couple(_require_operation(result), state)}


def _is_no_match(result: JsonRow) -> bool:
    if require_value(result, "op_type_desc") != NO_MATCH:
        return False
    # "Nothing matches" beside a value would be two answers in one.
    if any(value != "" for member, value in result.items() if member != "op_type_desc"):
        raise AnswerMalformed("no match, and yet values")
    return True


def _require_operation(row: JsonRow) -> str:
    operation = require_value(row, "op_type")
    look_up(OPERATIONS, operation, "op_type")
    parse_day(require_value(row, "op_date"))
    return operation


async def ask_registrations(live: LiveCheck, query: Query) -> RawRecord | None:
    """Ask for the registrations of a person: the last, or none but the one that is claimed."""
    asked = require_asked(query)
    question = {
        "name_man": asked.name,
        "cert_num_man": asked.identifier,
        **context_of(query),
    }
    rows = await live.fetch_rows("marriage_record", question, query.deadline)
    return read_registrations(asked, rows, query.claims.get("certificate_no"))


def read_registrations(
    asked: Asked, rows: Sequence[JsonRow], claimed: str | None
) -> RawRecord | None:
    """Return one registration as the asked one has it; None where none is, or not the claimed one.

    What is told of another registration than the claimed one would be taken for an answer about it.

    Raises:
        AnswerMalformed: Another form than the interface says, or a code it does not list.
        DepartmentFailed: SUBJECT_MISMATCH when any line is of two others.
    """
    # All of them, not the chosen one: one stranger's line shows that the answer mixes people.
    read = [_read_line(asked, row) for row in rows]
    if claimed is not None:
        wanted = _spell_number(claimed)
        read = [line for line in read if line.number == wanted != ""]
    if not read:
        return None
    # Lines of one day stand in the order of their numbers: the later one counts.
    _, last = max(enumerate(read), key=lambda pair: (pair[1].day, pair[0]))
    return last.raw


def _spell_number(text: str) -> str:
    """Return a certificate's number in the one spelling both sides are compared in."""
    # What has no form of today's is a number all the same: registers before 2004 wrote free text.
    return examine_marriage_number(text).value or fold_width(text).upper()


def _read_line(asked: Asked, row: JsonRow) -> _Line:
    own, other = _find_sides(asked, row)
    require_own(asked, row, f"cert_num_{own}", f"name_{own}")
    operation, day = _require_operation(row), require_value(row, "op_date")
    number, spouse = _spell_number(text_of(row, "cert_no")), text_of(row, f"name_{other}")
    line = {
        "certificate_no": number if _CERTIFICATE.fullmatch(number) else None,
        "op_type": OPERATIONS[operation],
        "op_date": encode_day(day),
        "spouse_name": spouse or None,
        "spouse_id": parse_resident_id(require_value(row, f"cert_num_{other}")),
        "office_code": text_of(row, "dept_code") or None,
    }
    return _Line(day=parse_day(day), number=number, raw=held(line))


def _find_sides(asked: Asked, row: JsonRow) -> tuple[str, str]:
    """Return which side of a line is the asked one's, and the other."""
    for own, other in _SIDES:
        try:
            require_subject(asked.subject, require_value(row, f"cert_num_{own}"))
        except DepartmentFailed:
            continue
        return own, other
    raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH)
