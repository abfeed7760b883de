"""The SDK without asyncio: the same client in an event loop of its own thread.

Sample:

    with SyncClient.open(load_identity(Path("identity"))) as client:
        answer = client.exchange(question)

INVARIANT: adds nothing to `Client` and leaves nothing out; every proof is made there.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar

from hutong.client.answers import (
    Agreements,
    Answered,
    Dataset,
    Departments,
    Explained,
    InclusionProof,
    Receipt,
)
from hutong.client.client import Client, Settings
from hutong.client.clock import Clock, system_clock
from hutong.client.errors import Refused
from hutong.client.identity import Identity
from hutong.client.questions import MatterQuestion, Question
from hutong.client.stream import StreamOutcome
from hutong.evidence import ProvenCheckpoint, TreeHead

T = TypeVar("T")


class SyncClient:
    """Asks one gateway as one system; may be used from many threads."""

    __slots__ = ("_client", "_loop", "_thread")

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self._loop = loop
        self._thread = thread
        self._client: Client

    @classmethod
    def open(
        cls,
        identity: Identity,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
        known_checkpoint: bytes = b"",
    ) -> "SyncClient":
        """Start the thread and open the client in it.

        Raises:
            Unproven: CHECKPOINT_UNSIGNED when the checkpoint given is not of the pinned log.
        """
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="hutong-client", daemon=True)
        thread.start()
        client = cls(loop, thread)

        async def opened() -> Client:
            return Client.open(identity, settings, clock=clock, known_checkpoint=known_checkpoint)

        # Whatever opening raises, the thread must not outlive it.
        with ExitStack() as unless_opened:
            unless_opened.callback(client._stop)
            client._client = client._run(opened())
            unless_opened.pop_all()
        return client

    @property
    def newest_checkpoint(self) -> bytes:
        """The newest checkpoint seen, as signed note; keep it over restarts."""
        return self._client.newest_checkpoint

    def exchange(self, question: Question, *, timeout_s: float | None = None) -> Answered:
        """Ask for one dataset of one subject; raises as `Client.exchange`."""
        return self._run(self._client.exchange(question, timeout_s=timeout_s))

    def get_result(
        self, pending_request_id: bytes, question: Question, *, timeout_s: float | None = None
    ) -> Answered:
        """Ask again for what a department had not finished; raises as `Client.get_result`."""
        asked = self._client.get_result(pending_request_id, question, timeout_s=timeout_s)
        return self._run(asked)

    def exchange_matter(
        self, question: MatterQuestion, *, timeout_s: float | None = None
    ) -> tuple[Answered | Refused, ...]:
        """Ask for everything a matter needs; raises as `Client.exchange_matter`."""
        return self._run(self._client.exchange_matter(question, timeout_s=timeout_s))

    def exchange_stream(
        self, questions: Iterable[Question]
    ) -> Generator[StreamOutcome, None, None]:
        """Ask many questions over one call; one outcome per question, in any order."""
        outcomes = self._client.exchange_stream(_asynchronous(questions))
        try:
            while (outcome := self._run(_next(outcomes))) is not None:
                yield outcome
        finally:
            self._run(_close(outcomes))

    def explain(self, question: Question, *, timeout_s: float | None = None) -> Explained:
        """Ask what would be released and why; raises as `Client.explain`."""
        return self._run(self._client.explain(question, timeout_s=timeout_s))

    def list_datasets(self) -> tuple[Dataset, ...]:
        """List the datasets that an agreement of this system names."""
        return self._run(self._client.list_datasets())

    def list_departments(self) -> Departments:
        """Tell how the departments behind those datasets have answered lately."""
        return self._run(self._client.list_departments())

    def list_agreements(self) -> Agreements:
        """List the agreements of this system."""
        return self._run(self._client.list_agreements())

    def get_receipt(self, request_id: bytes, item: int = 0) -> Receipt:
        """Ask for the receipt of an earlier exchange of this system."""
        return self._run(self._client.get_receipt(request_id, item))

    def get_checkpoint(self) -> ProvenCheckpoint:
        """Fetch the newest checkpoint, proven to extend the newest one seen."""
        return self._run(self._client.get_checkpoint())

    def get_inclusion_proof(self, index: int) -> InclusionProof:
        """Fetch the proof that a leaf stands in the newest tree seen."""
        return self._run(self._client.get_inclusion_proof(index))

    def get_consistency_proof(self, older: TreeHead) -> tuple[bytes, ...]:
        """Fetch the proof that the newest tree seen extends an older one."""
        return self._run(self._client.get_consistency_proof(older))

    def close(self) -> None:
        """End the connection and the thread."""
        if self._thread.is_alive():
            try:
                self._run(self._client.close())
            finally:
                self._stop()

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the connection and the thread."""
        self.close()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _asynchronous(questions: Iterable[Question]) -> AsyncIterator[Question]:
    for question in questions:
        yield question
        # One turn for the reader: a long list must not keep answers waiting.
        await asyncio.sleep(0)


async def _next(outcomes: AsyncGenerator[StreamOutcome, None]) -> StreamOutcome | None:
    return await anext(outcomes, None)


async def _close(outcomes: AsyncGenerator[StreamOutcome, None]) -> None:
    await outcomes.aclose()
