"""The SDK with asyncio: one method per call of the contract, each returning proven values only.

Sample:

    async with Client.open(load_identity(Path("identity"))) as client:
        answer = await client.exchange(question)

Knows no thread: one `Client` belongs to one event loop (`SyncClient` brings its own).
"""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from hutong.accesslog.v1 import accesslog_pb2
from hutong.catalog.v1 import catalog_pb2
from hutong.client import content, log_calls, requests
from hutong.client.answers import (
    Agreements,
    Answered,
    Dataset,
    Departments,
    Explained,
    InclusionProof,
    Receipt,
)
from hutong.client.channel import MAX_RECEIVED, Connection
from hutong.client.clock import Clock, system_clock
from hutong.client.errors import IdentityRefused, Refused, Unproven
from hutong.client.identity import Identity
from hutong.client.known_log import KnownLog
from hutong.client.proof import (
    ASK_KINDS,
    VIEW_KINDS,
    Proving,
    Wanted,
    parse_response,
    parse_wrapped,
    verify_answer,
)
from hutong.client.questions import MatterQuestion, Question
from hutong.client.reasons import ClientReason
from hutong.client.refusals import refusal_of_notice
from hutong.client.requests import Moment, SignedRequest
from hutong.client.sending import Interrupted, Sender
from hutong.client.stream import StreamOutcome, exchange_stream
from hutong.evidence import ProvenCheckpoint, TreeHead
from hutong.exchange.v1 import exchange_pb2

_LIST_DATASETS: Final = "/hutong.catalog.v1.CatalogService/ListDatasets"
_LIST_DEPARTMENTS: Final = "/hutong.catalog.v1.CatalogService/ListDepartments"

