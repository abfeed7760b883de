"""Asks that a crash left without answer: closed at start, and not charged again when asked again.

An `ask` without `answer` means that a department may have been asked and nobody was answered. The
log says so (`answer` with state INTERRUPTED); a retry names the old request and its quota is waived
once.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.model import EntryDraft, EntryKind, Logged, SearchColumns
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


Asking = tuple[bytes, bytes | None, str]
"""Subject token, case token and matter of a question: counters belong to these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    agreement: str
    dataset: str
    fields: tuple[str, ...]
    subject: bytes
    case: bytes | None
    matter: str


class Interrupted:
    """Remembers what was interrupted until it is asked again."""

    __slots__ = ("_asked",)

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, bytes, str, str], _Asked] = OrderedDict()

    def note(self, ask: OpenAsk) -> None:
        """Remember one interrupted ask."""
        search, members = ask.search, json.loads(ask.entry)
        if search.system is None or search.request_id is None or search.subject is None:
            return
        # Forgetting one only means that its retry is charged like any other question.
        while len(self._asked) >= MAX_REMEMBERED:
            # The oldest goes: whoever wanted to retry it has had the most time to.
            self._asked.popitem(last=False)
        key = (search.system, search.request_id, members["agreement"], members["dataset"])
        self._asked[key] = _Asked(
            agreement=members["agreement"],
            dataset=members["dataset"],
            fields=tuple(members["fields"]),
            subject=search.subject,
            case=search.case,
            matter=members["matter"],
        )

    def waive(self, system: str, retries: bytes | None, query: DatasetQuery, now: Asking) -> bool:
        """Say, once, whether a query repeats an interrupted one in every part."""
        if retries is None:
            return False
        key = (system, retries, query.agreement, str(query.dataset))
        asked = self._asked.get(key)
        same = asked is not None and (asked.subject, asked.case, asked.matter) == now
        if asked is None or not same or asked.fields != query.fields:
            return False
        # Once: the waiver is for what the crash took, not a free question for ever.
        del self._asked[key]
        return True


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
