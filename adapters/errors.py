"""What can go wrong between us and a department; every leaf becomes `Untold` or a withheld field.

    AdapterError
    ├── AnswerMalformed      the department answered something that is not its protocol
    ├── DepartmentFailed     it could not be told; carries the closed reason
    │   └── NotSent          it ended with us: a limit of ours, or no time left
    ├── EffectNotApplicable  an effect that cannot be applied to this type or value
    └── AdapterMisconfigured what the configuration says cannot work

INVARIANT: no message carries a value, a name, an identifier or an address.
"""

from adapters.causes import Cause
from adapters.port import Indeterminate


class AdapterError(Exception):
    """Base of everything this package raises."""


class AnswerMalformed(AdapterError):
    """The department broke its own protocol; `what` names the rule, never the value."""

    def __init__(self, what: str, cause: Cause = Cause.FORM) -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause


class DepartmentFailed(AdapterError):
    """It could not be told, and why; `code` is one of a table of ours, never a text received.

    `final` where asking again would end the same.
    """

    def __init__(
        self,
        reason: Indeterminate,
        *,
        retry_after_s: float | None = None,
        final: bool = False,
        cause: Cause | None = None,
        code: str = "",
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.final = final
        self.cause = cause
        self.code = code


class NotSent(DepartmentFailed):
    """A question that ended with us: the department heard nothing of it."""


class EffectNotApplicable(AdapterError):
    """An effect cannot be applied, so the field is withheld (decisions.md, "Where effects …")."""


class AdapterMisconfigured(AdapterError):
    """A configured value cannot work; raised when adapters are built, never per query."""
