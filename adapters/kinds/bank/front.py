"""One message and its answer: sent, fetched where the answer was lost or comes later, opened.

A message is accepted at most once. Whoever does not know whether it was accepted fetches its answer
first; only a front that says it knows no such message is sent another, under a new id.
INVARIANT: no two messages bear one id, so that a late answer to an earlier one is recognised.
"""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable, Sequence
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

__all__ = ["Front", "FrontIdentity"]

_LOG: Final = logging.getLogger(__name__)
_PATH: Final = "/bank/v1/messages"
_XML: Final = "application/xml"
_OK, _ACCEPTED, _USED = 200, 202, 409
_ATTEMPTS: Final = 3
_PAUSE_S: Final = 0.05
# Seconds after which the front takes messages again (section 6, QTA01).
_QUOTA_PAUSE_S: Final = 1.05
# Seconds one fetch of a later answer may take, and between two of them at most.
_FETCH_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 30.0
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


class _NotAccepted(Exception):
    """The front surely did not accept the message, which may be sent anew after a pause."""

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
        accept: Callable[[float], None],
    ) -> Rows:
        """Send questions of one operation and return the rows of the report.

        `accept` is told the pause in seconds once the front answers later, and every time again.

        Raises:
            AnswerMalformed: The answer breaks the interface.
            DepartmentFailed: Why there is none.
        """
        sent, answer = await self._send_until_accepted(operation, questions, deadline)
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

    async def _send_until_accepted(
        self, operation: Operation, questions: Sequence[Question], deadline: float
    ) -> tuple[_Sent, HttpAnswer]:
        attempt = 1
        while True:
            sent = self._seal(operation, questions)
            try:
                return sent, await self._send(sent, deadline)
            except _NotAccepted as refused:
                pause = refused.pause_s * attempt
                late = time.monotonic() + pause >= deadline - RESERVE_S
                if attempt == _ATTEMPTS or late:
                    raise refused.cause from None
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
        call = HttpCall(
            method="POST",
            path=_PATH,
            body=sent.body,
            headers={"Content-Type": f"{_XML}; charset=UTF-8"},
            expect=_XML,
            keep_accepted=True,
            # The transport would send the same id twice.
            idempotent=False,
        )
        try:
            answer = await self._transport.fetch(call, deadline)
            if answer.status != _USED:
                return answer
            # Somebody between sent it twice: the answer to the first is fetched (DUP01).
            return await self._transport.fetch(_fetch_call(sent.path), deadline)
        except NotSent:
            # Nothing left, so there is nothing to look for at the front.
            raise
        except DepartmentFailed as failed:
            if failed.reason is Indeterminate.PROVIDER_QUOTA:
                raise _NotAccepted(failed, _QUOTA_PAUSE_S) from None
            unknown = {Indeterminate.PROVIDER_UNAVAILABLE, Indeterminate.PROVIDER_MALFORMED}
            if failed.reason not in unknown:
                raise
            return await self._recover(sent, failed, deadline)

    async def _recover(self, sent: _Sent, failed: DepartmentFailed, deadline: float) -> HttpAnswer:
        """Fetch the answer that was lost on its way, or learn that there is none."""
        try:
            answer = await self._transport.fetch(_fetch_call(sent.path), deadline)
            if answer.status in {_OK, _ACCEPTED}:
                return answer
            self._open(sent, answer)
        except _NothingAccepted:
            raise _NotAccepted(failed, _PAUSE_S) from None
        except (DepartmentFailed, AnswerMalformed):
            # What went wrong first says more than what went wrong while it was looked into.
            raise failed from None
        raise failed

    async def _fetch_later(
        self, sent: _Sent, answer: HttpAnswer, accept: Callable[[float], None]
    ) -> HttpAnswer:
        """Ask for the answer of an accepted message until it is there."""
        until = time.monotonic() + KEPT_S
        pause = _pause_of(sent, answer)
        while time.monotonic() + pause < until:
            accept(pause)
            await asyncio.sleep(pause)
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


class _NothingAccepted(DepartmentFailed):
    """Nothing was accepted under this id."""


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
        return _NothingAccepted(Indeterminate.PROVIDER_FAULT)
    reason = REJECTIONS.get(rejected.code)
    if reason is None:
        return DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_UNKNOWN)
    cause = REJECTION_CAUSES.get(rejected.code, Cause.CODE_REFUSED)
    return DepartmentFailed(reason, cause=cause, code=rejected.code)
