"""Which drafts of a batch may be written: their claims are free and their charges within limits.

Knows nothing of entries or trees. Runs inside the transaction that writes what it admits, so two
drafts cannot both take a key, in one batch or in two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.access_log.errors import ChargeRefused, ClaimTaken, EntryMalformed
from gateway.model import Charge, Claim, EntryDraft

_ClaimKey = tuple[str, bytes]
_CounterKey = tuple[bytes, str]


class Holdings(Protocol):
    """Where claims and counters stand."""

    def claimed(self, space: str, key: bytes, now_ms: int) -> bytes | None:
        """Return the value a key is claimed with at this time."""
        ...

    def used(self, counter: bytes, period: str) -> int:
        """Return what a counter holds."""
        ...


@dataclass(slots=True)
class Admission:
    """What admitting a batch takes and adds, to be stored in the same transaction."""

    claims: dict[_ClaimKey, Claim] = field(default_factory=dict)
    charges: list[Charge] = field(default_factory=list)
    _used: dict[_CounterKey, int] = field(default_factory=dict)

    def require(self, draft: EntryDraft, holdings: Holdings, now_ms: int) -> None:
        """Take what a draft claims and charges, all of it or nothing.

        Raises:
            ClaimTaken: a key is held.
            ChargeRefused: a counter would exceed its limit.
        """
        claims = self._free_claims(draft.claims, holdings, now_ms)
        used = self._charged(draft.charges, holdings)
        self.claims.update(claims)
        self._used.update(used)
        self.charges += draft.charges

    def _free_claims(
        self, claims: Sequence[Claim], holdings: Holdings, now_ms: int
    ) -> Mapping[_ClaimKey, Claim]:
        taken: dict[_ClaimKey, Claim] = {}
        for claim in claims:
            key = (claim.space, claim.key)
            rival = taken.get(key) or self.claims.get(key)
            existing = rival.value if rival else holdings.claimed(*key, now_ms)
            if existing is not None:
                raise ClaimTaken(space=claim.space, existing=existing)
            taken[key] = claim
        return taken

    def _charged(self, charges: Sequence[Charge], holdings: Holdings) -> Mapping[_CounterKey, int]:
        used: dict[_CounterKey, int] = {}
        for charge in charges:
            key = (charge.counter, charge.period)
            before = used.get(key, self._used.get(key))
            if before is None:
                before = holdings.used(*key)
            if before + charge.cost > charge.limit:
                raise ChargeRefused(counter=charge.counter, period=charge.period, used=before)
            used[key] = before + charge.cost
        return used


def require_terms(draft: EntryDraft) -> None:
    """Refuse a draft that would lower a counter.

    Raises:
        EntryMalformed: a cost is negative.
    """
    if any(charge.cost < 0 for charge in draft.charges):
        raise EntryMalformed("a charge has a negative cost")
