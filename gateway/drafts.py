"""What each step writes to the access log: values in, drafts out. The spelling is the log's.

INVARIANT: subject, officer, case and rules reach a draft as `Committed` only; names of fields and
codes of effects stand in clear, values and findings nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.port import Effect
from certs.quick import quickly_made
from gateway.errors import Reason
from gateway.model import (
    Charge,
    Claim,
    Committed,
    EntryDraft,
    EntryKind,
    EntryValue,
    SearchColumns,
)
from gateway.progress import Origin, Progress
from gateway.statement.answer import FieldAnswer, FieldOutcome
from gateway.statement.values import DatasetQuery, Purpose

REQUEST_MEMBER: Final = "request"
WITHHELD: Final = "WITHHELD"
"""State of an `answer` that closes an ask of which nothing could be told: the requester is refused,
under an entry of its own."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Keyed tokens under which an entry is found; 16 bytes each, never the thing itself."""

    subject: bytes = field(repr=False)
    case: bytes = field(repr=False)
    officer: bytes | None = field(repr=False)
    relation: bytes = field(repr=False)
    """No token but codes: how officer and subject may be related. Committed to, never searched."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What step 7 writes down about one query."""

    item: int
    query: DatasetQuery
    purpose: Purpose
    basis: int
    effects: Sequence[tuple[str, Effect]]
    rules: Sequence[str]
    policy_digest: bytes
    tokens: Tokens


def ask_draft(
    progress: Progress, asked: Asked, claims: tuple[Claim, ...], charges: tuple[Charge, ...]
) -> EntryDraft:
    """Return the entry that must be durable before a department is asked."""
    members = _request_members(progress) | _query_members(asked)
    members |= {
        "granted": tuple([(name, effect.code) for name, effect in asked.effects]),
        "policy": asked.policy_digest.hex(),
        "basis": asked.basis,
        "charge": sum(charge.cost for charge in charges),
    }
    rules = Committed(member="rules", value="\n".join(asked.rules).encode())
    return EntryDraft(
        kind=EntryKind.ASK,
        members=members,
        committed=(*_request_commitment(progress), *_committed_tokens(asked.tokens), rules),
        search=_search(progress, asked.item, asked.tokens),
        claims=claims,
        charges=charges,
    )


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What step 11 writes down: codes and counts, never a value."""

    item: int
    ask_index: int
    state: str
    reason: str | None
    fields: Sequence[FieldAnswer]
    elapsed_ms: int


def answer_draft(
    progress: Progress, answered: Answered, commitment: Committed | None, tokens: Tokens
) -> EntryDraft:
    """Return the entry that must be durable before an answer leaves."""
    members: dict[str, EntryValue] = {
        "tx": _request_id(progress).hex(),
        "item": answered.item,
        "ask": answered.ask_index,
        "state": answered.state,
        "ms": answered.elapsed_ms,
    }
    if answered.reason is not None:
        members["reason"] = answered.reason
    # Counts only: which field came back empty would tell something of the person.
    members |= {
        name: sum(each.outcome is outcome for each in answered.fields)
        for name, outcome in _COUNTED.items()
    }
    relation = Committed(member="relation", value=tokens.relation)
    own = (relation,) if commitment is None else (commitment, relation)
    return EntryDraft(
        kind=EntryKind.ANSWER,
        members=members,
        committed=(*_request_commitment(progress), *own),
        search=_search(progress, answered.item, tokens),
    )


def refuse_draft(
    progress: Progress, item: int, reason: Reason, claims: tuple[Claim, ...]
) -> EntryDraft:
    """Return the entry of a refusal from step 2 on."""
    members: dict[str, EntryValue] = {"reason": reason.value, "item": item}
    members |= _request_members(progress)
    return EntryDraft(
        kind=EntryKind.REFUSE,
        members=members,
        committed=_request_commitment(progress),
        search=_search(progress, item, None),
        claims=claims,
    )


def rolled_up_draft(peer: str, reason: Reason, count: int, window_ms: int) -> EntryDraft:
    """Return the one entry for many refusals of a peer: a stranger must not fill the disk."""
    return EntryDraft(
        kind=EntryKind.REFUSE,
        members={"reason": reason.value, "count": count, "window_ms": window_ms, "peer": peer},
    )


def view_draft(
    progress: Progress, what: str, query: bytes, charges: tuple[Charge, ...] = ()
) -> EntryDraft:
    """Return the entry of a look that asks no department: receipts, agreements, explanations."""
    members = {
        name: value
        for name, value in _request_members(progress).items()
        if name in {"tx", "org", "system"}
    }
    looked = Committed(member="query", value=query)
    return EntryDraft(
        kind=EntryKind.VIEW,
        members=members | {"what": what},
        committed=(*_request_commitment(progress), looked),
        search=_search(progress, 0, None),
        claims=progress.claims(0),
        charges=charges,
    )


_COUNTED: Final = {
    "values": FieldOutcome.VALUE,
    "findings": FieldOutcome.FINDING,
    "withheld": FieldOutcome.WITHHELD,
    "absent": FieldOutcome.ABSENT,
    "indeterminate": FieldOutcome.INDETERMINATE,
}


def _request_members(progress: Progress) -> dict[str, EntryValue]:
    members: dict[str, EntryValue] = {"method": progress.call.method.rpartition("/")[2]}
    if progress.system is not None:
        members |= {"org": progress.system.organisation.uscc, "system": progress.system.system_id}
    if progress.call.peer.leaf_thumbprint is not None:
        members["cert"] = progress.call.peer.leaf_thumbprint.hex()
    if progress.call.origin is not Origin.SIGNED:
        members["origin_auth"] = progress.call.origin.value
    if progress.keyid:
        members["key"] = progress.keyid
    if progress.header is not None:
        members["tx"] = progress.header.request_id.hex()
        if progress.header.retries is not None:
            members["retries"] = progress.header.retries.hex()
    return members


def _query_members(asked: Asked) -> dict[str, EntryValue]:
    return {
        "item": asked.item,
        "matter": asked.purpose.matter,
        "agreement": asked.query.agreement,
        "dataset": asked.query.dataset,
        "fields": tuple(map(str, asked.query.fields)),
    }


def _request_commitment(progress: Progress) -> tuple[Committed, ...]:
    """Commit to the request with the salt its sender chose.

    So that the sender can prove it later.
    """
    if progress.header is None:
        return ()
    return (
        Committed(
            member=REQUEST_MEMBER,
            value=progress.payload,
            salt=progress.header.commitment_salt,
            detached=True,
        ),
    )


def _committed_tokens(tokens: Tokens) -> tuple[Committed, ...]:
    pairs = (("subject", tokens.subject), ("case", tokens.case), ("officer", tokens.officer))
    return tuple(Committed(member=name, value=value) for name, value in pairs if value is not None)


def _search(progress: Progress, item: int, tokens: Tokens | None) -> SearchColumns:
    return SearchColumns(
        request_id=None if progress.header is None else progress.header.request_id,
        item=item,
        org=None if progress.system is None else progress.system.organisation.uscc,
        system=None if progress.system is None else progress.system.system_id,
        subject=None if tokens is None else tokens.subject,
        officer=None if tokens is None else tokens.officer,
        case=None if tokens is None else tokens.case,
    )


def _request_id(progress: Progress) -> bytes:
    if progress.header is None:
        raise AssertionError  # step 3 has passed before anything is asked or answered
    return progress.header.request_id
