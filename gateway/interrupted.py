"""Asks that a crash left without answer: closed at start, and not charged again when asked again.

An `ask` without `answer` means that a department may have been asked and nobody was answered. The
log says so (`answer` with state INTERRUPTED); a retry names the old request and its quota is waived
once.

An entry holds no claimed value, so what was claimed is compared by a keyed digest: kept in memory
while the question is under way, and behind the request's digest in its durable claim.
INVARIANT: a retry is free only if it repeats agreement, dataset, fields, subject, case, matter and
everything claimed; what can no longer be compared is charged.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from certs.quick import quickly_made
from gateway.model import Claim, EntryDraft, EntryKind, Logged, SearchColumns
from gateway.replay import DIGEST_BYTES, item_key, request_key
from gateway.statement.values import DatasetQuery

INTERRUPTED: Final = "INTERRUPTED"
MAX_REMEMBERED: Final = 10_000
"""Interrupted asks remembered for waiving; a crash leaves at most the calls then in flight."""


class OpenAsk(Protocol):
    """An `ask` no `answer` names, as the log returns it."""

    @property
    def index(self) -> int:
        """Index in the log."""
        ...

    @property
    def entry(self) -> bytes:
        """The exact bytes of the leaf."""
        ...

    @property
    def search(self) -> SearchColumns:
        """What it is found by."""
        ...


class Appender(Protocol):
    """What closing one ask needs of the access log."""

    async def append(self, draft: EntryDraft) -> Logged:
        """Return once the entry is durable."""
        ...


class Log(Appender, Protocol):
    """What closing all of them needs."""

    def open_asks(self) -> Sequence[OpenAsk]:
        """Return asks without answer."""
        ...


Asking = tuple[bytes, bytes | None, str, bytes]
"""Subject token, case token and matter, which counters belong to, and the digest of what is claimed
to be known of the subject: with other claims a free retry would be one more guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    agreement: str
    dataset: str
    fields: tuple[str, ...]
    subject: bytes
    case: bytes | None
    matter: str
    known: bytes | None
    """None: it can no longer be told."""


class Interrupted:
    """Remembers what was interrupted until it is asked again."""

    __slots__ = ("_asked", "_known")

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, bytes, str, str], _Asked] = OrderedDict()
        self._known: OrderedDict[bytes, bytes] = OrderedDict()

    def load(self, claims: Iterable[Claim]) -> None:
        """Take over what questions of an earlier process claimed, expired or not."""
        for claim in sorted(claims, key=lambda claim: claim.expires_ms):
            if known := claim.value[DIGEST_BYTES:]:
                self.expect(claim.key, known)

    def expect(self, item: bytes, known: bytes) -> None:
        """Remember what a question claims, by its `item_key`, in case it is interrupted."""
        while len(self._known) >= MAX_REMEMBERED:
            # As many as cannot be under way at once have begun since: it has ended long ago.
            self._known.popitem(last=False)
        self._known[item] = known

    def note(self, ask: OpenAsk) -> None:
        """Remember one interrupted ask."""
        search, members = ask.search, json.loads(ask.entry)
        if search.system is None or search.request_id is None or search.subject is None:
            return
        # Forgetting one only means that its retry is charged like any other question.
        while len(self._asked) >= MAX_REMEMBERED:
            # The oldest goes: whoever wanted to retry it has had the most time to.
            self._asked.popitem(last=False)
        item = item_key(request_key(search.system, search.request_id), search.item)
        key = (search.system, search.request_id, members["agreement"], members["dataset"])
        self._asked[key] = _Asked(
            agreement=members["agreement"],
            dataset=members["dataset"],
            fields=tuple(members["fields"]),
            subject=search.subject,
            case=search.case,
            matter=members["matter"],
            known=self._known.pop(item, None),
        )

    def waive(self, system: str, retries: bytes | None, query: DatasetQuery, now: Asking) -> bool:
        """Say, once, whether a query repeats an interrupted one in every part."""
        if retries is None:
            return False
        key = (system, retries, query.agreement, str(query.dataset))
        asked = self._asked.get(key)
        if asked is None or asked.fields != query.fields:
            return False
        if (asked.subject, asked.case, asked.matter, asked.known) != now:
            return False
        # Once: the waiver is for what the crash took, not a free question for ever.
        del self._asked[key]
        return True


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAsk:
    """An `ask` of this process whose exchange ended without its `answer`."""

    index: int
    entry: bytes = field(repr=False)
    search: SearchColumns = field(repr=False)


async def close_open_asks(log: Log, interrupted: Interrupted) -> int:
    """Append `answer` INTERRUPTED for every open ask; return how many there were."""
    asks = log.open_asks()
    for ask in asks:
        await close_ask(log, ask, interrupted)
    return len(asks)


async def close_ask(log: Appender, ask: OpenAsk, interrupted: Interrupted) -> None:
    """Append `answer` INTERRUPTED for one ask and remember it for its retry."""
    members = json.loads(ask.entry)
    await log.append(
        EntryDraft(
            kind=EntryKind.ANSWER,
            members={
                "tx": members["tx"],
                "item": members["item"],
                "ask": ask.index,
                "state": INTERRUPTED,
                # Repeated as it stands: a verifier wants ask and answer to commit to one request.
                "request": members["request"],
                "ms": 0,
            },
            search=ask.search,
        )
    )
    interrupted.note(ask)
