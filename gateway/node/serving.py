"""One query, from carried bytes to a signed outcome: judged, asked, signed, counted.

INVARIANT: every end of a query goes through `answer`, which counts it and writes one line without
personal data: reasons, codes, system ids, the name of the dataset.
"""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from adapters.port import (
    Indeterminate,
    NotFound,
    Outcome,
    ProviderAdapter,
    Query,
    Record,
    Untold,
)
from adapters.provider_node.reasons import TEXTS, NodeReason
from adapters.provider_node.wire import OUTCOME_TYPE, REFUSAL_TYPE
from gateway.board import NOT_FOUND, RECORD
from gateway.clock import Clock
from gateway.node.judging import Judge, NodeRefused, Received
from gateway.node.metrics import NodeMetrics
from gateway.statement.answer import AnswerHeader
from gateway.statement.node import encode_fetch_response, encode_outcome, encode_query_refusal
from gateway.statement.wrapper import MAX_MESSAGE_BYTES, encode_envelope
from signing.errors import SigningError
from signing.signer import Signer, sign_envelope

T = TypeVar("T")

RESERVED_S: Final = 0.1
"""Kept back from the department's time, to sign and send what it told.

A deadline travels as the time that is left: the way here is not counted in it.
"""
_log: Final = structlog.get_logger("node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message of a gateway, as received."""

    body: bytes = field(repr=False)
    thumbprint: bytes | None
    deadline: float
    """`time.monotonic()` after which nobody waits."""


@dataclass(slots=True)
class _Noted:
    """What the line of one query says."""

    outcome: str = ""
    reason: str = ""
    cause: str = ""
    gateway: str = ""
    dataset: str = ""


class Node:
    """Answers queries of gateways for one department."""

    def __init__(
        self,
        judge: Judge,
        adapter: ProviderAdapter,
        signer: Signer,
        clock: Clock,
        metrics: NodeMetrics,
        in_flight: int,
    ) -> None:
        self.judge = judge
        self.adapter = adapter
        self._signer = signer
        self._clock = clock
        self._metrics = metrics
        self._places = in_flight

    async def answer(self, incoming: Incoming) -> bytes | NodeReason:
        """Return the response to a query, or why there is none that names the query."""
        started, noted = time.monotonic(), _Noted()
        self._metrics.in_flight.inc()
        self._places -= 1
        try:
            ended = await _settled(self._walk(incoming, noted))
            return self._ended(ended, noted)
        finally:
            self._places += 1
            self._metrics.in_flight.dec()
            self._tell(noted, time.monotonic() - started)

    def _ended(
        self, ended: "bytes | NodeReason | BaseException", noted: _Noted
    ) -> bytes | NodeReason:
        if isinstance(ended, NodeRefused):
            noted.outcome, noted.reason, noted.cause = "refused", ended.reason, ended.cause
            return ended.reason
        if isinstance(ended, BaseException):
            # Its kind and never its text, which may hold a value.
            noted.outcome, noted.reason = "refused", NodeReason.INTERNAL
            noted.cause = type(ended).__name__
            return NodeReason.INTERNAL
        return ended

    async def _walk(self, incoming: Incoming, noted: _Noted) -> bytes | NodeReason:
        if self._places < 0:
            raise NodeRefused(NodeReason.NODE_BUSY)
        if not 0 < len(incoming.body) <= MAX_MESSAGE_BYTES:
            raise NodeRefused(NodeReason.MESSAGE_INVALID)
        received = self.judge.receive(incoming.body, incoming.thumbprint)
        noted.gateway, noted.dataset = received.gateway.system_id, received.query.dataset
        if received.query.policy_digest != self.judge.holding.bundle.digest:
            self._metrics.policy_differs.inc()
        try:
            query = self.judge.require_askable(received, incoming.deadline - RESERVED_S)
        except NodeRefused as refused:
            noted.outcome, noted.reason, noted.cause = "refused", refused.reason, refused.cause
            return self._refuse(received, refused.reason)
        outcome = await self._fetch(query, noted)
        noted.outcome = _name(outcome)
        return self._respond(received, outcome)

    async def _fetch(self, query: Query, noted: _Noted) -> Outcome:
        """Ask the department; an adapter that breaks has told nothing."""
        try:
            async with asyncio.timeout(query.deadline - time.monotonic()):
                told = await _settled(self.adapter.fetch(query))
        except TimeoutError:
            return Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
        # What it is annotated to return is not what it must return.
        if isinstance(told, Record | NotFound | Untold):
            return told
        noted.cause = type(told).__name__
        return Untold(reason=Indeterminate.PROVIDER_FAULT)

    def _respond(self, received: Received, outcome: Outcome) -> bytes:
        header = self._header(received)
        try:
            envelope = sign_envelope(self._signer, OUTCOME_TYPE, encode_outcome(header, outcome))
        except SigningError:
            # A record that fits into no envelope is none a gateway could take.
            malformed = Untold(reason=Indeterminate.PROVIDER_MALFORMED)
            envelope = sign_envelope(self._signer, OUTCOME_TYPE, encode_outcome(header, malformed))
        return encode_fetch_response(encode_envelope(envelope), refused=False)

    def _refuse(self, received: Received, reason: NodeReason) -> bytes:
        text = TEXTS[reason]
        payload = encode_query_refusal(self._header(received), reason, text.side, text.zh, text.en)
        envelope = sign_envelope(self._signer, REFUSAL_TYPE, payload)
        return encode_fetch_response(encode_envelope(envelope), refused=True)

    def _header(self, received: Received) -> AnswerHeader:
        return AnswerHeader(
            request_id=received.query.header.request_id,
            request_digest=received.digest,
            item=received.query.item,
            sender=self.judge.holding.system_id,
            receiver=received.gateway.system_id,
            issued_at_ms=self._clock.now_ms(),
        )

    def _tell(self, noted: _Noted, seconds: float) -> None:
        # A gateway that goes away cancels its query; that is an end as well.
        outcome = noted.outcome or "abandoned"
        self._metrics.fetch_total.of(outcome, noted.reason).inc()
        self._metrics.fetch_seconds.observe(seconds)
        _log.info(
            "fetched",
            outcome=outcome,
            reason=noted.reason,
            cause=noted.cause,
            gateway=noted.gateway,
            dataset=noted.dataset,
            elapsed_ms=round(seconds * 1000),
        )


async def _settled(doing: Awaitable[T]) -> T | BaseException:
    """Return what something yields, or what it raised: nothing unforeseen may leave as grpc's."""
    return (await asyncio.gather(doing, return_exceptions=True))[0]


def _name(outcome: Outcome) -> str:
    if isinstance(outcome, Untold):
        return outcome.reason
    return RECORD if isinstance(outcome, Record) else NOT_FOUND
