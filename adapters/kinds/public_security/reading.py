"""The register's records in our spelling: operations, members, questions.

Knows no message form; what codes mean stands in `codes`. Members that are not listed are dropped:
the register sends photos, birth places and household members unasked
(docs/adapters/public_security.md 3.3).
"""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.causes import record_failure
from adapters.kinds.public_security.codes import (
    CANCEL_REASONS,
    PERSON_STATES,
    PORTRAIT_FAILURES,
    PORTRAIT_FINDINGS,
    RECORD_ABSENT,
    RECORD_FAILURES,
    RECORD_FINDINGS,
    RECORD_OK,
    RELATION,
    SEXES,
    YES_NO,
)
from adapters.kinds.public_security.identity import is_name
from adapters.kinds.public_security.package import AnsweredRecord, Members
from adapters.kinds.public_security.portrait import judge_portrait, read_band, read_portrait
from adapters.mapping.codes import code_table
from adapters.mapping.dates import encode_day
from adapters.mapping.identifiers import parse_resident_id
from adapters.mapping.members import read_member
from adapters.mapping.names import normalise_dots
from adapters.port import FieldName, Finding, Indeterminate, Query, Subject
from adapters.records import RawRecord, require_name, require_subject
from adapters.surplus import note_surplus

# Beside the fields: subject, and the time of the record, which no field takes yet.
_READ_OF_EACH: Final = frozenset({"GMSFHM", "XM", "GXSJ"})
_DIVISION: Final = re.compile(r"[1-9][0-9]{5}")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,2}")

_Reader = Callable[[str], str | None]
Judge = Callable[[Members], Finding]
Claimed = Callable[[Query], tuple[Members, Finding | None]]
"""Claims → members of the question, and what predicates find where they can be none."""
_Values = dict[FieldName, RawValue]


def _as_is(text: str) -> str:
    return text


def _matching(pattern: re.Pattern[str]) -> _Reader:
    def read(text: str) -> str | None:
        return text if pattern.fullmatch(text) else None

    return read


def _read_relative(query: Query) -> tuple[Members, Finding | None]:
    claims = query.claims
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


def _claim_nothing(_: Query) -> tuple[Members, Finding | None]:
    return {}, None