Build = Callable[[Moment], SignedRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long a caller waits, in seconds."""

    timeout_s: float = 20.0
    """For one call with all its resends; the gateway itself gives a department 15 s."""
    stream_patience_s: float = 30.0
    """For one answer of a stream, from the question's sending."""


class Client:
    """Asks one gateway as one system; safe for many tasks of one event loop at once."""

    __slots__ = ("_connection", "_log", "_proving", "_sender", "_settings")

    def __init__(self, identity: Identity, settings: Settings, clock: Clock) -> None:
        self._log = KnownLog()
        self._proving = Proving(identity=identity, log=self._log, now_ms=clock)
        self._connection = Connection(identity)
        self._sender = Sender(connection=self._connection, proving=self._proving)
        self._settings = settings

    @classmethod
    def open(
        cls,
        identity: Identity,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
        known_checkpoint: bytes = b"",
    ) -> "Client":
        """Open a client inside a running event loop; it connects with its first call.

        `known_checkpoint` is what `newest_checkpoint` gave before a restart.

        Raises:
            Unproven: CHECKPOINT_UNSIGNED when the checkpoint given is not of the pinned log.
        """
        client = cls(identity, settings or Settings(), clock)
        if known_checkpoint:
            proven = log_calls.prove_checkpoint(identity.log_key, known_checkpoint)
            client._log.take(proven, known_checkpoint)
        return client

    @property
    def identity(self) -> Identity:
        """Who this client is and whom it believes."""
        return self._proving.identity

    @property
    def newest_checkpoint(self) -> bytes:
        """The newest checkpoint seen, as signed note; keep it over restarts."""
        return self._log.newest_checkpoint

    async def exchange(self, question: Question, *, timeout_s: float | None = None) -> Answered:
        """Ask for one dataset of one subject.

        Raises:
            IdentityRefused: IDENTITY_NOT_CURRENT: the certificate of the channel is over.
            Refused: the gateway refused.
            Fault: no answer came back.
            Unproven: something came back that is not proven.
        """

        def build(moment: Moment) -> SignedRequest:
            return requests.build_exchange(self.identity, question, moment)

        request, message = await self._ask(build, timeout_s)
        return self._answered(request, message)

    async def get_result(
        self, pending_request_id: bytes, question: Question, *, timeout_s: float | None = None
    ) -> Answered:
        """Ask again for what a department had not finished; the whole question is judged anew.

        Raises:
            Refused, Fault, Unproven: as `exchange`.
        """

        def build(moment: Moment) -> SignedRequest:
            return requests.build_result(self.identity, question, moment, pending_request_id)

        request, message = await self._ask(build, timeout_s)
        return self._answered(request, message)

    async def exchange_matter(
        self, question: MatterQuestion, *, timeout_s: float | None = None
    ) -> tuple[Answered | Refused, ...]:
        """Ask for everything a matter needs; one outcome per query, in the order asked.

        Raises:
            Refused: the matter as a whole was refused.
            Fault: no answer came back.
            Unproven: an item is missing or not proven; then none is given.
        """

        def build(moment: Moment) -> SignedRequest:
            return requests.build_matter(self.identity, question, moment)

        request, message = await self._ask(build, timeout_s)
        response = parse_wrapped(message, exchange_pb2.ExchangeMatterResponse, MAX_RECEIVED)
        # Before any item is looked at: a shorter list must not be read as "nothing was refused".
        if len(response.items) != len(question.queries):
            raise Unproven(ClientReason.ITEMS_MISSING)
        return tuple(
            self._item(request, number, item) for number, item in enumerate(response.items)
        )

    def exchange_stream(
        self, questions: AsyncIterable[Question]
    ) -> AsyncGenerator[StreamOutcome, None]:
        """Ask many questions over one call; outcomes come in any order, one per question.

        Close the iterator (`aclose`) to stop early.

        Raises:
            IdentityRefused: IDENTITY_NOT_CURRENT.
        """
        self._require_current()
        return exchange_stream(
            self._connection, self._proving, questions, self._settings.stream_patience_s
        )

    async def explain(self, question: Question, *, timeout_s: float | None = None) -> Explained:
        """Ask what would be released and why, without asking a department.

        Raises:
            Refused, Fault, Unproven: as `exchange`.
        """

        def build(moment: Moment) -> SignedRequest:
            return requests.build_explain(self.identity, question, moment)

        request, message = await self._ask(build, timeout_s)
        wanted = Wanted(body_class=exchange_pb2.ExplainBody, kinds=VIEW_KINDS)
        proven = verify_answer(self._proving, request, parse_response(message), wanted)
        return content.build_explained(request, proven)

    async def list_datasets(self) -> tuple[Dataset, ...]:
        """List the datasets that an agreement of this system names; nothing signs this list.

        Raises:
            Fault: no answer came back.
            Unproven: RESPONSE_MALFORMED.
        """
        empty = catalog_pb2.ListDatasetsRequest().SerializeToString()
        message = await self._sender.fetch(_LIST_DATASETS, empty, self._settings.timeout_s)
        response = parse_wrapped(message, catalog_pb2.ListDatasetsResponse, MAX_RECEIVED)
        return content.build_datasets(response)

    async def list_departments(self) -> Departments:
        """Tell how the departments behind those datasets have answered lately; nothing signs it.

        Raises:
            Fault: no answer came back.
            Unproven: RESPONSE_MALFORMED, PAYLOAD_MALFORMED.
        """
        empty = catalog_pb2.ListDepartmentsRequest().SerializeToString()
        message = await self._sender.fetch(_LIST_DEPARTMENTS, empty, self._settings.timeout_s)
        response = parse_wrapped(message, catalog_pb2.ListDepartmentsResponse, MAX_RECEIVED)
        return content.build_departments(response)

    async def list_agreements(self) -> Agreements:
        """List the agreements of this system.

        Raises:
            Refused, Fault, Unproven: as `exchange`.
        """

        def build(moment: Moment) -> SignedRequest:
            return requests.build_agreements(self.identity, moment)

        request, message = await self._ask(build, None)
        wanted = Wanted(body_class=catalog_pb2.AgreementsBody, kinds=VIEW_KINDS)
        proven = verify_answer(self._proving, request, parse_response(message), wanted)
        return content.build_agreements(request, proven)

    async def get_receipt(self, request_id: bytes, item: int = 0) -> Receipt:
        """Ask for the receipt of an earlier exchange of this system.

        The receipt returned is the earlier one's; the look itself was logged as well.

        Raises:
            Refused, Fault, Unproven: as `exchange`.
        """

        def build(moment: Moment) -> SignedRequest:
            return requests.build_receipt(self.identity, moment, request_id, item)

        request, message = await self._ask(build, None)
        wanted = Wanted(body_class=accesslog_pb2.ReceiptBody, kinds=VIEW_KINDS)
        proven = verify_answer(self._proving, request, parse_response(message), wanted)
        return log_calls.earlier_receipt(self._proving, proven.body, request_id, item)

    async def get_checkpoint(self) -> ProvenCheckpoint:
        """Fetch the newest checkpoint, and the proof that it extends the newest one seen.

        Raises:
            Fault: no answer came back.
            Unproven: CHECKPOINT_UNSIGNED, CHECKPOINT_STALE, CHECKPOINT_FORKED, CONSISTENCY_INVALID.
        """
        return await log_calls.fetch_checkpoint(self._sender, self._settings.timeout_s)

    async def get_inclusion_proof(self, index: int) -> InclusionProof:
        """Fetch the proof that a leaf stands in the newest tree seen.

        Raises:
            Fault: no answer came back.
            Unproven: ENTRY_NOT_INCLUDED, or RESPONSE_MALFORMED.
        """
        return await log_calls.fetch_inclusion(self._sender, index, self._settings.timeout_s)

    async def get_consistency_proof(self, older: TreeHead) -> tuple[bytes, ...]:
        """Fetch the proof that the newest tree seen extends an older one.

        Raises:
            Fault: no answer came back.
            Unproven: CONSISTENCY_INVALID, CHECKPOINT_FORKED, or RESPONSE_MALFORMED.
        """
        timeout_s = self._settings.timeout_s
        return await log_calls.fetch_consistency(self._sender, older, timeout_s)

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        """Return this client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the connection."""
        await self.close()

    async def _ask(self, build: Build, timeout_s: float | None) -> tuple[SignedRequest, bytes]:
        """Sign, send, and ask anew once when an executed request lost its answer on the way."""
        self._require_current()
        patience_s = self._settings.timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + patience_s
        request = build(self._moment())
        try:
            return request, await self._sender.send(request, deadline)
        except Interrupted:
            # A new id, because the old one is spent; naming it spares the quota a second charge.
            again = build(self._moment(retries=request.request_id))
        try:
            return again, await self._sender.send(again, deadline)
        except Interrupted as interrupted:
            raise interrupted.refused from interrupted

    def _require_current(self) -> None:
        """Say which certificate is over, where the handshake would only say "unavailable".

        Raises:
            IdentityRefused: IDENTITY_NOT_CURRENT.
        """
        tls = self.identity.tls
        now = datetime.fromtimestamp(self._proving.now_ms() / 1000, UTC)
        if not tls.not_before <= now <= tls.not_after:
            dates = f"{tls.not_before.isoformat()} - {tls.not_after.isoformat()}"
            raise IdentityRefused(ClientReason.IDENTITY_NOT_CURRENT, dates)

    def _moment(self, *, retries: bytes = b"") -> Moment:
        return Moment(now_ms=self._proving.now_ms(), known_size=self._log.size, retries=retries)

    def _answered(self, request: SignedRequest, message: bytes) -> Answered:
        wanted = Wanted(body_class=exchange_pb2.AnswerBody, kinds=ASK_KINDS)
        proven = verify_answer(self._proving, request, parse_response(message), wanted)
        return content.build_answered(self._proving, request, 0, proven)

    def _item(
        self, request: SignedRequest, number: int, item: exchange_pb2.MatterItem
    ) -> Answered | Refused:
        if item.HasField("refusal"):
            return refusal_of_notice(self._proving, request, item.refusal, number)
        if not item.HasField("answer"):
            raise Unproven(ClientReason.ITEMS_MISSING)
        wanted = Wanted(body_class=exchange_pb2.AnswerBody, kinds=ASK_KINDS, item=number)
        proven = verify_answer(self._proving, request, item.answer, wanted)
        return content.build_answered(self._proving, request, number, proven)
