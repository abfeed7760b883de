"""The conversation with the platform: one question, one proven answer, a few attempts.

Knows no dataset: services and members are its caller's.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed, NotSent
from adapters.kinds.civil_affairs.codes import CLOCK_CODES, INNER_AGAIN, OUTER_AGAIN
from adapters.kinds.civil_affairs.platform import (
    Business,
    PlatformIdentity,
    Refused,
    read_reply,
    sign_call,
)
from adapters.mapping.documents import require_objects, require_text
from adapters.port import BreakerState, Indeterminate
from adapters.transport import RESERVE_S, DepartmentTransport, HttpCall
from signing.encoding import JsonValue

_LOG: Final = logging.getLogger(__name__)

JsonRow = Mapping[str, JsonValue]
MAX_BODY: Final = 512 * 1024
"""A page of 100 rows of one person, 20 members each, takes about 100 KiB."""
PAGE_ROWS: Final = 100
"""Rows of one page, the most the interface gives; more are not one person's life."""
_ATTEMPTS: Final = 3
_PAUSE_S: Final = 0.05
_HTTP_OK: Final = 200
_RESULT: Final = "result"
# An empty question: signatures, keys and clock are proven, and nobody is asked about.
_PROBE: Final = "cremation"


class LiveCheck:
    """Asks the platform."""

    def __init__(
        self,
        transport: DepartmentTransport,
        identity: PlatformIdentity,
        now_ms: Callable[[], int],
    ) -> None:
        self._transport = transport
        self._identity = identity
        self._now_ms = now_ms

    @property
    def breaker_state(self) -> BreakerState:
        """Whether questions are let through."""
        return self._transport.breaker.state

    async def fetch_result(
        self, service: str, question: Mapping[str, str], deadline: float
    ) -> JsonRow:
        """Return the one item of `result`.

        Raises:
            AnswerMalformed: Another form than the interface says.
            DepartmentFailed: Why it could not be told.
        """
        business = await self._ask(service, question, deadline)
        (result,) = require_objects(business, _RESULT, at_most=1)
        return result

    async def fetch_rows(
        self, service: str, question: Mapping[str, str], deadline: float
    ) -> tuple[JsonRow, ...]:
        """Return every row the register holds of one person, none where there are none.

        Raises:
            AnswerMalformed: Another form than the interface says, counts that disagree, or more
                rows than a page holds.
            DepartmentFailed: Why it could not be told.
        """
        page = {**question, "start": "0", "limit": str(PAGE_ROWS)}
        business = await self._ask(service, page, deadline)
        rows = business.get("rows")
        if not isinstance(rows, list):
            raise AnswerMalformed("rows are no list")
        count = str(len(rows))
        # A row more or less than it says: whichever is missing may be the one that counts.
        if (require_text(business, "returncount"), require_text(business, "recordcount")) != (
            count,
            count,
        ):
            raise AnswerMalformed("rows are not as many as counted")
        return tuple(require_objects(business, "rows", at_most=PAGE_ROWS)) if rows else ()

    async def probe(self, deadline: float) -> None:
        """Ask about nobody: the register's refusal proves keys, signatures and clock.

        Raises:
            AnswerMalformed: Another form than the interface says.
            DepartmentFailed: Why it could not be told.
        """
        try:
            await self._ask(_PROBE, {}, deadline)
        except DepartmentFailed as failed:
            if failed.reason is not Indeterminate.QUESTION_REJECTED:
                raise
        else:
            raise AnswerMalformed("an empty question was answered")

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    async def _ask(self, service: str, question: Mapping[str, str], deadline: float) -> Business:
        attempt = 1
        while True:
            reply: Business | Refused | DepartmentFailed
            try:
                reply = await self._call(service, question, deadline)
            except DepartmentFailed as failed:
                reply = failed
            if not isinstance(reply, Refused | DepartmentFailed):
                return reply
            # A retry that cannot end in time would cost a call nobody waits for.
            late = time.monotonic() + _PAUSE_S * attempt >= deadline - RESERVE_S
            if late or attempt == _ATTEMPTS or not _may_pass(reply):
                raise _failure(reply)
            await asyncio.sleep(_PAUSE_S * attempt)
            attempt += 1

    async def _call(
        self, service: str, question: Mapping[str, str], deadline: float
    ) -> Business | Refused:
        # The clock is read for each attempt: a stamp that waited for a place would be too old.
        call = sign_call(self._identity, question, self._now_ms())
        answer = await self._transport.fetch(
            HttpCall(
                method="POST",
                path=f"/gateway/ca/{service}",
                body=call.body,
                headers=call.headers,
                expect="application/json",
                # The transport would resend the same `rid`, which the platform refuses.
                idempotent=False,
            ),
            deadline,
        )
        if answer.status != _HTTP_OK:
            raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
        reply = read_reply(self._identity, call.request_id, answer.body)
        if isinstance(reply, Refused):
            cause = "clocks disagree" if reply.code in CLOCK_CODES else reply.code
            _LOG.warning("civil affairs: refused, %s", cause)
        return reply


def _may_pass(reply: Refused | DepartmentFailed) -> bool:
    """Tell whether the same question may fare better; an answer that is wrong stays wrong."""
    if isinstance(reply, DepartmentFailed):
        kept_back = isinstance(reply, NotSent)
        return reply.reason is Indeterminate.PROVIDER_UNAVAILABLE and not kept_back
    return reply.code in (INNER_AGAIN if reply.inner else OUTER_AGAIN)


def _failure(reply: Refused | DepartmentFailed) -> DepartmentFailed:
    if isinstance(reply, DepartmentFailed):
        return reply
    return DepartmentFailed(reply.reason, cause=reply.cause, code=reply.code)
