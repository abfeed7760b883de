"""What a call ends with, as a value: the edge turns it into a status, counts it, and keeps nothing.

INVARIANT: `encode_outcome` and `parse_outcome` are inverses; what a twin of a request is given is
what the first was given, byte for byte.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from certs.quick import quickly_made
from gateway.errors import Reason


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An encoded `SignedEnvelope` over an answer; of a matter, the whole encoded response."""

    envelope: bytes = field(repr=False)
    request_id: bytes = b""
    """Empty until the walk has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal or fault; `envelope` is the encoded `SignedEnvelope` over it.

    None where allowed.
    """

    reason: Reason
    envelope: bytes | None = field(repr=False)
    retry_after_s: float | None = None
    request_id: bytes = b""
    """Empty where none could be read."""


Outcome = Answered | Refused

_ANSWERED: Final = b"A"
_REFUSED: Final = b"R"


def named(outcome: Outcome, request_id: bytes) -> Outcome:
    """Return the outcome of the request of that id."""
    if isinstance(outcome, Answered):
        return Answered(envelope=outcome.envelope, request_id=request_id)
    return replace(outcome, request_id=request_id)


def encode_outcome(outcome: Outcome) -> bytes:
    """Return an outcome as bytes to keep."""
    if isinstance(outcome, Answered):
        return _ANSWERED + outcome.envelope
    return b"%s%s\n%s" % (_REFUSED, outcome.reason.encode("ascii"), outcome.envelope or b"")


def parse_outcome(kept: bytes) -> Outcome:
    """Return the outcome kept; a kept refusal is for good, so it names no time to retry."""
    if kept[:1] == _ANSWERED:
        return Answered(envelope=kept[1:])
    name, _, envelope = kept[1:].partition(b"\n")
    return Refused(reason=Reason(name.decode("ascii")), envelope=envelope or None)
