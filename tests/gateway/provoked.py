"""Which reasons this directory has provoked: asserted one by one here, counted at the end."""

from gateway.errors import Reason
from gateway.outcome import Outcome, Refused

PROVOKED: set[Reason] = set()


def require_refused(outcome: Outcome, reason: Reason) -> Refused:
    """Return a refusal for exactly this reason, and note that it was provoked."""
    assert isinstance(outcome, Refused), "answered, where a refusal is due"
    assert outcome.reason is reason
    PROVOKED.add(reason)
    return outcome


def note(reason: Reason | str) -> None:
    """Note a reason that a test has asserted in another form."""
    PROVOKED.add(Reason(reason))
