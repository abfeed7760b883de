"""Which question of ours a later request goes on with.

INVARIANT: a key is a digest bound to request, asker, matter, case and question, so that an answer
is given only to the system and for the question it was asked for.
INVARIANT: an outcome that nobody came for is dropped an hour after it came; memory only.
"""

import asyncio
import hashlib
from collections import OrderedDict
from functools import partial
from typing import Final

from adapters.kinds.tax.packages import Waiting
from adapters.kinds.tax.results import Settled
from adapters.port import Query
from signing.encoding import encode_canonical_json

KEPT_S: Final = 3600.0
"""How long an outcome waits for its asker; after it the question is put anew."""
MAX_QUESTIONS: Final = 20_000


class PendingQuestions:
    """Remembers questions that were told to come back, the oldest forgotten first."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, Waiting] = OrderedDict()

    def find(self, query: Query) -> Waiting | None:
        """Return the question this query goes on with, if one is known."""
        if query.pending_request_id is None:
            return None
        return self._waiting.get(_key(query, query.pending_request_id))

    def remember(self, query: Query, waiting: Waiting) -> None:
        """Keep a question under the id of this query and of the one it goes on with."""
        # Under both: an asker who lost our last answer comes back with the id he knows.
        keys = {_key(query, each) for each in (query.request_id, query.pending_request_id) if each}
        for key in keys - self._waiting.keys():
            self._waiting[key] = waiting
            waiting.answer.add_done_callback(partial(self._drop_later, key, waiting))
        while len(self._waiting) > MAX_QUESTIONS:
            self._waiting.popitem(last=False)

    def forget(self, waiting: Waiting) -> None:
        """Forget a question whose outcome has been given."""
        for key in [key for key, each in self._waiting.items() if each is waiting]:
            del self._waiting[key]

    def clear(self) -> None:
        """Forget every question."""
        self._waiting.clear()

    def _drop_later(self, key: bytes, waiting: Waiting, _: asyncio.Future[Settled]) -> None:
        asyncio.get_running_loop().call_later(KEPT_S, self._drop, key, waiting)

    def _drop(self, key: bytes, waiting: Waiting) -> None:
        # The key may since have come to stand for the question put anew.
        if self._waiting.get(key) is waiting:
            del self._waiting[key]


def _key(query: Query, request_id: bytes) -> bytes:
    """Return the key of a question; the item is left out, for GetResult asks for one at a time."""
    subject = query.subject
    question = encode_canonical_json(
        [
            *(query.audience, query.dataset.name, query.matter, query.case_number),
            *(subject.type.value, subject.identifier, subject.full_name),
            [[name, value] for name, value in sorted(query.claims.items())],
        ]
    )
    # The request id is random and so the salt of what could otherwise be tried out.
    return hashlib.sha256(request_id + question).digest()
