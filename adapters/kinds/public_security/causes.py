"""Whose side each code of the population register that tells nothing lies on.

Knows no message form: heads and records answer with codes.
INVARIANT: a code is repeated only where a table of `codes` has it; others are texts received.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.errors import DepartmentFailed
from adapters.kinds.public_security.codes import HEAD_CODES
from adapters.port import Indeterminate

# docs/adapters/public_security.md 3.2; the other heads refuse the question.
_OF_HEADS: Final[Mapping[str, Cause]] = MappingProxyType(
    {"23": Cause.IDENTITY_REFUSED, "24": Cause.CLOCK_APART, "30": Cause.CODE_BUSY}
)


def head_failure(code: str) -> DepartmentFailed:
    """Return the failure for the head code of a package."""
    reason = HEAD_CODES.get(code)
    if reason is None:
        return DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_UNKNOWN)
    return DepartmentFailed(reason, cause=_OF_HEADS.get(code, Cause.CODE_REFUSED), code=code)


def record_failure(failures: Mapping[str, Indeterminate], code: str) -> DepartmentFailed:
    """Return the failure for the code of a record, by the failures of its operation."""
    reason = failures.get(code)
    if reason is None:
        return DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_UNKNOWN)
    late = reason is Indeterminate.PROVIDER_TIMEOUT
    return DepartmentFailed(reason, cause=Cause.CODE_BUSY if late else None, code=code)
