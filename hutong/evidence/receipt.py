"""Receipts: one entry, its place in the tree, the signed head of the tree, and what is opened.

Knows the receipt file and its proof; knows no protobuf: the caller hands over the exact bytes of
request and answer. Plan of `verify_receipt`, in this order:

1. the checkpoint is signed by the log key and speaks of that log,
2. it is no older than the newest one the caller knows,
3. the entry's exact bytes stand at the index of the signed tree,
4. the entry is well-formed and speaks of the exchange the caller means,
5. the request's bytes open the request commitment,
6. the answer's bytes open the answer commitment,
7. every further opening opens a commitment of the entry.

INVARIANT: a `ProvenReceipt` is made by `verify_receipt` only, and its provenance names nothing that
was not proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hutong.evidence.checkpoint import ProvenCheckpoint, verify_checkpoint
from hutong.evidence.commitment import SALT_BYTES, Opening, verify_opening
from hutong.evidence.entry import (
    Entry,
    Exchange,
    parse_entry,
    parse_exchange,
    require_commitment,
)
from hutong.evidence.merkle import leaf_hash, verify_inclusion
from hutong.evidence.reasons import EvidenceReason, EvidenceRefused, Malformed

if TYPE_CHECKING:
    from hutong.evidence.note import LogKey

# The two members whose bytes the holder of a receipt has himself.
REQUEST: Final = "request"
ANSWER: Final = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt as it was handed over: nothing in it is proven."""

    entry: bytes
    index: int
    inclusion_proof: tuple[bytes, ...]
    checkpoint: bytes
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the holder knows of his exchange; None means he does not say."""

    request_id: bytes | None = None
    item: int | None = None
    kinds: frozenset[str] | None = None
    # Size of the newest checkpoint of this log the holder has seen before this exchange.
    known_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Exactly what was proven of a receipt; what is not named here was not."""

    checkpoint_signed: bool
    entry_included: bool
    exchange_expected: bool
    request_bound: bool
    answer_bound: bool
    opened: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenReceipt:
    """A receipt that holds, with what it says and what was proven of it."""

    checkpoint: ProvenCheckpoint
    index: int
    entry: Entry
    exchange: Exchange
    openings: tuple[Opening, ...]
    provenance: Provenance


def verify_receipt(
    receipt: Receipt,
    log_key: LogKey,
    *,
    request_payload: bytes | None = None,
    commitment_salt: bytes | None = None,
    answer_body: bytes | None = None,
    expected: Expected | None = None,
) -> ProvenReceipt:
    """Proves a receipt, and its tie to the request and answer where their exact bytes are given.

    Raises:
        Malformed: the checkpoint is none, or a salt is not 32 bytes.
        EvidenceRefused: any reason of `EvidenceReason` above "the whole log".
    """
    wanted = expected if expected is not None else Expected()
    checkpoint = verify_checkpoint(receipt.checkpoint, log_key)
    # Stops a log that shows an old state of itself; a fork of equal size needs a consistency proof.
    if checkpoint.head.size < wanted.known_size:
        raise EvidenceRefused(EvidenceReason.CHECKPOINT_STALE)
    # The bytes as carried, not as parsed: nothing of an entry is read before its place is proven.
    leaf = leaf_hash(receipt.entry)
    verify_inclusion(leaf, receipt.index, receipt.inclusion_proof, checkpoint.head)
    entry, exchange = _require_exchange(receipt.entry, wanted)
    salts = _require_salts(receipt, commitment_salt)
    bound = {REQUEST: request_payload, ANSWER: answer_body}
    for member, value in bound.items():
        if value is not None:
            _require_bound(entry, member, salts.get(member), value)
    # Openings without a value are of request and answer, whose bytes were bound just above or were
    # not given; the provenance says which.
    openings = tuple(o for o in receipt.openings if o.value is not None)
    for opening in openings:
        _require_opened(entry, opening.member, opening.salt, opening.value or b"")
    return ProvenReceipt(
        checkpoint=checkpoint,
        index=receipt.index,
        entry=entry,
        exchange=exchange,
        openings=openings,
        provenance=Provenance(
            checkpoint_signed=True,
            entry_included=True,
            # Says "expected" only where the holder named his exchange, not where he did not object.
            exchange_expected=wanted.request_id is not None,
            request_bound=request_payload is not None,
            answer_bound=answer_body is not None,
            opened=tuple(o.member for o in openings),
        ),
    )


def _require_exchange(raw: bytes, wanted: Expected) -> tuple[Entry, Exchange]:
    try:
        entry = parse_entry(raw)
        exchange = parse_exchange(entry)
    except Malformed as cause:
        # The log signed these bytes, so it is the log that is wrong, not the file.
        raise EvidenceRefused(EvidenceReason.ENTRY_MALFORMED) from cause
    # A receipt of a refusal is genuine too, and must not pass for the receipt of an answer.
    if wanted.kinds is not None and entry.kind not in wanted.kinds:
        raise EvidenceRefused(EvidenceReason.EXCHANGE_MISMATCH)
    if wanted.request_id not in {None, exchange.request_id}:
        raise EvidenceRefused(EvidenceReason.EXCHANGE_MISMATCH)
    if wanted.item not in {None, exchange.item}:
        raise EvidenceRefused(EvidenceReason.EXCHANGE_MISMATCH)
    return entry, exchange


def _require_salts(receipt: Receipt, commitment_salt: bytes | None) -> dict[str, bytes]:
    salts = {opening.member: opening.salt for opening in receipt.openings}
    if commitment_salt is None:
        return salts
    if len(commitment_salt) != SALT_BYTES:
        raise Malformed(f"salt is not {SALT_BYTES} bytes")
    # The requester's own salt rules; a receipt that states another one is not about his request.
    if salts.setdefault(REQUEST, commitment_salt) != commitment_salt:
        raise EvidenceRefused(EvidenceReason.REQUEST_MISMATCH)
    return salts


def _require_bound(entry: Entry, member: str, salt: bytes | None, value: bytes) -> None:
    if salt is None:
        raise EvidenceRefused(EvidenceReason.SALT_ABSENT)
    reasons = {REQUEST: EvidenceReason.REQUEST_MISMATCH, ANSWER: EvidenceReason.ANSWER_MISMATCH}
    committed = _require_committed(entry, member)
    try:
        verify_opening(committed, member, salt, value)
    except EvidenceRefused as cause:
        raise EvidenceRefused(reasons[member]) from cause


def _require_opened(entry: Entry, member: str, salt: bytes, value: bytes) -> None:
    verify_opening(_require_committed(entry, member), member, salt, value)


def _require_committed(entry: Entry, member: str) -> bytes:
    try:
        return require_commitment(entry, member)
    except Malformed as cause:
        raise EvidenceRefused(EvidenceReason.ENTRY_MALFORMED) from cause
