"""One message and its answer: sent, fetched where the answer was lost or comes later, opened.

A message is accepted at most once, for it has one id and one form however often it is sent: whoever
does not know whether it was accepted fetches its answer, and sends the same octets again where none
lies there. The front takes an id once (DUP01), so that the message it is still working on, or that
reaches it late, is the only one. That no answer lies under an id (MSG01) proves nothing.
INVARIANT: a question is never sent under a second id.
"""

import asyncio
import logging
import math
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.causes import Cause
from adapters.errors import AnswerMalformed, DepartmentFailed, NotSent
from adapters.kinds.bank.codes import REJECTION_CAUSES, REJECTIONS, UNKNOWN_MESSAGE
from adapters.kinds.bank.documents import Rows
from adapters.kinds.bank.envelope import Envelopes, FrontIdentity, Rejected
from adapters.kinds.bank.mailing import KEPT_S
from adapters.kinds.bank.questions import Operation, Question
from adapters.mapping.dates import CHINA_TIME
from adapters.port import BreakerState, Indeterminate
from adapters.transport import RESERVE_S, DepartmentTransport, HttpAnswer, HttpCall

__all__ = ["Front", "FrontIdentity", "NotTaken"]

_LOG: Final = logging.getLogger(__name__)
_PATH: Final = "/bank/v1/messages"
_XML: Final = "application/xml"
_OK, _ACCEPTED, _USED = 200, 202, 409
_PAUSE_S: Final = 0.05
# Seconds after which the front takes messages again (section 6, QTA01).
_QUOTA_PAUSE_S: Final = 1.05
# Seconds until a message is fetched again that the front has accepted and not yet answered.
_WORKING_PAUSE_S: Final = 0.1
# Seconds one fetch of a later answer may take, and between two of them at most.
_FETCH_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 30.0
_QUOTA: Final = Indeterminate.PROVIDER_QUOTA
# After which the message may have been accepted all the same, and its answer be fetched: a page of
# somebody between, 429 included, says nothing of the front.
_LOST: Final = frozenset(
    {Indeterminate.PROVIDER_UNAVAILABLE, Indeterminate.PROVIDER_MALFORMED, _QUOTA}
)
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """One message under its id."""

    operation: Operation
    message_id: str
    items: int
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """Where its answer can be fetched."""
        return f"{_PATH}/{self.message_id}"


class NotTaken(DepartmentFailed):
    """The front itself said, signed, that it took nothing: no account was checked."""


class _Again(Exception):
    """The message may be sent again, as it is, after a pause."""

    def __init__(self, cause: DepartmentFailed, pause_s: float) -> None:
        super().__init__(cause.reason.value)
        self.cause = cause
        self.pause_s = pause_s


