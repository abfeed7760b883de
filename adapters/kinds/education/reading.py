"""The department's records in our spelling: which member is which field.

Knows no HTTP; what codes mean stands in `codes`. Members that are not listed here are dropped: the
department sends photos, family and addresses unasked (docs/adapters/education.md 4.4, "多返").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.education.codes import (
    CONCLUSIONS,
    DEGREE_LEVELS,
    DISCIPLINES,
    EDUCATION_LEVELS,
    EDUCATION_TYPES,
    ENROLLED,
    NOT_REVOKED,
    RECORD_STATES,
    REVOCATIONS,
    REVOKED,
    STUDENT_CODES,
    STUDENT_STATES,
    STUDY_MODES,
    VALID,
)
from adapters.mapping.dates import encode_day
from adapters.mapping.documents import optional_text, require_text
from adapters.mapping.identifiers import (
    parse_degree_number,
    parse_diploma_number,
    parse_resident_id,
)
from adapters.mapping.members import read_member
from adapters.port import FieldName, Finding, Indeterminate, Subject
from adapters.records import RawRecord, require_subject
from adapters.surplus import note_surplus
from signing.encoding import JsonValue

JsonRecord = Mapping[str, JsonValue]

_Reader = Callable[[str], str | None]
Rank = tuple[bool, int, str]
"""Valid before cancelled, high before low, late before early."""

_CODE: Final = re.compile(r"[0-9A-Z]{12}(?:[0-9A-Z]{4})?")
_LEVEL: Final = re.compile(r"[0-9]{1,2}")
_LOWEST: Final = -100
# Beside the fields: subject, code, state, and the time of the record, which no field takes yet.
_READ_OF_EACH: Final = frozenset({"zjhm", "xm", "yzm", "zt", "gxsj"})


def _as_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """How the records of one dataset are read."""

    number_member: str | None
    """Member of the certificate number; None where there is none."""
    members: Mapping[str, tuple[str, _Reader]]
    """Field → member and how its text is read."""
    find: Callable[[JsonRecord], Mapping[str, Finding]]
    """What the record itself says of the dataset's predicate."""
    predicate: str
    rank: Callable[[JsonRecord], Rank]
    """Which of several records is meant when none was named: the greatest."""
    mandatory: frozenset[str]
    """Members no record lacks, beside number and name of the person."""
    mandatory_beside: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """Member and its code → members that stand beside it."""
    contradicts: Callable[[JsonRecord], frozenset[str]] = field(
        default_factory=lambda: _contradicts_nothing
    )
    """Fields of which the record says two things, so neither is told."""


def _look_up(table: Mapping[str, Finding], record: JsonRecord, member: str) -> Finding:
    return table.get(optional_text(record, member) or "", Finding.INDETERMINATE)


def _both(first: Finding, second: Finding) -> Finding:
    # A certain NO outweighs what cannot be told; only two certain YES make a YES.
    for worst in (Finding.NO, Finding.INDETERMINATE):
        if worst in {first, second}:
            return worst
    return Finding.YES


def _find_diploma(record: JsonRecord) -> Mapping[str, Finding]:
    return {"verified": _look_up(RECORD_STATES, record, "zt")}


def _find_degree(record: JsonRecord) -> Mapping[str, Finding]:
    valid = _look_up(RECORD_STATES, record, "zt")
    stands = _look_up(REVOCATIONS, record, "cxbz")
    if _contradicts(record):
        stands = Finding.INDETERMINATE
    return {"verified": _both(valid, stands)}


def _contradicts(record: JsonRecord) -> frozenset[str]:
    """Return what cannot be told: a degree not revoked that has a day of revocation."""
    dated = optional_text(record, "cxrq") is not None
    unclear = dated and optional_text(record, "cxbz") == NOT_REVOKED
    return frozenset({"revoked"}) if unclear else frozenset()


def _contradicts_nothing(_: JsonRecord) -> frozenset[str]:
    return frozenset()


def _find_enrolment(record: JsonRecord) -> Mapping[str, Finding]:
    valid = _look_up(RECORD_STATES, record, "zt")
    return {"is_enrolled": _both(valid, _look_up(STUDENT_STATES, record, "xjzt"))}


def _rank_by(level: str, day: str) -> Callable[[JsonRecord], Rank]:
    def rank(record: JsonRecord) -> Rank:
        # A smaller code is a higher level in both tables (11 doctor … 31 college, 2 doctor … 4).
        code = optional_text(record, level) or ""
        height = -int(code) if _LEVEL.fullmatch(code) else _LOWEST
        return optional_text(record, "zt") == VALID, height, optional_text(record, day) or ""

    return rank


def _rank_enrolment(record: JsonRecord) -> Rank:
    # A record that is cancelled makes nobody a student, whatever else it says.
    current = optional_text(record, "zt") == VALID and optional_text(record, "xjzt") == ENROLLED
    return current, 0, optional_text(record, "yjbyrq") or ""


