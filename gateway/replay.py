"""Replay and idempotency: one request id, one execution, one answer.

The claim is held in memory from step 3 and becomes durable in the transaction of the `ask` or
`refuse` entry (a `Claim` of space `request`). A twin with the same bytes waits for the first and
gets the same answer; with other bytes it is refused. Answers are kept in memory only, sealed under
a key that dies with the process, until the request has expired for everyone (decisions.md, "The
path, refined").

INVARIANT: sameness is SHA-256 of the payload, never of signature bytes: signatures have more than
one valid spelling. A durable claim holds it first, and behind it the keyed digest of what was
claimed to know (`gateway.interrupted`).
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from certs.quick import quickly_made
from gateway.errors import Reason, Refusal
from gateway.model import Claim

SPACE: Final = "request"
LOOKS: Final = 8
"""Old ids looked at per new one: more leave than come, and no call pays for many."""
DIGEST_BYTES: Final = 32
"""SHA-256."""
NONCE_BYTES: Final = 12
"""RFC 8439 2.3."""


@dataclass(slots=True, kw_only=True)
class _Standing:
    digest: bytes
    until_ms: int
    finished: asyncio.Event | None
    """None: executed before, in this process or an earlier one."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """This call executes the request."""

    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The request is being or was executed by another call."""

    key: bytes


class ReplayGuard:
    """Knows every request id that may still be accepted. One event loop, no lock."""

    __slots__ = ("_budget", "_cipher", "_kept", "_kept_bytes", "_standings")

    def __init__(self, *, kept_bytes: int) -> None:
        """Hold at most `kept_bytes` of sealed answers; beyond that the oldest are forgotten."""
        self._standings: OrderedDict[bytes, _Standing] = OrderedDict()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._cipher = ChaCha20Poly1305(ChaCha20Poly1305.generate_key())
        self._budget = kept_bytes
        self._kept_bytes = 0

    def load(self, claims: Iterable[Claim]) -> None:
        """Take over the durable claims of an earlier process."""
        # In the order of expiry, because forgetting stops at the first that is still alive.
        for claim in sorted(claims, key=lambda claim: claim.expires_ms):
            # From the right: a request id is raw bytes and may hold a `#`, an item is digits.
            key, _, _item = claim.key.rpartition(b"#")
            self._standings[key] = _Standing(
                digest=claim.value[:DIGEST_BYTES], until_ms=claim.expires_ms, finished=None
            )

    def claim(self, key: bytes, digest: bytes, until_ms: int, now_ms: int) -> First | Twin:
        """Claim a request id in memory, or learn that somebody has.

        Raises:
            Refusal: `REQUEST_ID_REUSED` when the id stands for other bytes.
        """
        self._forget_expired(now_ms)
        standing = self._standings.get(key)
        if standing is None:
            self._standings[key] = _Standing(
                digest=digest, until_ms=until_ms, finished=asyncio.Event()
            )
            return First(key=key)
        if standing.digest != digest:
            raise Refusal(Reason.REQUEST_ID_REUSED)
        return Twin(key=key)

    async def outcome_of(self, twin: Twin) -> bytes:
        """Wait for the first call and return what it was answered.

        Raises:
            Refusal: `REPLAYED` when nothing is kept.
        """
        standing = self._standings.get(twin.key)
        if standing is not None and standing.finished is not None:
            await standing.finished.wait()
        kept = self._kept.get(twin.key)
        if kept is None:
            raise Refusal(Reason.REPLAYED)
        return self._cipher.decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], twin.key)

    def keep(self, first: First, outcome: bytes) -> None:
        """Keep what the first call was answered and wake its twins."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        # The request is authenticated along: no answer can be taken out for another request.
        kept = nonce + self._cipher.encrypt(nonce, outcome, first.key)
        self._kept[first.key] = kept
        self._kept_bytes += len(kept)
        while self._kept_bytes > self._budget:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest)
        # Last: a twin that wakes up earlier would find nothing kept.
        self.spend(first)

    def spend(self, first: First) -> None:
        """Note that the request was executed; its twins find what was kept, or `REPLAYED`."""
        _finish(self._standings[first.key])

    def release(self, first: First) -> None:
        """Give the id back: nothing durable happened, the same bytes may be sent again."""
        _finish(self._standings.pop(first.key))

    def _forget_expired(self, now_ms: int) -> None:
        """Drop what has expired from the old end; stop at the first that has not.

        Lives are at most 300 s, so the order of claiming is close to the order of expiry and
        nothing stays longer than one life beyond its own. One that is still being executed goes to
        the end of the row, so that it holds up nothing behind it.
        """
        for _ in range(LOOKS):
            if not self._standings:
                return
            key, standing = next(iter(self._standings.items()))
            if standing.until_ms > now_ms:
                return
            if standing.finished is not None:
                self._standings.move_to_end(key)
                continue
            del self._standings[key]
            self._kept_bytes -= len(self._kept.pop(key, b""))


def _finish(standing: _Standing) -> None:
    if standing.finished is not None:
        standing.finished.set()
    standing.finished = None


def request_key(system: str, request_id: bytes) -> bytes:
    """Return the key of a request: the system and its request id."""
    return system.encode("ascii") + b"#" + request_id


def item_key(key: bytes, item: int) -> bytes:
    """Return the key of one item of a request."""
    return key + b"#%d" % item


def durable_claim(key: bytes, item: int, value: bytes, until_ms: int) -> Claim:
    """Return the claim that commits with an entry of this request."""
    return Claim(space=SPACE, key=item_key(key, item), value=value, expires_ms=until_ms)
