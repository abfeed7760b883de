"""Which question of ours a later request goes on with.

INVARIANT: a key is a digest bound to request, asker, matter, case and question, so that an answer
is given only to the system and for the question it was asked for.
INVARIANT: an outcome that nobody came for is dropped an hour after it came; memory only.
"""

import asyncio
from collections import OrderedDict
from functools import partial
from typing import Final

from adapters.kinds.tax.packages import Waiting
from adapters.kinds.tax.results import Settled
from adapters.pending import pending_key
from adapters.port import Query

KEPT_S: Final = 3600.0
"""How long an outcome waits for its asker; after it the question is put anew."""
MAX_QUESTIONS: Final = 20_000


class PendingQuestions:
    """Remembers questions that were told to come back, the oldest forgotten first."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, Waiting] = OrderedDict()
        self._timers: dict[bytes, asyncio.TimerHandle] = {}

    def find(self, query: Query) -> Waiting | None:
        """Return the question this query goes on with, if one is known."""
        if query.pending_request_id is None:
            return None
        return self._waiting.get(pending_key(query, query.pending_request_id))

    def remember(self, query: Query, waiting: Waiting) -> None:
        """Keep a question under the id of this query and of the one it goes on with."""
        # Under both: an asker who lost our last answer comes back with the id he knows.
        keys = {
            pending_key(query, each)
            for each in (query.request_id, query.pending_request_id)
            if each
        }
        for key in keys - self._waiting.keys():
            self._waiting[key] = waiting
            waiting.answer.add_done_callback(partial(self._drop_later, key, waiting))
        while len(self._waiting) > MAX_QUESTIONS:
            self._remove(next(iter(self._waiting)))

    def forget(self, waiting: Waiting) -> None:
        """Forget a question whose outcome has been given."""
        for key in [key for key, each in self._waiting.items() if each is waiting]:
            self._remove(key)

    def clear(self) -> None:
        """Forget every question."""
        for key in [*self._waiting]:
            self._remove(key)

    def _drop_later(self, key: bytes, waiting: Waiting, _: asyncio.Future[Settled]) -> None:
        # It may be forgotten already, and the key stand for the question put anew.
        if self._waiting.get(key) is waiting:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(KEPT_S, self._remove, key)

    def _remove(self, key: bytes) -> None:
        """Forget a key, and with it the hour: nothing holds the record of who has been told."""
        del self._waiting[key]
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
