"""Which drafts of a batch may be written: their claims are free and their charges within limits.

Knows nothing of entries or trees. Runs inside the transaction that writes what it admits, so two
drafts cannot both take a key, in one batch or in two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.access_log.errors import AccessLogError, ChargeRefused, ClaimTaken, EntryMalformed
from gateway.model import Charge, Claim, EntryDraft

MAX_TERMS = 16
"""Claims and charges of one draft, each: what one statement can ask for stays bounded."""

ClaimKey = tuple[str, bytes]
CounterKey = tuple[bytes, str]


class Holdings(Protocol):
    """Where claims and counters stand, read for a whole batch at once."""

    def claimed(self, keys: Sequence[ClaimKey], now_ms: int) -> dict[ClaimKey, bytes]:
        """Return the values of those keys that are claimed at this time."""
        ...

    def used(self, keys: Sequence[CounterKey]) -> dict[CounterKey, int]:
        """Return what each counter holds."""
        ...


@dataclass(slots=True, kw_only=True)
class Admission:
    """What admitting a batch takes and adds, to be stored in the same transaction."""

    refused: dict[int, AccessLogError] = field(default_factory=dict)
    """By position in the batch; every other draft is admitted."""
    claims: list[Claim] = field(default_factory=list)
    added: dict[CounterKey, int] = field(default_factory=dict)


def admit(drafts: Sequence[EntryDraft], holdings: Holdings, now_ms: int) -> Admission:
    """Take what each draft claims and charges, all of it or nothing, in the order of the batch."""
    admission = Admission()
    claimed = holdings.claimed(_claim_keys(drafts), now_ms)
    used = holdings.used(_counter_keys(drafts))
    for position, draft in enumerate(drafts):
        if not draft.claims and not draft.charges:
            continue
        try:
            taken = _require_free(draft.claims, claimed)
            charged = _require_within(draft.charges, used)
        except (ClaimTaken, ChargeRefused) as refused:
            admission.refused[position] = refused
            continue
        claimed.update(taken)
        used.update(charged)
        admission.claims += draft.claims
        for charge in draft.charges:
            key = (charge.counter, charge.period)
            admission.added[key] = admission.added.get(key, 0) + charge.cost
    return admission


def _claim_keys(drafts: Iterable[EntryDraft]) -> list[ClaimKey]:
    return list({(claim.space, claim.key) for draft in drafts for claim in draft.claims})


def _counter_keys(drafts: Iterable[EntryDraft]) -> list[CounterKey]:
    return list({(each.counter, each.period) for draft in drafts for each in draft.charges})


def _require_free(
    claims: Iterable[Claim], claimed: Mapping[ClaimKey, bytes]
) -> dict[ClaimKey, bytes]:
    taken: dict[ClaimKey, bytes] = {}
    for claim in claims:
        key = (claim.space, claim.key)
        existing = taken.get(key, claimed.get(key))
        if existing is not None:
            raise ClaimTaken(space=claim.space, existing=existing)
        taken[key] = claim.value
    return taken


def _require_within(
    charges: Iterable[Charge], used: Mapping[CounterKey, int]
) -> dict[CounterKey, int]:
    charged: dict[CounterKey, int] = {}
    for charge in charges:
        key = (charge.counter, charge.period)
        before = charged.get(key, used[key])
        if before + charge.cost > charge.limit:
            raise ChargeRefused(counter=charge.counter, period=charge.period, used=before)
        charged[key] = before + charge.cost
    return charged


def require_terms(draft: EntryDraft) -> None:
    """Refuse a draft that would lower a counter or asks for too much at once.

    Raises:
        EntryMalformed: a cost is negative, or there are more than 16 claims or charges.
    """
    if len(draft.claims) > MAX_TERMS or len(draft.charges) > MAX_TERMS:
        raise EntryMalformed("more claims or charges than one draft may have")
    if any(charge.cost < 0 for charge in draft.charges):
        raise EntryMalformed("a charge has a negative cost")
