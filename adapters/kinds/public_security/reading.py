"""The register's records in our spelling: operations, members, and what each code means.

Knows no message form. Members that are not listed are dropped: the register sends photos, birth
places and household members unasked (docs/adapters/public_security.md 3.3).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.identity import is_name
from adapters.kinds.public_security.package import AnsweredRecord, Members
from adapters.mapping.dates import encode_day
from adapters.mapping.identifiers import parse_resident_id
from adapters.mapping.members import read_member
from adapters.mapping.names import normalise_dots
from adapters.port import FieldName, Finding, Indeterminate, Query, Subject
from adapters.records import RawRecord, require_name, require_subject
from adapters.surplus import note_surplus

# What each code of the register means as a finding; an unlisted code is INDETERMINATE.
YES_NO: Final[Mapping[str, Finding]] = MappingProxyType({"1": Finding.YES, "0": Finding.NO})
RELATION: Final[Mapping[str, Finding]] = MappingProxyType(
    {"1": Finding.YES, "0": Finding.NO, "9": Finding.INDETERMINATE}
)

# What each record code means for the dataset's predicates; `10` is read, `11` is not found.
RECORD_FINDINGS: Final[Mapping[str, Finding]] = MappingProxyType({"12": Finding.ERROR})
RECORD_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        # Name and number disagree, or two people bear the number: nothing of either is provided,
        # which is neither "no value" nor "no".
        "13": Indeterminate.SUBJECT_UNRESOLVED,
        "14": Indeterminate.SUBJECT_UNRESOLVED,
        "15": Indeterminate.PROVIDER_TIMEOUT,
    }
)
_RECORD_OK, _RECORD_ABSENT = "10", "11"
# Beside the fields: subject, and the time of the record, which no field takes yet.
_READ_OF_EACH: Final = frozenset({"GMSFHM", "XM", "GXSJ"})

# What each code of the register is in the catalog; an unlisted code is no value.
PERSON_STATES: Final = MappingProxyType({"0": "正常", "1": "注销", "2": "迁出", "3": "注销"})
CANCEL_REASONS: Final = MappingProxyType({"1": "死亡", "2": "出国定居", "9": "其他"})
SEXES: Final = MappingProxyType({code: code for code in ("0", "1", "2", "9")})

_TWO_DIGITS: Final = re.compile(r"[0-9]{2}")
_DIVISION: Final = re.compile(r"[1-9][0-9]{5}")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,2}")

_Reader = Callable[[str], str | None]
_Values = dict[FieldName, RawValue]


def _as_is(text: str) -> str:
    return text


def _matching(pattern: re.Pattern[str]) -> _Reader:
    def read(text: str) -> str | None:
        return text if pattern.fullmatch(text) else None

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the service and how its records are read."""

    name: str
    members: Mapping[str, tuple[str, _Reader]]
    """Field → member and how its text is read."""
    findings: Mapping[str, tuple[str, Mapping[str, Finding]]]
    """Predicate → member and the meaning of its codes."""
    asks_relative: bool = False


OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "ps.person_verify": Operation(
            name="GK_GXFW_SFHC",
            members={},
            findings={
                "id_match": ("GMSFHM_PPDDM", YES_NO),
                "name_match": ("XM_PPDDM", YES_NO),
                "deceased": ("SWBS", YES_NO),
            },
        ),
        "ps.person_core": Operation(
            name="GK_JZCX_RKJCXXCX",
            members={
                "full_name": ("XM", _as_is),
                "sex": ("XB", SEXES.get),
                "birth_date": ("CSRQ", encode_day),
                "registered_address": ("HJDZ", _as_is),
                "registered_division": ("HJQH", _matching(_DIVISION)),
                "person_state": ("RYZT", PERSON_STATES.get),
            },
            findings={},
        ),
        "ps.household": Operation(
            name="GK_JZCX_HJCXXCX",
            members={
                "household_no": ("HH", _as_is),
                "head_name": ("HZXM", _as_is),
                "relation_to_head": ("YHZGX", _matching(_TWO_DIGITS)),
                "member_count": ("HRS", _matching(_COUNT)),
            },
            findings={"same_household": ("TH", RELATION), "kinship_ok": ("QSGX", RELATION)},
            asks_relative=True,
        ),
        "ps.death_cancel": Operation(
            name="GK_JZCX_SWZXCX",
            members={
                "cancel_date": ("ZXRQ", encode_day),
                "cancel_reason": ("ZXYY", CANCEL_REASONS.get),
                "death_date": ("SWRQ", encode_day),
            },
            findings={"is_cancelled": ("ZXBS", YES_NO)},
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One record to be asked for."""

    operation: Operation
    subject: Subject = field(repr=False)
    members: Members = field(repr=False)
    unasked: Finding | None = None
    """What predicates about a relative find when the question names none."""


def build_question(operation: Operation, query: Query) -> Question:
    """Return the record to ask for.

    A record of wrong form would be refused together with the records of everybody else in its
    package, so nothing leaves that the register could object to.

    Raises:
        DepartmentFailed: QUESTION_REJECTED without a name, or with one no register can hold.
    """
    name = _require_text(normalise_dots(require_name(query)))
    members = {"GMSFHM": query.subject.identifier, "XM": name}
    if not operation.asks_relative:
        return Question(operation=operation, subject=query.subject, members=members)
    relative, unasked = _read_relative(query.claims)
    return Question(
        operation=operation,
        subject=query.subject,
        members={**members, **relative},
        unasked=unasked,
    )


def read_record(question: Question, record: AnsweredRecord) -> RawRecord | None:
    """Return what the register holds, None where it knows no such person.

    Raises:
        AnswerMalformed: A member has another form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH for another person's record; TIMEOUT; FAULT.
    """
    members, operation = record.members, question.operation
    # Before any code: "not found" has to be about this person as well.
    require_subject(question.subject, members.get("GMSFHM", ""))
    if record.code == _RECORD_ABSENT:
        return None
    if record.code in RECORD_FINDINGS:
        return _read_refused(operation, record.code)
    if record.code != _RECORD_OK:
        raise _record_failure(record.code)
    # The number alone proves little: historic duplicates share one between two people.
    if "full_name" in operation.members and members.get("XM"):
        require_subject(question.subject, members["GMSFHM"], members["XM"])
    raw: _Values = {}
    for name, (member, read) in operation.members.items():
        text = members.get(member, "")
        value = read_member(member, read, text) if text else None
        if value is not None:
            raw[FieldName(name)] = value
    for name, (member, table) in operation.findings.items():
        found = table.get(members.get(member, ""), Finding.INDETERMINATE)
        raw[FieldName(name)] = found if question.unasked is None else question.unasked
    note_surplus(members, {*_READ_OF_EACH, *_members_of(operation)})
    return raw


def _members_of(operation: Operation) -> Iterable[str]:
    return (member for member, _ in (*operation.members.values(), *operation.findings.values()))


def _record_failure(code: str) -> DepartmentFailed:
    reason = RECORD_FAILURES.get(code)
    if reason is None:
        return DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_UNKNOWN)
    late = reason is Indeterminate.PROVIDER_TIMEOUT
    return DepartmentFailed(reason, cause=Cause.CODE_BUSY if late else None, code=code)


def _read_refused(operation: Operation, code: str) -> RawRecord:
    return {FieldName(name): RECORD_FINDINGS[code] for name in operation.findings}


def _read_relative(claims: Mapping[str, str]) -> tuple[Members, Finding | None]:
    identifier, name = claims.get("relative_id"), claims.get("relative_name")
    if identifier is None and name is None:
        return {}, Finding.NOT_APPLICABLE
    try:
        # Half a relative would be matched by number alone or by name alone.
        if identifier is None or name is None:
            return {}, Finding.ERROR
        text = _require_text(normalise_dots(name))
        return {"GXRGMSFHM": parse_resident_id(identifier), "GXRXM": text}, None
    except (AnswerMalformed, DepartmentFailed):
        # The asker's claim is none: that is his error, not the household's answer.
        return {}, Finding.ERROR


def _require_text(name: str) -> str:
    if not is_name(name):
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return name
