"""The conversation with the population register: secret, package, reply, one record each.

INVARIANT: each attempt draws a new request id and request number, so that a late answer to an
earlier attempt is recognised and dropped.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from adapters.causes import Cause
from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed, NotSent
from adapters.kinds.public_security.batch import Batcher, PackageKey, Waiting
from adapters.kinds.public_security.codes import KEY_UNKNOWN, PLATFORM_CODES, TRY_AGAIN
from adapters.kinds.public_security.identity import (
    ServiceIdentity,
    is_acceptable,
    is_name,
    require_end_user,
)
from adapters.kinds.public_security.package import (
    AnsweredRecord,
    PackageHead,
    encode_package,
    parse_package,
)
from adapters.kinds.public_security.reading import (
    OPERATIONS,
    build_question,
    read_record,
    settle_unasked,
)
from adapters.kinds.public_security.soap import POPULATION, parameters_of, require_no_fault
from adapters.national.secret import SecretKeeper
from adapters.national.signature import Caller, sign_call
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
from adapters.soap import CONTENT_TYPE, HEADERS, PlatformFault, SoapFace
from adapters.transport import DepartmentTransport, HttpCall

_LOG: Final = logging.getLogger(__name__)

DATASETS: Final = frozenset(OPERATIONS)
"""Datasets this kind serves, without version."""

_PAUSE_S: Final = 0.05
_HEALTH_S: Final = 2.0


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME, or OFFICER where he is not named as the register demands."""
    if query.subject.type is not SubjectType.RESIDENT_ID:
        return None
    if not is_name(query.subject.full_name or ""):
        return Lacking.SUBJECT_NAME
    # Who answers for system jobs is ours to configure: no requester could mend that.
    if query.by_officer and (query.end_user is None or not is_acceptable(query.end_user)):
        return Lacking.OFFICER
    return None


class PublicSecurityAdapter:
    """Asks the population register."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        transport: DepartmentTransport,
        identity: ServiceIdentity,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._transport = transport
        self._identity = identity
        self._secrets = SecretKeeper(transport, Caller(sid=identity.sid, app_key=identity.app_key))
        self._soap = SoapFace(POPULATION, [operation.name for operation in OPERATIONS.values()])
        self._batcher = Batcher(self._send_package)
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
        return self._transport.breaker.state

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return SUBJECT_NAME, or OFFICER where he is not named as the register demands."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the register, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """Fetch a secret: the cheapest operation that proves identity and reachability."""
        if self._transport.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            await self._secrets.renew(self._now_ms(), time.monotonic() + _HEALTH_S)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        except AdapterError:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """End packages under way and release connections."""
        await self._batcher.close()
        await self._transport.close()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        operation = OPERATIONS.get(dataset_of(query))
        if query.dataset.name not in self._datasets or operation is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        require_subject_type(query, SubjectType.RESIDENT_ID)
        key = PackageKey(
            operation=operation.name,
            end_user=require_end_user(self._identity, query),
            matter=query.matter,
        )
        question = build_question(operation, query)
        if question.is_settled:
            return settle_unasked(question)
        return await self._batcher.ask(key, question, query.issued_at_ms, query.deadline)

    async def _send_package(self, key: PackageKey, group: Sequence[Waiting]) -> None:
        records = await self._fetch_records(key, group)
        for number, waiting in enumerate(group, start=1):
            # The asker left at his own deadline; his future is cancelled and takes no answer.
            if waiting.answer.done():
                continue
            try:
                record = records.get(number)
                if record is None:
                    raise AnswerMalformed(
                        "a record is missing or stands twice", Cause.RECORD_MISSING
                    )
                waiting.answer.set_result(read_record(waiting.question, record))
            except AdapterError as failed:
                waiting.answer.set_exception(failed)

    async def _fetch_records(
        self, key: PackageKey, group: Sequence[Waiting]
    ) -> Mapping[int, AnsweredRecord]:
        # The patient decide how long the package may take; the others leave on their own.
        deadline = max(waiting.deadline for waiting in group)
        now_ms = max(waiting.now_ms for waiting in group)
        attempts, attempt, renewed = self._transport.attempts, 1, False
        while True:
            # Inside the loop: a repeated number would be refused, and a late answer taken for this
            # one.
            head = PackageHead(
                request_number=str(uuid.uuid4()),
                end_user=key.end_user,
                matter=key.matter,
                now_ms=now_ms,
            )
            members = [waiting.question.members for waiting in group]
            package = encode_package(self._identity, head, members)
            try:
                reply = await self._call(key.operation, package, now_ms, deadline)
                if not isinstance(reply, PlatformFault) or reply.code not in TRY_AGAIN:
                    return parse_package(require_no_fault(reply), head.request_number)
                # A key that is new and refused says that we are refused, not the key (1.3).
                if attempt == attempts or (renewed and reply.code == KEY_UNKNOWN):
                    require_no_fault(reply)
                renewed = renewed or reply.code == KEY_UNKNOWN
            except DepartmentFailed as failed:
                # Only what was not accepted is sent again; an answer that is wrong stays wrong, and
                # what our own limits keep back is not pressed.
                kept_back = isinstance(failed, NotSent) or attempt == attempts
                if kept_back or failed.reason is not Indeterminate.PROVIDER_UNAVAILABLE:
                    raise
            await asyncio.sleep(_PAUSE_S * attempt)
            attempt += 1

    async def _call(
        self, operation: str, package: str, now_ms: int, deadline: float
    ) -> str | PlatformFault:
        secret = await self._secrets.fetch(now_ms, deadline)
        proof = sign_call(self._identity.sid, secret, now_ms)
        parameters = parameters_of(package, self._identity.user, self._identity.password)
        call = HttpCall(
            method="POST",
            path="/ws/population",
            body=self._soap.encode_call(operation, proof, parameters),
            headers=HEADERS,
            expect=CONTENT_TYPE,
            keep_fault=True,
            # The transport would resend the same request id, which the platform refuses.
            idempotent=False,
        )
        answer = await self._transport.fetch(call, deadline)
        reply = self._soap.parse_reply(operation, answer.body)
        if isinstance(reply, PlatformFault):
            # An unknown code is the platform's text and may say anything.
            known = reply.code if reply.code in PLATFORM_CODES else "another code"
            _LOG.warning("population register: platform fault %s", known)
            if reply.code == KEY_UNKNOWN:
                self._secrets.forget(secret)
        return reply
