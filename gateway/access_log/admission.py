"""Which drafts of a batch may be written: their claims are free, their charges within limits.

And an answer closes an ask that is open: nobody can be told two things by the log.
Knows nothing of entries or trees. Runs inside the transaction that writes what it admits, so two
drafts cannot both take a key, in one batch or in two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.access_log.errors import (
    AccessLogError,
    AskAnswered,
    ChargeRefused,
    ClaimTaken,
    EntryMalformed,
)
from gateway.access_log.rows import ChargeRow, ClaimRow, EntryRow
from gateway.model import EntryDraft

MAX_TERMS = 16
"""Claims and charges of one draft, each: what one statement can ask for stays bounded."""

MAX_EXPIRY_MS = 2**53 - 1
"""The latest time there is: the largest number an entry may hold."""

ClaimKey = tuple[str, bytes]
CounterKey = tuple[bytes, str]


class Holdings(Protocol):
    """Where claims and counters stand."""

    def claimed(self, space: str, key: bytes, now_ms: int) -> bytes | None:
        """Return the value a key is claimed with at this time."""
        ...

    def read_counters(self, keys: Sequence[CounterKey]) -> None:
        """Read the counters that a batch charges, at once."""
        ...

    def used(self, key: CounterKey) -> int:
        """Return what one of them holds."""
        ...

    def is_open(self, ask: int) -> bool:
        """Say whether there is such an ask, without an answer."""
        ...


@dataclass(slots=True, kw_only=True)
class Admission:
    """What admitting a batch takes and charges, to be stored in the same transaction."""

    refused: dict[int, AccessLogError] = field(default_factory=dict)
    """By position in the batch; every other draft is admitted."""
    claims: list[ClaimRow] = field(default_factory=list)
    charged: dict[CounterKey, int] = field(default_factory=dict)
    """What the counters come to."""


def admit(rows: Sequence[EntryRow], holdings: Holdings, now_ms: int) -> Admission:
    """Take what each entry claims and charges, all of it or nothing, in the order of the batch."""
    admission = Admission()
    taken: dict[ClaimKey, bytes] = {}
    counters = [(charge[0], charge[1]) for row in rows for charge in row[13]]
    holdings.read_counters(counters)
    used = {key: holdings.used(key) for key in counters}
    answered: set[int] = set()
    for position, row in enumerate(rows):
        ask, claims, charges = row[11:]
        if ask is not None:
            if ask in answered or not holdings.is_open(ask):
                admission.refused[position] = AskAnswered(ask=ask)
                continue
            answered.add(ask)
        if not claims and not charges:
            continue
        try:
            claimed = _require_free(claims, taken, holdings, now_ms)
            charged = _require_within(charges, used)
        except (ClaimTaken, ChargeRefused) as refused:
            admission.refused[position] = refused
            continue
        taken.update(claimed)
        used.update(charged)
        admission.claims += claims
        admission.charged.update(charged)
    return admission


def _require_free(
    claims: Iterable[ClaimRow], taken: Mapping[ClaimKey, bytes], holdings: Holdings, now_ms: int
) -> dict[ClaimKey, bytes]:
    claimed: dict[ClaimKey, bytes] = {}
    for space, name, value, _ in claims:
        key = (space, name)
        existing = claimed.get(key, taken.get(key))
        if existing is None:
            existing = holdings.claimed(space, name, now_ms)
        if existing is not None:
            raise ClaimTaken(space=space, existing=existing)
        claimed[key] = value
    return claimed


def _require_within(
    charges: Iterable[ChargeRow], used: Mapping[CounterKey, int]
) -> dict[CounterKey, int]:
    charged: dict[CounterKey, int] = {}
    for counter, period, cost, limit in charges:
        key = (counter, period)
        before = charged.get(key, used[key])
        if before + cost > limit:
            raise ChargeRefused(counter=counter, period=period, used=before)
        charged[key] = before + cost
    return charged


def require_terms(draft: EntryDraft) -> None:
    """Refuse a draft that would lower a counter, claims without end, or asks for too much at once.

    Raises:
        EntryMalformed: a cost is negative, an expiry is no time, or there are more than 16 claims
            or charges.
    """
    claims, charges = draft.claims, draft.charges
    if len(claims) > MAX_TERMS or len(charges) > MAX_TERMS:
        raise EntryMalformed("more claims or charges than one draft may have")
    for claim in claims:
        if not 0 <= claim.expires_ms <= MAX_EXPIRY_MS:
            raise EntryMalformed("a claim expires at no time there is")
    for charge in charges:
        if charge.cost < 0:
            raise EntryMalformed("a charge has a negative cost")
