"""Callers that never stop asking, and keep the receipt of every answer they were given.

Knows nothing of kills and faults. INVARIANT: what stands in `receipts` was proven by the SDK before
it got there, so the gateway has acknowledged it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from hutong.client import Client, Fault, Identity, Question, Refused, Unproven
from hutong.evidence import Receipt

CALLERS: Final = 6
CALL_S: Final = 4.0
PAUSE_S: Final = 0.2
"""At most so long a caller waits who got no answer: one that asks a dead gateway in a tight loop
takes the core the next one needs to start."""
LOOK_S: Final = 0.05


@dataclass(slots=True)
class StormLoad:
    """What the callers were given so far."""

    identity: Identity
    questions: Sequence[Question] = field(repr=False)
    receipts: list[Receipt] = field(default_factory=list, repr=False)
    faults: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    unproven: Counter[str] = field(default_factory=Counter)
    """Must stay empty: the gateway gave something that does not hold."""
    under_way: int = 0
    """Calls that wait for their answer now."""
    _asked: int = 0
    _newest_answered: int = 0
    """The newest question that got an answer, counted in the order they were asked."""
    _client: Client | None = None
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def unanswered(self) -> int:
        """How often a caller was told that it gets no answer."""
        return self.faults.total() + self.refusals.total()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Let the callers ask for the time of a `with` block.

        Raises:
            ExceptionGroup: a caller met what no caller may meet.
        """
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self._open.aclose()
        if not running.cancelled():
            running.result()

    async def reconnect(self) -> None:
        """Go on over a fresh connection that remembers what was seen of the log.

        Old ones stay open: calls under way on them end by their own deadline.
        """
        known = b"" if self._client is None else self._client.newest_checkpoint
        client = Client.open(self.identity, known_checkpoint=known)
        self._client = await self._open.enter_async_context(client)

    async def resumed(self, seconds: float) -> bool:
        """Wait until a question asked from now on is answered."""
        asked = self._asked
        return await happens(lambda: self._newest_answered > asked, seconds)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._call(random.Random(number)))  # noqa: S311  no secret

    async def _call(self, chance: random.Random) -> None:
        while True:
            if self._client is None or not await self._ask(self._client, chance):
                await asyncio.sleep(chance.uniform(0, PAUSE_S))

    async def _ask(self, client: Client, chance: random.Random) -> bool:
        """Ask once; whether an answer came that holds."""
        self._asked += 1
        number = self._asked
        self.under_way += 1
        try:
            answered = await client.exchange(chance.choice(self.questions), timeout_s=CALL_S)
        except Fault as error:
            self.faults[error.reason] += 1
        except Refused as error:
            self.refusals[error.reason] += 1
        except Unproven as error:
            self.unproven[error.reason] += 1
        else:
            self.receipts.append(answered.receipt.form)
            self._newest_answered = max(self._newest_answered, number)
            return True
        finally:
            self.under_way -= 1
        return False


async def happens(what: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until something is so, at most so long.

    Looks are counted, not the clock: on a machine that stood still, a gateway had no time either.
    """
    for _ in range(int(seconds / LOOK_S)):
        if what():
            return True
        await asyncio.sleep(LOOK_S)
    return what()
