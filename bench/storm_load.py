"""Callers that never stop asking, and keep the receipt of every answer they were given.

Knows nothing of kills and faults. INVARIANT: what stands in `receipts` was proven by the SDK before
it got there, so the gateway has acknowledged it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from hutong.client import Client, Fault, Identity, Question, Refused, Unproven
from hutong.evidence import Receipt

CALLERS: Final = 6
CALL_S: Final = 4.0
PAUSE_S: Final = 0.05


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
    _acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    _client: Client | None = None
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def reconnect(self) -> None:
        """Go on over a fresh connection that remembers what was seen of the log.

        Old ones stay open: calls under way on them end by their own deadline.
        """
        known = b"" if self._client is None else self._client.newest_checkpoint
        client = Client.open(self.identity, known_checkpoint=known)
        self._client = await self._open.enter_async_context(client)

    async def run(self) -> None:
        """Ask without end; cancel to stop."""
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._call(random.Random(number)))  # noqa: S311  no secret

    async def close(self) -> None:
        """End all connections."""
        await self._open.aclose()

    async def resumed(self, seconds: float) -> bool:
        """Wait until one more answer is acknowledged."""
        self._acknowledged.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._acknowledged.wait()
        except TimeoutError:
            return False
        return True

    async def _call(self, chance: random.Random) -> None:
        while True:
            client = self._client
            if client is None:
                await asyncio.sleep(PAUSE_S)
                continue
            question = chance.choice(self.questions)
            try:
                answered = await client.exchange(question, timeout_s=CALL_S)
            except Fault as error:
                self.faults[error.reason] += 1
                await asyncio.sleep(PAUSE_S)
            except Refused as error:
                self.refusals[error.reason] += 1
                await asyncio.sleep(PAUSE_S)
            except Unproven as error:
                self.unproven[error.reason] += 1
            else:
                self.receipts.append(answered.receipt.form)
                self._acknowledged.set()