KINDS: Final[Mapping[str, RecordKind]] = MappingProxyType(
    {
        "edu.diploma": RecordKind(
            number_member="zsbh",
            members={
                "person_id": ("zjhm", parse_resident_id),
                "full_name": ("xm", _as_is),
                "certificate_no": ("zsbh", parse_diploma_number),
                "institution_code": ("yxdm", _as_is),
                "institution_name": ("yxmc", _as_is),
                "major_name": ("zymc", _as_is),
                "education_level": ("ccdm", EDUCATION_LEVELS.get),
                "education_type": ("bxlx", EDUCATION_TYPES.get),
                "study_mode": ("xxxs", STUDY_MODES.get),
                "graduation_date": ("byrq", encode_day),
                "conclusion": ("bjyjl", CONCLUSIONS.get),
            },
            find=_find_diploma,
            predicate="verified",
            rank=_rank_by("ccdm", "byrq"),
            mandatory=frozenset({"zsbh", "yxdm", "yxmc", "ccdm", "byrq", "bjyjl", "zt"}),
        ),
        "edu.degree": RecordKind(
            number_member="xwzsbh",
            members={
                "certificate_no": ("xwzsbh", parse_degree_number),
                "degree_level": ("xwjb", DEGREE_LEVELS.get),
                "discipline": ("xkml", DISCIPLINES.get),
                "granting_unit": ("sydw", _as_is),
                "grant_date": ("hxwrq", encode_day),
                "revoked": ("cxbz", REVOKED.get),
            },
            find=_find_degree,
            predicate="verified",
            rank=_rank_by("xwjb", "hxwrq"),
            mandatory=frozenset({"xwzsbh", "xwjb", "sydw", "hxwrq", "cxbz", "zt"}),
            mandatory_beside={("cxbz", "1"): frozenset({"cxrq"})},
            contradicts=_contradicts,
        ),
        "edu.enrolment": RecordKind(
            number_member=None,
            members={
                "school_name": ("xxmc", _as_is),
                "student_status": ("xjzt", STUDENT_CODES.get),
                "expected_graduation": ("yjbyrq", encode_day),
            },
            find=_find_enrolment,
            predicate="is_enrolled",
            rank=_rank_enrolment,
            mandatory=frozenset({"xxmc", "xjzt", "zt"}),
        ),
    }
)


def read_verified(kind: RecordKind, subject: Subject, record: JsonRecord, number: str) -> RawRecord:
    """Return the record of a verified certificate.

    Raises:
        AnswerMalformed: A member has another type or form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH when person or certificate is another.
    """
    _require_own(subject, record)
    _require_whole(kind, record)
    if kind.number_member is not None and optional_text(record, kind.number_member) != number:
        raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH, cause=Cause.OTHER_PERSON)
    return {**_read_members(kind, record), **_named(kind.find(record))}


def read_found(
    kind: RecordKind,
    subject: Subject,
    records: Sequence[JsonRecord],
    unverified: Finding | None,
) -> RawRecord:
    """Return the one of a person's records that is meant when no certificate was named.

    `unverified` stands in for the predicate where a number would have been needed to tell.

    Raises:
        AnswerMalformed: A member has another type or form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH when any record is another person's.
    """
    # All of them, not the chosen one: one stranger's record shows that the answer mixes people.
    for record in records:
        _require_own(subject, record)
        _require_whole(kind, record)
    chosen = max(records, key=kind.rank)
    found = kind.find(chosen) if unverified is None else {kind.predicate: unverified}
    return {**_read_members(kind, chosen), **_named(found)}


def read_by_code(
    kind: RecordKind, subject: Subject, record: JsonRecord, code: str, number: str | None
) -> RawRecord:
    """Return the record a verification code opens, as far as it is the subject's.

    Raises:
        AnswerMalformed: A member has another type or form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH when it is not the record of this code.
    """
    # What tells a stranger's code from a stranger's record: only the first is the asker's matter.
    if optional_text(record, "yzm") != code:
        raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH, cause=Cause.OTHER_REQUEST)
    try:
        _require_own(subject, record)
    except DepartmentFailed:
        # The code was given out by somebody else: that, and nothing of him.
        return {FieldName(kind.predicate): Finding.NO}
    _require_whole(kind, record)
    if number is not None and optional_text(record, kind.number_member or "") != number:
        return {FieldName(kind.predicate): Finding.NO, FieldName("certificate_no"): Finding.NO}
    return {**_read_members(kind, record), **_named(kind.find(record))}


def _require_own(subject: Subject, record: JsonRecord) -> None:
    require_subject(subject, require_text(record, "zjhm"), require_text(record, "xm"))


def _require_whole(kind: RecordKind, record: JsonRecord) -> None:
    wanted = set(kind.mandatory)
    for (member, code), beside in kind.mandatory_beside.items():
        wanted |= beside if optional_text(record, member) == code else frozenset()
    # Silently emptied it would be "no value" or "cannot tell", which the department did not say.
    if any(optional_text(record, member) is None for member in wanted):
        raise AnswerMalformed("a mandatory member is empty")


def _read_members(kind: RecordKind, record: JsonRecord) -> dict[FieldName, RawValue]:
    raw: dict[FieldName, RawValue] = {}
    unclear = kind.contradicts(record)
    for name, (member, read) in kind.members.items():
        text = None if name in unclear else optional_text(record, member)
        value = None if text is None else read_member(member, read, text)
        if value is not None:
            raw[FieldName(name)] = value
    note_surplus(record, {*_READ_OF_EACH, *(member for member, _ in kind.members.values())})
    return raw


def _named(found: Mapping[str, Finding]) -> dict[FieldName, RawValue]:
    return {FieldName(name): finding for name, finding in found.items()}


def parse_number(kind: RecordKind, claimed: str) -> str | None:
    """Return a claimed certificate number in its one form, None where it can be none."""
    _, read = kind.members["certificate_no"]
    try:
        return read(claimed)
    except AnswerMalformed:
        return None


def parse_code(claimed: str) -> str | None:
    """Return a claimed verification code in its one form, None where it can be none."""
    code = claimed.upper()
    return code if _CODE.fullmatch(code) else None
