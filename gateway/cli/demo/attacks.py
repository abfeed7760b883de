"""Requests that must be refused, sent with the bytes of the contract and not with the SDK's care.

Each is a request of a partner, changed by somebody in between or by a partner gone wrong.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

import grpc

from gateway.cli.demo.people import Asked
from gateway.clock import SystemClock
from hutong.client import Identity, Question, Receipt, Refused
from hutong.client.channel import Connection
from hutong.client.known_log import KnownLog
from hutong.client.proof import Proving
from hutong.client.refusals import refusal_of_call
from hutong.client.requests import Moment, SignedRequest, build_exchange

PATIENCE_S: Final = 20.0
SAME: Final = "SAME_ANSWER"
"""Not a refusal: the same bytes from the same system get the same answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attack and how it ended."""

    name: str
    what: str
    expected: str
    reason: str
    receipt: Receipt | None = field(repr=False)
    receipt_due: bool
    """Whether it ends in a refusal, which has to carry one."""

    @property
    def holds(self) -> bool:
        """Whether it ended as it must, with a receipt where one is due."""
        return self.reason == self.expected and (self.receipt is not None) is self.receipt_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Who attacks whom: two registered systems and an ordinary question."""

    own: Identity
    other: Identity
    question: Question = field(repr=False)

    def sign(self, question: Question) -> SignedRequest:
        """Sign a question as the own system does."""
        return build_exchange(self.own, question, Moment(now_ms=_now_ms(), known_size=0))


def build_stage(own: Identity, other: Identity, asked: Asked) -> Stage:
    """Return a stage whose question is the first query of a person's matter."""
    matter, query = asked.question, asked.question.queries[0]
    question = Question(
        agreement=query.agreement,
        dataset=query.dataset,
        fields=query.fields,
        claims=query.claims,
        subject=matter.subject,
        purpose=matter.purpose,
        officer=matter.officer,
    )
    return Stage(own=own, other=other, question=question)


async def attack(stage: Stage) -> tuple[Attempt, ...]:
    """Make every attempt, one after the other."""
    steps: tuple[Callable[[Stage], Awaitable[Attempt]], ...] = (
        _matter_outside,
        _tampered,
        _replayed,
        _replayed_by_other,
    )
    return tuple([await step(stage) for step in steps])


async def _matter_outside(stage: Stage) -> Attempt:
    purpose = replace(stage.question.purpose, matter="M5")
    request = stage.sign(replace(stage.question, purpose=purpose))
    return await _attempt(
        "matter_outside_agreement",
        "a matter the agreement does not name",
        "AGREEMENT_NOT_APPLICABLE",
        (stage.own, request, request.message),
    )


async def _tampered(stage: Stage) -> Attempt:
    request = stage.sign(stage.question)
    at = request.message.index(request.payload) + len(request.payload) // 2
    flipped = bytes([request.message[at] ^ 1])
    message = request.message[:at] + flipped + request.message[at + 1 :]
    return await _attempt(
        "tampered",
        "one bit of the signed payload flipped on the way",
        "SIGNATURE_INVALID",
        (stage.own, request, message),
    )


async def _replayed(stage: Stage) -> Attempt:
    request = stage.sign(stage.question)
    connection = Connection(stage.own)
    try:
        first = await connection.call(request.method, request.message, PATIENCE_S)
        second = await connection.call(request.method, request.message, PATIENCE_S)
    finally:
        await connection.close()
    return Attempt(
        name="repeated",
        what="the same bytes again from the same system: the same answer",
        expected=SAME,
        reason=SAME if first == second else "ANSWERED_TWICE",
        receipt=None,
        receipt_due=False,
    )


async def _replayed_by_other(stage: Stage) -> Attempt:
    request = stage.sign(stage.question)
    return await _attempt(
        "replayed",
        "captured bytes replayed by another registered system",
        "SIGNER_UNKNOWN",
        (stage.other, request, request.message),
    )


async def _attempt(
    name: str, what: str, expected: str, sent: tuple[Identity, SignedRequest, bytes]
) -> Attempt:
    identity, request, message = sent
    proving = Proving(identity=identity, log=KnownLog(), now_ms=_now_ms)
    connection = Connection(identity)
    reason, receipt = "ANSWERED", None
    try:
        await connection.call(request.method, message, PATIENCE_S)
    except grpc.RpcError as error:
        ended = refusal_of_call(proving, request, error)
        reason = ended.reason if isinstance(ended, Refused) else type(ended).__name__
        receipt = ended.receipt if isinstance(ended, Refused) else None
    finally:
        await connection.close()
    return Attempt(
        name=name,
        what=what,
        expected=expected,
        reason=reason,
        receipt=receipt,
        receipt_due=True,
    )


def _now_ms() -> int:
    return SystemClock().now_ms()
