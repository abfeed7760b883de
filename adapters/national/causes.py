"""Whose side each code of the national platform lies on (docs/adapters/national.md 6).

Knows no message form: a request for a secret and either generation answer with the same codes.
INVARIANT: a code is repeated only where the table has it; others are texts received.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.errors import DepartmentFailed
from adapters.port import Indeterminate

PLATFORM_CAUSES: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "-1": Cause.CODE_BUSY,
        "E-101": Cause.IDENTITY_REFUSED,
        "E-102": Cause.CLOCK_APART,
        "E-103": Cause.CODE_REFUSED,
        "E-104": Cause.IDENTITY_REFUSED,
        "E-105": Cause.CODE_REFUSED,
        "E-106": Cause.IDENTITY_REFUSED,
        "E-107": Cause.IDENTITY_REFUSED,
        "E-108": Cause.CODE_REFUSED,
        "E-109": Cause.CLOCK_APART,
        "E-110": Cause.CODE_REFUSED,
    }
)


def platform_failure(
    code: str, reason: Indeterminate = Indeterminate.PROVIDER_FAULT, *, final: bool = False
) -> DepartmentFailed:
    """Return the failure for a code of the platform; `final` as in `DepartmentFailed`."""
    cause = PLATFORM_CAUSES.get(code)
    return DepartmentFailed(
        reason,
        final=final,
        cause=cause or Cause.CODE_UNKNOWN,
        code=code if cause else "",
    )