class Front:
    """Speaks with the front of the banks."""

    def __init__(
        self,
        transport: DepartmentTransport,
        identity: FrontIdentity,
        now_ms: Callable[[], int],
    ) -> None:
        self._transport = transport
        self._envelopes = Envelopes(identity)
        self._now_ms = now_ms

    @property
    def breaker_state(self) -> BreakerState:
        """Whether messages are let through."""
        return self._transport.breaker.state

    async def ask(
        self,
        operation: Operation,
        questions: Sequence[Question],
        deadline: float,
        accept: Callable[[float], Awaitable[None]],
    ) -> Rows:
        """Send questions of one operation and return the rows of the report.

        `accept` is told the pause in seconds once the front answers later, and every time again; it
        returns when the answer is to be fetched.

        Raises:
            AnswerMalformed: The answer breaks the interface.
            NotSent, NotTaken: The front surely has nothing of it.
            DepartmentFailed: Why there is none; the front may have accepted the message.
        """
        sent = self._seal(operation, questions)
        answer = await self._send_until_taken(sent, deadline)
        if answer.status == _ACCEPTED:
            answer = await self._fetch_later(sent, answer, accept)
        return self._open(sent, answer)

    async def examine(self, deadline: float) -> None:
        """Fetch the answer to a message never sent, which the front has to say it does not know.

        Raises:
            AnswerMalformed: The answer breaks the interface.
            DepartmentFailed: The front cannot be asked, or does not know us.
        """
        message_id = uuid.uuid4().hex
        answer = await self._transport.fetch(_fetch_call(f"{_PATH}/{message_id}"), deadline)
        try:
            self._envelopes.open(answer.body, None, message_id, 0)
        except Rejected as rejected:
            if rejected.code != UNKNOWN_MESSAGE:
                raise _failure(rejected) from None

    async def _send_until_taken(self, sent: _Sent, deadline: float) -> HttpAnswer:
        attempt, unsure = 1, False
        while True:
            try:
                return await self._send(sent, deadline)
            except _Again as again:
                failed, pause = again.cause, again.pause_s * attempt
            except (NotSent, NotTaken) as ended:
                failed, pause = ended, math.inf
            unsure = unsure or not isinstance(failed, NotSent | NotTaken)
            late = time.monotonic() + pause >= deadline - RESERVE_S
            if attempt >= self._transport.attempts or late:
                if unsure and isinstance(failed, NotSent | NotTaken):
                    # An earlier one may have been accepted, whatever became of this one.
                    raise DepartmentFailed(failed.reason, cause=failed.cause) from None
                raise failed from None
            await asyncio.sleep(pause)
            attempt += 1

    def _seal(self, operation: Operation, questions: Sequence[Question]) -> _Sent:
        message_id = uuid.uuid4().hex
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self._now_ms())
        created = instant.astimezone(CHINA_TIME).strftime("%Y-%m-%dT%H:%M:%S+08:00")
        body = self._envelopes.seal(operation, message_id, created, questions)
        return _Sent(operation=operation, message_id=message_id, items=len(questions), body=body)

    def _open(self, sent: _Sent, answer: HttpAnswer) -> Rows:
        try:
            rows = self._envelopes.open(answer.body, sent.operation, sent.message_id, sent.items)
        except Rejected as rejected:
            raise _failure(rejected) from None
        if answer.status != _OK:
            raise AnswerMalformed("a report under another status")
        return rows

    async def _send(self, sent: _Sent, deadline: float) -> HttpAnswer:
        """Send a message once and return what became of it.

        Raises:
            _Again: It may be sent again; NotTaken as its cause where it surely was not accepted.
            NotSent, NotTaken: It was not accepted and would not be.
            DepartmentFailed: It may have been accepted.
        """
        refusals: list[bytes] = []
        try:
            answer = await self._transport.fetch(_post_call(sent, refusals.append), deadline)
        except NotSent:
            # Nothing left, so there is nothing to look for at the front.
            raise
        except DepartmentFailed as failed:
            pause = _QUOTA_PAUSE_S if failed.reason is _QUOTA else _PAUSE_S
            for body in refusals:
                # Not the front's word: somebody between refused, and may have let it through.
                with suppress(AnswerMalformed, DepartmentFailed):
                    raise _Again(self._read_refusal(sent, body), pause) from None
            if failed.reason not in _LOST:
                raise
            return await self._recover(sent, _Again(failed, pause), deadline)
        if answer.status == _USED:
            return await self._fetch_used(sent, deadline)
        if answer.status not in {_OK, _ACCEPTED}:
            raise self._read_refusal(sent, answer.body)
        return answer

    def _read_refusal(self, sent: _Sent, body: bytes) -> NotTaken:
        """Return what the front itself refused the message for.

        Raises:
            AnswerMalformed: It is no refusal.
            DepartmentFailed: It is not proven to be the front's word on this message.
        """
        try:
            self._envelopes.open(body, sent.operation, sent.message_id, sent.items)
        except Rejected as rejected:
            failed = _failure(rejected)
            return NotTaken(failed.reason, cause=failed.cause, code=failed.code)
        raise AnswerMalformed("a report under the status of a refusal")

    async def _recover(self, sent: _Sent, again: _Again, deadline: float) -> HttpAnswer:
        """Fetch the answer that was lost on its way, or have the message sent again."""
        try:
            answer = await self._transport.fetch(_fetch_call(sent.path), deadline)
            if answer.status in {_OK, _ACCEPTED}:
                return answer
            self._open(sent, answer)
        except _NothingThere:
            raise again from None
        except (DepartmentFailed, AnswerMalformed):
            # What went wrong first says more than what went wrong while it was looked into.
            raise again.cause from None
        raise again.cause

    async def _fetch_used(self, sent: _Sent, deadline: float) -> HttpAnswer:
        """Fetch the answer to a message whose id was accepted before (DUP01), once it is there.

        Raises:
            DepartmentFailed: PROVIDER_TIMEOUT: it was not there in time.
        """
        pause = _WORKING_PAUSE_S
        while True:
            answer = await self._transport.fetch(_fetch_call(sent.path), deadline)
            if answer.status in {_OK, _ACCEPTED}:
                return answer
            try:
                self._open(sent, answer)
            except _NothingThere:
                if time.monotonic() + pause >= deadline - RESERVE_S:
                    raise DepartmentFailed(Indeterminate.PROVIDER_TIMEOUT) from None
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _fetch_later(
        self, sent: _Sent, answer: HttpAnswer, accept: Callable[[float], Awaitable[None]]
    ) -> HttpAnswer:
        """Ask for the answer of an accepted message until it is there."""
        until = time.monotonic() + KEPT_S
        pause = _pause_of(sent, answer)
        while time.monotonic() + pause < until:
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await accept(pause)
            except TimeoutError:
                break
            try:
                deadline = time.monotonic() + _FETCH_S
                answer = await self._transport.fetch(_fetch_call(sent.path), deadline)
            except DepartmentFailed:
                # It stays accepted whatever happens to one fetch; a pause lets the front breathe.
                pause = min(2 * pause, _LONGEST_PAUSE_S)
                continue
            if answer.status != _ACCEPTED:
                return answer
            pause = min(max(_pause_of(sent, answer), 1.5 * pause), _LONGEST_PAUSE_S)
        raise DepartmentFailed(Indeterminate.PROVIDER_TIMEOUT)


