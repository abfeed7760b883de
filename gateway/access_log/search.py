"""Looking at entries: each look is an entry of its own, written before anything is read.

Knows nothing of who may look; that is for whoever calls `AccessLog.view`.
INVARIANT: `find_entries` takes a permit, a permit holds the logged `view` that commits to this very
query, and the commitment is opened against the stored entry: no entry, no look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from gateway.access_log.entry import parse_openings
from gateway.access_log.errors import NotLogged
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.store_sqlite import StoredEntry
from gateway.model import (
    Committed,
    EntryDraft,
    EntryKind,
    EntryValue,
    Logged,
    Opening,
    SearchColumns,
    open_salted,
)
from signing.encoding import JsonValue, commitment, encode_canonical_json

MAX_FOUND = 1_000
"""Entries of one look: a page of a review, far below what the memory of a process holds."""
MAX_TOKENS = 400
"""Tokens of one query: one per quarter, a hundred years; within SQLite's limit of parameters."""
QUERY_MEMBER = "query"
_NEWEST = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectQuery:
    """Who asked about a subject; the tokens are those of all epochs, the newest first."""

    tokens: tuple[bytes, ...] = field(repr=False)
    before: int = _NEWEST
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """What an organisation asked in a case; the tokens are those of all epochs."""

    org: str
    tokens: tuple[bytes, ...] = field(repr=False)
    before: int = _NEWEST
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestQuery:
    """The newest entries, or those below an index."""

    before: int = _NEWEST
    limit: int = 100


Query = SubjectQuery | CaseQuery | NewestQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who looks and by which command; tokens are committed to, codes stand in clear."""

    what: str
    """A code, e.g. `log.show`."""
    org: str | None = None
    system: str | None = None
    officer: bytes | None = field(default=None, repr=False)
    case: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One entry that a look showed."""

    index: int
    entry: bytes = field(repr=False)
    openings: tuple[Opening, ...] = field(repr=False)


class ViewPermit:
    """Allows one look: the logged `view` and the query it commits to."""

    __slots__ = ("_used", "logged", "query")

    def __init__(self, *, logged: Logged, query: Query) -> None:
        self.logged = logged
        self.query = query
        self._used = False

    def use(self) -> Query:
        """Return the query, once.

        Raises:
            NotLogged: it was used before.
        """
        if self._used:
            raise NotLogged("a permit allows one look: log the next one")
        self._used = True
        return self.query


def view_draft(look: Look, query: Query) -> EntryDraft:
    """Return the entry of a look; it is found by whom it looked at."""
    members: dict[str, EntryValue] = {"what": look.what}
    if look.org is not None:
        members["org"] = look.org
    if look.system is not None:
        members["system"] = look.system
    sensitive = {"officer": look.officer, "case": look.case, QUERY_MEMBER: encode_query(query)}
    subject = query.tokens[0] if isinstance(query, SubjectQuery) and query.tokens else None
    return EntryDraft(
        kind=EntryKind.VIEW,
        members=members,
        committed=tuple(
            Committed(member=name, value=value)
            for name, value in sensitive.items()
            if value is not None
        ),
        search=SearchColumns(
            org=look.org,
            system=look.system,
            officer=look.officer,
            case=look.case,
            subject=subject,
        ),
    )


def encode_query(query: Query) -> bytes:
    """Write a query as canonical JSON, tokens in hex: what a `view` commits to."""
    members: dict[str, JsonValue] = {"before": query.before, "limit": query.limit}
    if not isinstance(query, NewestQuery):
        members["tokens"] = [token.hex() for token in query.tokens]
    if isinstance(query, CaseQuery):
        members["org"] = query.org
    return encode_canonical_json(members)


def find_entries(reader: LogReader, permit: ViewPermit) -> tuple[Found, ...]:
    """Return what a permit allows to see, newest first.

    Raises:
        NotLogged: the permit was used before, or names no `view` of this query in this log.
    """
    query = permit.use()
    _require_logged(reader, permit.logged, query)
    return tuple(
        Found(
            index=stored.index,
            entry=stored.entry,
            openings=open_salted(parse_openings(stored.openings)),
        )
        for stored in _rows(reader, query)
    )


def _require_logged(reader: LogReader, logged: Logged, query: Query) -> None:
    salts = [opening.salt for opening in logged.openings if opening.member == QUERY_MEMBER]
    value = encode_query(query)
    digests = [commitment(QUERY_MEMBER, salt, value).hex() for salt in salts]
    named = [f'"query":"{digest}"'.encode() in logged.entry for digest in digests]
    stored = reader.stored(logged.index)
    if named != [True] or stored is None or stored.entry != logged.entry:
        raise NotLogged("the log holds no view of this query")


def _rows(reader: LogReader, query: Query) -> Sequence[StoredEntry]:
    limit = min(query.limit, MAX_FOUND)
    match query:
        case SubjectQuery():
            return reader.of_subject(query.tokens[:MAX_TOKENS], query.before, limit)
        case CaseQuery():
            return reader.of_case(query.org, query.tokens[:MAX_TOKENS], query.before, limit)
        case NewestQuery():
            return reader.newest(query.before, limit)
        case _:
            assert_never(query)