def _read_relation(text: str) -> str | None:
    return text if text in code_table("GB/T4761").entries else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the service and how its records are read."""

    name: str
    members: Mapping[str, tuple[str, _Reader]]
    """Field → member and how its text is read."""
    findings: Mapping[str, tuple[str, Mapping[str, Finding]]]
    """Predicate → member and the meaning of its codes."""
    judged: Mapping[str, Judge] = field(default_factory=dict)
    """Predicate → what several members say of it together."""
    claimed: Claimed = _claim_nothing
    """What the question says beside number and name."""
    needs_claim: bool = False
    """Whether there is nothing to ask about without a claim that can be one."""
    mandatory: frozenset[str] = frozenset()
    """Members no record of code 10 lacks."""
    mandatory_beside: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """Member and its code → members that stand beside it."""
    mandatory_of_claim: frozenset[str] = frozenset()
    """Members that tell of what the question claimed."""
    echoed: frozenset[str] = frozenset()
    """Members of the question the answer repeats, beside the number."""
    record_findings: Mapping[str, Finding] = field(default_factory=lambda: RECORD_FINDINGS)
    record_failures: Mapping[str, Indeterminate] = field(default_factory=lambda: RECORD_FAILURES)

    @property
    def predicates(self) -> tuple[str, ...]:
        """Names of the fields that are findings."""
        return *self.findings, *self.judged


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
            mandatory=frozenset({"GMSFHM_PPDDM", "XM_PPDDM"}),
            # Of another's name nothing is said; of his own, life or death always.
            mandatory_beside={("XM_PPDDM", "1"): frozenset({"SWBS"})},
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
            mandatory=frozenset({"XM", "XB", "CSRQ", "RYZT"}),
        ),
        "ps.household": Operation(
            name="GK_JZCX_HJCXXCX",
            members={
                "household_no": ("HH", _as_is),
                "head_name": ("HZXM", _as_is),
                "relation_to_head": ("YHZGX", _read_relation),
                "member_count": ("HRS", _matching(_COUNT)),
            },
            findings={"same_household": ("TH", RELATION), "kinship_ok": ("QSGX", RELATION)},
            claimed=_read_relative,
            mandatory=frozenset({"HH", "HZXM", "YHZGX", "HRS"}),
            mandatory_of_claim=frozenset({"TH", "QSGX"}),
        ),
        "ps.death_cancel": Operation(
            name="GK_JZCX_SWZXCX",
            members={
                "cancel_date": ("ZXRQ", encode_day),
                "cancel_reason": ("ZXYY", CANCEL_REASONS.get),
                "death_date": ("SWRQ", encode_day),
            },
            findings={"is_cancelled": ("ZXBS", YES_NO)},
            mandatory=frozenset({"ZXBS"}),
            mandatory_beside={("ZXBS", "1"): frozenset({"ZXRQ", "ZXYY"})},
        ),
        "ps.photo_compare": Operation(
            name="GK_GXFW_RXBD",
            members={"score_band": ("XSD", read_band)},
            findings={},
            judged={"same_person": judge_portrait},
            claimed=read_portrait,
            needs_claim=True,
            mandatory=frozenset({"BDJG"}),
            mandatory_beside={("BDJG", code): frozenset({"XSD"}) for code in ("1", "0")},
            echoed=frozenset({"XPZY"}),
            record_findings=PORTRAIT_FINDINGS,
            record_failures=PORTRAIT_FAILURES,
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
    """What predicates about a claim find when the question makes none."""

    @property
    def is_settled(self) -> bool:
        """Whether the answer stands without asking."""
        return self.unasked is not None and self.operation.needs_claim


def build_question(operation: Operation, query: Query) -> Question:
    """Return the record to ask for.

    A record of wrong form would be refused together with the records of everybody else in its
    package, so nothing leaves that the register could object to.

    Raises:
        DepartmentFailed: QUESTION_REJECTED without a name, or with one no register can hold.
    """
    name = _require_text(normalise_dots(require_name(query)))
    members = {"GMSFHM": query.subject.identifier, "XM": name}
    claimed, unasked = operation.claimed(query)
    return Question(
        operation=operation,
        subject=query.subject,
        members={**members, **claimed},
        unasked=unasked,
    )


def settle_unasked(question: Question) -> RawRecord:
    """Return what the predicates of a question find that was not asked."""
    found = question.unasked or Finding.INDETERMINATE
    return {FieldName(name): found for name in question.operation.predicates}


def read_record(question: Question, record: AnsweredRecord) -> RawRecord | None:
    """Return what the register holds, None where it knows no such person.

    Raises:
        AnswerMalformed: A member has another form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH for another person's record, UNPROVEN for another
            portrait's; TIMEOUT; UNRESOLVED; QUESTION_REJECTED; FAULT.
    """
    members, operation = record.members, question.operation
    # Before any code: "not found" has to be about this person as well.
    require_subject(question.subject, members.get("GMSFHM", ""))
    if record.code == RECORD_ABSENT:
        return None
    refused = operation.record_findings.get(record.code)
    if refused is not None:
        return {FieldName(name): refused for name in operation.predicates}
    if record.code != RECORD_OK:
        raise record_failure(operation.record_failures, record.code)
    _require_same(question, members)
    _require_whole(question, members)
    return _read_members(question, members)


def _require_same(question: Question, members: Members) -> None:
    # The number alone proves little: historic duplicates share one between two people.
    if "full_name" in question.operation.members and members.get("XM"):
        require_subject(question.subject, members["GMSFHM"], members["XM"])
    # A verdict about another portrait is about somebody, and not about whom we showed.
    if any(members.get(echo) != question.members[echo] for echo in question.operation.echoed):
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN, cause=Cause.OTHER_REQUEST)


def _require_whole(question: Question, members: Members) -> None:
    operation = question.operation
    wanted = set(operation.mandatory)
    for (member, code), beside in operation.mandatory_beside.items():
        wanted |= beside if members.get(member) == code else frozenset()
    if question.unasked is None:
        wanted |= operation.mandatory_of_claim
    # Silently emptied it would be "no value" or "cannot tell", which the register did not say.
    if not all(members.get(member) for member in wanted):
        raise AnswerMalformed("a mandatory member is empty")


def _members_of(operation: Operation) -> AbstractSet[str]:
    told = (*operation.members.values(), *operation.findings.values())
    return {*_READ_OF_EACH, *operation.mandatory, *operation.echoed, *(each for each, _ in told)}


def _read_members(question: Question, members: Members) -> RawRecord:
    operation = question.operation
    raw: _Values = {}
    for name, (member, read) in operation.members.items():
        text = members.get(member, "")
        value = read_member(member, read, text) if text else None
        if value is not None:
            raw[FieldName(name)] = value
    for name, (member, table) in operation.findings.items():
        found = table.get(members.get(member, ""), Finding.INDETERMINATE)
        raw[FieldName(name)] = found if question.unasked is None else question.unasked
    for name, judge in operation.judged.items():
        raw[FieldName(name)] = judge(members)
    note_surplus(members, _members_of(operation))
    return raw
