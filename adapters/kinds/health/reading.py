"""Rows of certificates become one raw record, by the table of docs/adapters/health.md, section 5.

Knows no message form. Only certificates that stand are read further than their state.
"""

import re
from datetime import date
from typing import Final

from adapters.causes import Cause
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.health.codes import (
    SUCCESS_FINDINGS,
    Certificate,
    find_record,
    read_state,
)
from adapters.kinds.health.identity import is_name
from adapters.kinds.health.message import Answer, Asked, Row
from adapters.mapping.dates import parse_day, require_second
from adapters.mapping.members import read_member
from adapters.mapping.names import normalise_dots
from adapters.port import FieldName, Finding, Indeterminate, Query
from adapters.records import RawRecord, require_name
from adapters.surplus import note_surplus

DEATH: Final = "hc.death_certificate"
MAX_ROWS: Final = 16
"""Rows of an answer (section 2)."""
_HAS_RECORD: Final = FieldName("has_record")
_DEATH_DATE: Final = FieldName("death_date")
_DAY: Final = re.compile(r"[0-9]{8}", re.ASCII)
# Digits of a resident number that are the day of birth (GB 11643).
_BIRTH: Final = slice(6, 14)
_READ: Final = frozenset({"GMSFHM", "XM", "ZMZT", "SWRQ", "GXSJ"})


def build_asked(query: Query) -> Asked:
    """Return whom to ask about, in the department's spelling of names.

    Raises:
        DepartmentFailed: QUESTION_REJECTED without a name, or with one no message can hold.
    """
    name = normalise_dots(require_name(query))
    if not is_name(name):
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return Asked(number=query.subject.identifier, full_name=name)


def read_answer(asked: Asked, answer: Answer, today: date) -> RawRecord | None:
    """Return what the department holds, None where it knows of no certificate.

    Raises:
        DepartmentFailed: SUBJECT_MISMATCH when a row, of whatever state, is another's.
        AnswerMalformed: A row has another form than the interface says, or two stand.
    """
    if answer.success in SUCCESS_FINDINGS:
        return {_HAS_RECORD: SUCCESS_FINDINGS[answer.success]}
    # All rows before anything is read of one: a mixed answer is an incident, whatever else it is.
    for row in answer.rows:
        if (row.require("GMSFHM"), row.require("XM")) != (asked.number, asked.full_name):
            raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH, cause=Cause.OTHER_PERSON)
        note_surplus(row.names, _READ)
    if len(answer.rows) > MAX_ROWS:
        raise AnswerMalformed("more rows than anybody has certificates", Cause.RECORD_COUNT)
    if not answer.rows:
        return None
    states = [read_state(row.require("ZMZT")) for row in answer.rows]
    found = find_record(states)
    if found is not Finding.YES:
        # The day of a certificate that was taken back is nobody's day of death.
        return {_HAS_RECORD: found}
    valid = answer.rows[states.index(Certificate.VALID)]
    day = _read_day(asked, valid, today)
    return {_HAS_RECORD: found, _DEATH_DATE: day.isoformat()}


def _read_day(asked: Asked, row: Row, today: date) -> date:
    read_member("GXSJ", require_second, row.require("GXSJ"))
    text = row.require("SWRQ")
    if not _DAY.fullmatch(text):
        raise AnswerMalformed("a day of a certificate has another form", Cause.DATE_FORM)
    day = read_member("SWRQ", parse_day, text)
    if not parse_day(asked.number[_BIRTH]) <= day <= today:
        raise AnswerMalformed("day of death before birth, or to come", Cause.DATE_FORM)
    return day
