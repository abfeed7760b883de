"""What the codes of the share platform say of who has to mend what.

Knows no message form; both the request for a secret and the service answer with these codes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.errors import DepartmentFailed
from adapters.port import Indeterminate

# docs/adapters/public_security.md 1.3.
_CAUSES: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "-1": Cause.CODE_BUSY,
        "E-101": Cause.IDENTITY_REFUSED,
        "E-102": Cause.CLOCK_APART,
        "E-103": Cause.CODE_REFUSED,
        "E-104": Cause.IDENTITY_REFUSED,
        "E-105": Cause.CODE_REFUSED,
        "E-106": Cause.IDENTITY_REFUSED,
    }
)


def platform_failure(code: str) -> DepartmentFailed:
    """Return the failure for a code of the platform; an unlisted one is not repeated."""
    cause = _CAUSES.get(code)
    return DepartmentFailed(
        Indeterminate.PROVIDER_FAULT,
        cause=cause or Cause.CODE_UNKNOWN,
        code=code if cause else "",
    )
