"""The conversation with the banks: one question each, sent together, each answer to its asker.

INVARIANT: an account is not verified again where the bank counts every check: a question that may
have been accepted is waited for, never repeated.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from lxml import etree

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed, NotSent
from adapters.kinds.bank.codes import Verdict
from adapters.kinds.bank.front import Front, FrontIdentity, NotTaken
from adapters.kinds.bank.mailing import Kept, Mailing, Message, Waiting
from adapters.kinds.bank.questions import (
    OPERATIONS,
    Question,
    build_question,
    is_name,
)
from adapters.kinds.bank.quota import AccountQuota
from adapters.kinds.bank.reading import RowBusy, read_query, read_verdict, record_of
from adapters.mapping.names import normalise_dots
from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, dataset_of, require_subject_type, settle
from adapters.transport import RESERVE_S, DepartmentTransport

DATASETS: Final = frozenset(OPERATIONS)
"""Datasets this kind can serve, without version."""

_HEALTH_S: Final = 2.0
# Times a query is put that only reads, when its own row says busy.
_BUSY_ATTEMPTS: Final = 2
_BUSY_PAUSE_S: Final = 0.1


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME for a person without one that a message can hold.

    The account's number is a claim: without it nothing is verified, and the findings say so.
    """
    if query.subject.type is not SubjectType.RESIDENT_ID:
        return None
    named = is_name(normalise_dots(query.subject.full_name or ""))
    return None if named else Lacking.SUBJECT_NAME


class BankAdapter:
    """Asks the banks of social security cards through their front."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        transport: DepartmentTransport,
        identity: FrontIdentity,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._transport = transport
        self._card_prefixes = identity.card_prefixes
        self._front = Front(transport, identity, now_ms)
        self._mailing = Mailing(self._deliver)
        self._kept = Kept(time.monotonic)
        self._quota = AccountQuota()
        self._now_ms = now_ms

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self._source.organisation

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets this adapter serves."""
        return self._datasets

    @property
    def breaker_state(self) -> BreakerState:
        """Whether questions are let through."""
        return self._front.breaker_state

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return SUBJECT_NAME for a person without one that a message can hold."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the banks, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """Fetch an answer that cannot be there: proves identity, and asks about nobody."""
        if self._transport.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            await self._front.examine(time.monotonic() + _HEALTH_S)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        except AdapterError:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """End messages under way, forget what was kept and release connections."""
        await self._mailing.close()
        self._kept.wipe()
        await self._transport.close()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        operation = OPERATIONS.get(dataset_of(query))
        if query.dataset.name not in self._datasets or operation is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        require_subject_type(query, SubjectType.RESIDENT_ID)
        kept = self._kept.find(query)
        if kept is not None:
            raw = await self._wait(query, kept)
            self._kept.forget(kept)
            return raw
        question = build_question(operation, query, self._card_prefixes)
        if isinstance(question, Verdict):
            return record_of(question)
        return await self._ask(query, question)

    async def _ask(self, query: Query, question: Question) -> RawRecord | None:
        attempts = min(_BUSY_ATTEMPTS, self._transport.attempts)
        attempt = 1
        while True:
            waiting = self._post(question, query)
            try:
                raw = await self._wait(query, waiting)
            except RowBusy:
                late = time.monotonic() + _BUSY_PAUSE_S >= query.deadline - RESERVE_S
                if attempt >= attempts or late:
                    raise
            else:
                if waiting.accepted:
                    self._kept.forget(waiting)
                return raw
            await asyncio.sleep(_BUSY_PAUSE_S)
            attempt += 1

    def _post(self, question: Question, query: Query) -> Waiting:
        verifies = question.operation.verifies
        if verifies and not self._quota.charge(question.account, self._now_ms()):
            raise DepartmentFailed(Indeterminate.PROVIDER_QUOTA)
        try:
            return self._mailing.post(question, query)
        except NotSent:
            self._release(question)
            raise

    async def _wait(self, query: Query, waiting: Waiting) -> RawRecord | None:
        """Wait for an answer as long as its asker does.

        Raises:
            DepartmentFailed: PENDING where the front will answer later, TIMEOUT; as answered.
        """
        try:
            with waiting.attend():
                async with asyncio.timeout(query.deadline - RESERVE_S - time.monotonic()):
                    # Shielded: a question that was sent goes on without its asker, who may come
                    # back, and is counted by what becomes of it.
                    return await asyncio.shield(waiting.answer)
        except TimeoutError:
            if waiting.retry_after_s is None:
                self._leave(waiting)
                raise DepartmentFailed(Indeterminate.PROVIDER_TIMEOUT) from None
            self._kept.remember(query, waiting)
            raise DepartmentFailed(
                Indeterminate.PENDING, retry_after_s=waiting.retry_after_s
            ) from None
        except asyncio.CancelledError:
            self._leave(waiting)
            raise

    def _leave(self, waiting: Waiting) -> None:
        """Take back a question nobody waits for, unless its message was sent."""
        if not waiting.message.sent and waiting.answer.cancel():
            self._release(waiting.question)

    def _release(self, question: Question) -> None:
        """Take one check back that no bank counts: it never left, or a bank or the front says so.

        What was sent and not answered is not taken back: it may have been accepted.
        """
        if question.operation.verifies:
            self._quota.release(question.account)

    async def _deliver(self, message: Message, present: Sequence[Waiting]) -> None:
        async def accept(pause_s: float) -> None:
            for waiting in present:
                if waiting.retry_after_s is None:
                    # At once: an asker may leave any time, and is not to be counted twice.
                    self._kept.remember(waiting.query, waiting)
                waiting.retry_after_s = pause_s
            await asyncio.sleep(pause_s)
            # Nobody waits: the front keeps the answer until somebody comes back for it.
            await message.attended.wait()

        # The patient decide how long the message may take; the others leave on their own.
        deadline = max(waiting.query.deadline for waiting in present)
        questions = [waiting.question for waiting in present]
        try:
            rows = await self._front.ask(message.operation, questions, deadline, accept)
        except (NotSent, NotTaken):
            for question in questions:
                self._release(question)
            raise
        for number, waiting in enumerate(present, start=1):
            # Read also where its asker has left: what the bank says of its count is kept.
            try:
                waiting.answer.set_result(self._read(waiting, rows.get(number)))
            except AdapterError as failed:
                waiting.answer.set_exception(failed)

    def _read(self, waiting: Waiting, row: etree._Element | None) -> RawRecord | None:
        if row is None:
            raise AnswerMalformed("a row is missing or stands twice")
        if not waiting.question.operation.verifies:
            return read_query(waiting.question, row)
        try:
            verdict = read_verdict(waiting.question, row)
        except DepartmentFailed as failed:
            if failed.reason is Indeterminate.PROVIDER_QUOTA:
                self._quota.exhaust(waiting.question.account)
            raise
        if not verdict.counted:
            self._release(waiting.question)
        return record_of(verdict)
