"""Who we are to the population register: as a configured system, and on behalf of which officer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.errors import DepartmentFailed
from adapters.port import EndUser, Indeterminate, Query


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


def require_end_user(identity: ServiceIdentity, query: Query) -> EndUser:
    """Return the officer of a query, or who answers for system jobs.

    Raises:
        DepartmentFailed: PROVIDER_FAULT, as the department refuses a call without a person.
    """
    end_user = query.end_user or identity.system_user
    if end_user is None:
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
    return end_user
