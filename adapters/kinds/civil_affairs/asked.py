"""Who is asked about, as civil affairs take it: number of 18 characters and a name; who is claimed.

INVARIANT: nothing the department would refuse leaves: a refusal tells only that we asked wrongly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.mapping.documents import optional_text
from adapters.mapping.identifiers import parse_resident_id
from adapters.mapping.names import normalise_dots
from adapters.port import FieldName, Finding, Indeterminate, Query, Subject, SubjectType
from adapters.records import RawRecord, require_name, require_subject
from signing.encoding import JsonValue

MAX_NAME: Final = 60
"""Characters of a name (docs/adapters/civil_affairs.md 3.3)."""
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One person in a question."""

    identifier: str = field(repr=False)
    name: str = field(repr=False)

    @property
    def is_man(self) -> bool:
        """Whether the number is a man's (GB 11643: the 17th digit is odd)."""
        return int(self.identifier[16]) % 2 == 1

    @property
    def subject(self) -> Subject:
        """The same as answers are held against."""
        return Subject(
            type=SubjectType.RESIDENT_ID, identifier=self.identifier, full_name=self.name
        )


def is_name(text: str) -> bool:
    """Tell whether a name can stand in a question."""
    return 1 <= len(text) <= MAX_NAME and _NO_TEXT.search(text) is None


def require_asked(query: Query) -> Asked:
    """Return the subject of a query.

    Raises:
        DepartmentFailed: QUESTION_REJECTED without a name, or with one no register can hold.
    """
    name = normalise_dots(require_name(query))
    if not is_name(name):
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return Asked(identifier=query.subject.identifier, name=name)


def read_claimed(claims: Mapping[str, str], relation: str) -> Asked | Finding:
    """Return who is claimed under `<relation>_id` and `<relation>_name`.

    NOT_APPLICABLE where nobody is, ERROR where half a person or one who can be none is.
    """
    identifier, name = claims.get(f"{relation}_id"), claims.get(f"{relation}_name")
    if identifier is None and name is None:
        return Finding.NOT_APPLICABLE
    # Half a person would be matched by number alone or by name alone.
    if identifier is None or name is None:
        return Finding.ERROR
    spelt = normalise_dots(name)
    try:
        number = parse_resident_id(identifier)
    except AnswerMalformed:
        return Finding.ERROR
    return Asked(identifier=number, name=spelt) if is_name(spelt) else Finding.ERROR


def context_of(query: Query) -> dict[str, str]:
    """Return the members every question has."""
    return {"item_code": query.matter, "case_no": query.case_number}


def text_of(row: Mapping[str, JsonValue], member: str) -> str:
    """Return a member, empty where the department has no value.

    Raises:
        AnswerMalformed: Of another type than text.
    """
    return optional_text(row, member) or ""


def require_value(row: Mapping[str, JsonValue], member: str) -> str:
    """Return a member that may not be empty.

    Raises:
        AnswerMalformed: Absent, empty or of another type: emptied in silence it would read as no.
    """
    value = optional_text(row, member)
    if value is None:
        raise AnswerMalformed(f"member {member} is empty")
    return value


def require_own(asked: Asked, row: Mapping[str, JsonValue], number: str, name: str) -> None:
    """Prove that number and name of a row are those that were asked about.

    Raises:
        AnswerMalformed: One of them is empty.
        DepartmentFailed: SUBJECT_MISMATCH.
    """
    require_subject(asked.subject, require_value(row, number), require_value(row, name))


def held(values: Mapping[str, RawValue | None]) -> RawRecord:
    """Return a raw record of the fields that have a value."""
    return {FieldName(name): value for name, value in values.items() if value is not None}