class _NothingThere(DepartmentFailed):
    """No answer lies under this id: to nothing, to what is being worked on, or no longer."""


def _post_call(sent: _Sent, told_refusal: Callable[[bytes], None]) -> HttpCall:
    return HttpCall(
        method="POST",
        path=_PATH,
        body=sent.body,
        headers={"Content-Type": f"{_XML}; charset=UTF-8"},
        expect=_XML,
        keep_accepted=True,
        told_refusal=told_refusal,
        # The transport does not know when it has to look for an answer before it repeats.
        idempotent=False,
    )


def _fetch_call(path: str) -> HttpCall:
    return HttpCall(
        method="GET",
        path=path,
        headers={},
        expect=_XML,
        keep_accepted=True,
        idempotent=True,
    )


def _pause_of(sent: _Sent, answer: HttpAnswer) -> float:
    seconds = answer.headers.get("Retry-After", "")
    # Where it says the answer will lie must be where it does: no address is taken from an answer.
    if answer.headers.get("Location") != sent.path or not _SECONDS.fullmatch(seconds):
        raise AnswerMalformed("accepted without a place or a time")
    return float(seconds)


def _failure(rejected: Rejected) -> DepartmentFailed:
    # An unknown code is the front's text and may say anything.
    known = rejected.code if rejected.code in REJECTIONS else "another code"
    _LOG.warning("front of the banks: rejected, %s", known)
    if rejected.code == UNKNOWN_MESSAGE:
        return _NothingThere(Indeterminate.PROVIDER_FAULT)
    reason = REJECTIONS.get(rejected.code)
    if reason is None:
        return DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_UNKNOWN)
    cause = REJECTION_CAUSES.get(rejected.code, Cause.CODE_REFUSED)
    return DepartmentFailed(reason, cause=cause, code=rejected.code)
