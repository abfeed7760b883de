"""Who we are to the population register: as a configured system, and on behalf of which officer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.mapping.documents import is_xml_text
from adapters.mapping.identifiers import parse_resident_id
from adapters.port import EndUser, Indeterminate, Query

MAX_NAME: Final = 60
"""Characters of a name, a person's or a unit's (docs/adapters/public_security.md 3.1)."""
_UNIT_CODE: Final = re.compile(r"[0-9A-Za-z]{1,20}", re.ASCII)
# Characters of `CXSY`.
_REASON: Final = range(4, 201)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIdentity:
    """What the department registered for us (docs/adapters/public_security.md 1.1, 3.1)."""

    sid: str
    app_key: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    ministry: tuple[str, str]
    """Code and name: `QQBWDM`, `QQBWMC`."""
    origin_system: tuple[str, str]
    """Code and name: `SJLYXTDM`, `SJLYXTMC`."""
    business_system: tuple[str, str]
    """Code and name: `QQYWXTDM`, `QQYWXTMC`."""
    matter_names: Mapping[str, str]
    """Code of a matter → its name: `QQYWLXMC`."""
    system_user: EndUser | None = None
    """The person who answers for system jobs, as the department demands a person for each call."""


def find_end_user(identity: ServiceIdentity, query: Query) -> EndUser | None:
    """Return the officer of a query, or who answers for system jobs.

    The department traces each look to a person: an officer who is not named must not hide behind
    the one who answers for system jobs.
    """
    return query.end_user if query.by_officer else query.end_user or identity.system_user


def require_end_user(identity: ServiceIdentity, query: Query) -> EndUser:
    """Return who asks, in a form the register takes.

    Raises:
        DepartmentFailed: QUESTION_REJECTED for an officer as it would be by the department;
            PROVIDER_NOT_CONNECTED where nobody is configured to answer for system jobs.
    """
    end_user = find_end_user(identity, query)
    if end_user is None and not query.by_officer:
        raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
    if end_user is None or not is_acceptable(end_user):
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return end_user


def is_acceptable(end_user: EndUser) -> bool:
    """Tell whether the register takes this person (docs/adapters/public_security.md 3.1)."""
    return (
        is_name(end_user.name)
        and is_name(end_user.unit)
        and _UNIT_CODE.fullmatch(end_user.unit_code) is not None
        and _is_resident(end_user.identifier)
        and _is_reason(end_user.call_reason)
    )


def is_name(text: str) -> bool:
    """Tell whether a name can stand in a message of the register."""
    return 1 <= len(text) <= MAX_NAME and is_xml_text(text)


def _is_resident(identifier: str) -> bool:
    try:
        # Compared, because the officer's number is sent as it is and not in our spelling.
        return parse_resident_id(identifier) == identifier
    except AnswerMalformed:
        return False


def _is_reason(text: str) -> bool:
    bare = text.strip()
    if len(bare) not in _REASON or bare.isdigit() or len(set(bare)) == 1:
        return False
    return "测试" not in bare and is_xml_text(text)
