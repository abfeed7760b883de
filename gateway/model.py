"""Values that the exchange and the access log share: what is to be logged, and what was.

Knows nothing of storage, transport or policy. A value given to `Committed` never stands in an entry
in clear; every `repr` here hides what may be personal data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from certs.quick import quickly_made

EntryValue = int | str | tuple[str, ...] | tuple[tuple[str, ...], ...]
"""What a member of an entry may be: a number, a code, field names, or pairs of field and effect."""


class EntryKind(StrEnum):
    """What an entry records; the last three are reserved and refused by the log for now."""

    ASK = "ask"
    ANSWER = "answer"
    REFUSE = "refuse"
    VIEW = "view"
    TICK = "tick"
    ADMIN = "admin"
    POLICY = "policy"
    KEY = "key"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A sensitive member of an entry: the leaf carries SHA-256(tag, 0, salt, value)."""

    member: str
    value: bytes = field(repr=False)
    salt: bytes | None = field(default=None, repr=False)
    """32 bytes chosen by the requester (`header.commitment_salt`); absent: the log draws them."""
    detached: bool = False
    """The parties hold value and salt (a payload, a body): the log keeps neither."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens one commitment of an entry; `value` is empty where the holder has the bytes."""

    member: str
    salt: bytes = field(repr=False)
    value: bytes = field(repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchColumns:
    """What an entry is found by; stands beside the leaf, never in it. Tokens are 16 bytes."""

    request_id: bytes | None = None
    item: int = 0
    org: str | None = None
    system: str | None = None
    subject: bytes | None = field(default=None, repr=False)
    officer: bytes | None = field(default=None, repr=False)
    case: bytes | None = field(default=None, repr=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Takes (space, key) for one draft only, durably with its entry, until it expires."""

    space: str
    key: bytes
    value: bytes = field(repr=False)
    expires_ms: int
    """UTC, milliseconds; from then on the key may be claimed anew."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Adds `cost` to a calendar counter, durably with its entry, unless that exceeds `limit`."""

    counter: bytes
    period: str
    """The calendar span the counter belongs to, e.g. `2026-11-23` or `2026-11`."""
    cost: int
    limit: int


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """An entry before it has a time and a place in the log."""

    kind: EntryKind
    members: Mapping[str, EntryValue]
    """The kind's own members in clear, without v, kind, ts, node; bytes as lower-case hex."""
    committed: tuple[Committed, ...] = ()
    search: SearchColumns = SearchColumns()
    claims: tuple[Claim, ...] = ()
    charges: tuple[Charge, ...] = ()


Salted = tuple[str, bytes, bytes]
"""Member, salt and value of an opening."""


def open_salted(salted: Iterable[Salted]) -> tuple[Opening, ...]:
    """Return openings with names to their parts."""
    return tuple(Opening(member=member, salt=salt, value=value) for member, salt, value in salted)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An entry that is durable, with everything its receipt needs."""

    index: int
    entry: bytes = field(repr=False)
    """The exact bytes of the leaf."""
    proof: tuple[bytes, ...] = field(repr=False)
    """Inclusion proof (RFC 6962 2.1.1) in the tree of `checkpoint`, sibling of the leaf first."""
    checkpoint: bytes = field(repr=False)
    """C2SP signed note of the tree that holds the entry."""
    salted: tuple[Salted, ...] = field(default=(), repr=False)
    """What `openings` are made of: most entries are logged without anybody reading them."""

    @property
    def openings(self) -> tuple[Opening, ...]:
        """What opens the commitments of the entry, as far as it was kept."""
        return open_salted(self.salted)
