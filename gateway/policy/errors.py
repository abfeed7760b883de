"""What the policy package raises.

    PolicyError
    ├── EffectRefused       a text is no effect
    ├── ConditionRefused    an expression is no condition
    └── QuestionInvalid     a question names no field

`gateway.catalog.problems.PolicyRefused` carries these, with positions, out of the compiler.
"""

from gateway.catalog.problems import PolicyReason


class PolicyError(Exception):
    """Base of the package."""


class EffectRefused(PolicyError):
    """A text is not an effect in its one spelling."""

    def __init__(self, reason: PolicyReason, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text


class ConditionRefused(PolicyError):
    """An expression is not a condition of the subset."""

    def __init__(self, reason: PolicyReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class QuestionInvalid(PolicyError):
    """A question names no field: there is no way to say "all" (policy.md 1, AIP-157)."""
