"""How far one call has come: what its exit needs to log, sign and count, whatever stops it.

One `Progress` per call. Mutable on purpose: each step notes what it has proven, so that the exit
sees exactly that and nothing is guessed.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from certs.identity import RegisteredSystem
from certs.quick import quickly_made
from gateway.model import Claim
from gateway.replay import First, durable_claim
from gateway.statement.values import Header

LEEWAY_MS = 30_000
"""How far clocks may disagree, everywhere (decisions.md, JWT)."""


class Origin(StrEnum):
    """What proves who a request is from."""

    SIGNED = "signed"
    """Its sender's own signature over all of it."""
    HMAC_WITHOUT_BODY = "hmac_without_body"
    """A shared key's over id and time, and the channel; `gateway.legacy` signed what it read."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of the channel."""

    leaf_thumbprint: bytes | None
    """SHA-256 of the TLS leaf certificate; None when it presented none."""
    address: str = field(repr=False)
    """Address without port; for limits only, never logged."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One message of one call, as received."""

    method: str
    payload_type: str
    body: bytes = field(repr=False)
    peer: Peer
    deadline: float
    """`time.monotonic()` after which the caller no longer waits."""
    origin: Origin = Origin.SIGNED
    remembered_ms: int = LEEWAY_MS
    """How long after its expiry a request's id is remembered."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is proven so far about one call."""

    call: Call
    started: float
    """`time.monotonic()` at step 0."""
    now_ms: int = 0
    """UTC, read once in step 1."""
    system: RegisteredSystem | None = None
    counted_in: bool = False
    """Whether the call counts among those of its system under way."""
    keyid: str = ""
    request_digest: bytes = b""
    """SHA-256 of the verified payload; empty before step 2 has passed."""
    payload: bytes = field(default=b"", repr=False)
    header: Header | None = None
    first: First | None = None
    durable: bool = False
    """Whether an entry holding the request's claim is durable."""
    claimed: set[int] = field(default_factory=set)
    """Items whose claim is durable: a second entry of theirs claims nothing."""
    known: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Per item decided, the keyed digest of what its query claims to know of the subject."""

    def claims(self, item: int) -> tuple[Claim, ...]:
        """Return what makes the request id durable together with an entry of this item."""
        if self.first is None or self.header is None or item in self.claimed:
            return ()
        until_ms = self.header.expires_at_ms + self.call.remembered_ms
        value = self.request_digest + self.known.get(item, b"")
        return (durable_claim(self.first.key, item, value, until_ms),)

    def note_durable(self, item: int) -> None:
        """Note that an entry of this item is durable, and its claim with it."""
        self.durable = True
        self.claimed.add(item)
