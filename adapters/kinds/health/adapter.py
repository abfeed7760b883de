"""The conversation with the health department: one signed question, one answer, no batch.

INVARIANT: each attempt draws a new nonce; nothing else of a question differs between attempts.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed, NotSent
from adapters.kinds.health.codes import (
    ANSWERED,
    FAULTS,
    NUMBER_REFUSED,
    SUCCESS_FINDINGS,
    Failure,
    read_fault,
    read_refusal,
)
from adapters.kinds.health.identity import HealthIdentity, draw_moment, is_name, prove_call
from adapters.kinds.health.message import Answer, Asked, encode_question, parse_answer
from adapters.kinds.health.reading import DEATH, build_asked, read_answer
from adapters.mapping.dates import day_of_ms
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
from adapters.soap import CONTENT_TYPE, HEADERS, PlatformFault, SoapFace, SoapService
from adapters.transport import RESERVE_S, DepartmentTransport, HttpCall

_LOG: Final = logging.getLogger(__name__)

DATASETS: Final = frozenset({DEATH})
"""Datasets this kind can serve, without version; certificates of birth are in no catalog yet."""
OPERATION: Final = "getSwyxzmInfo"
SERVICE: Final = SoapService(
    package="adapters.kinds.health",
    wsdl="medical_certificate.wsdl",
    namespace="http://webservice.health.invalid",
    binding="MedicalCertificateBinding",
    header="AuthHeader",
)
MAX_ANSWER: Final = 64 * 1024
"""Octets of an envelope (docs/adapters/health.md 2)."""
_PATH: Final = "/ws/medicalCertificate"
_PAUSE_S: Final = 0.05
_HEALTH_S: Final = 2.0
# Nobody's number: it fails its check character. The department judges key, organisation, clock and
# load before it, so its refusal proves them all and looks nobody up.
_NOBODY: Final = Asked(number="0" * 18, full_name="健康检查")


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME for a person without a name the department takes."""
    if query.subject.type is not SubjectType.RESIDENT_ID:
        return None
    return None if is_name(query.subject.full_name or "") else Lacking.SUBJECT_NAME


class HealthAdapter:
    """Asks the health department."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        transport: DepartmentTransport,
        identity: HealthIdentity,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._transport = transport
        self._identity = identity
        self._soap = SoapFace(SERVICE, [OPERATION])
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
        """Return SUBJECT_NAME for a person without a name the department takes."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the department, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """Ask about a number that is nobody's: the operation itself, and no person is looked up."""
        if self._transport.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            answer = await self._ask(_NOBODY, self._now_ms(), time.monotonic() + _HEALTH_S)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        except AdapterError:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        if answer.success != NUMBER_REFUSED:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        if query.dataset.name not in self._datasets or dataset_of(query) not in DATASETS:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        require_subject_type(query, SubjectType.RESIDENT_ID)
        asked = build_asked(query)
        answer = await self._ask(asked, query.issued_at_ms, query.deadline)
        return read_answer(asked, answer, day_of_ms(query.issued_at_ms))

    async def _ask(self, asked: Asked, now_ms: int, deadline: float) -> Answer:
        """Put a question until it is answered or may not be put again."""
        request = encode_question(self._identity, asked, now_ms)
        attempt, most = 1, self._transport.attempts
        while True:
            told = await self._attempt(request, now_ms, deadline)
            if isinstance(told, Answer):
                return told
            if told.attempts is not None:
                most = min(most, told.attempts)
            pause = _PAUSE_S * attempt
            # A retry that cannot end in time, or cannot leave, is no retry.
            late = time.monotonic() + pause >= deadline - RESERVE_S
            if attempt >= most or late or self._transport.breaker.is_open:
                raise DepartmentFailed(told.reason, cause=told.cause, code=told.code)
            await asyncio.sleep(pause)
            attempt += 1

    async def _attempt(self, request: str, now_ms: int, deadline: float) -> Answer | Failure:
        try:
            reply = await self._send(request, now_ms, deadline)
        except DepartmentFailed as failed:
            # Only what was not accepted is sent again; an answer that is wrong stays wrong.
            again = failed.reason is Indeterminate.PROVIDER_UNAVAILABLE and not isinstance(
                failed, NotSent
            )
            attempts = None if again else 1
            return Failure(reason=failed.reason, attempts=attempts, cause=failed.cause)
        if isinstance(reply, PlatformFault):
            # An unknown code is the department's text and may say anything.
            known = reply.code if reply.code in FAULTS else "another code"
            _LOG.warning("health department: fault %s", known)
            return read_fault(reply.code)
        answer = parse_answer(reply)
        if answer.success == ANSWERED or answer.success in SUCCESS_FINDINGS:
            return answer
        return read_refusal(answer.success)

    async def _send(self, request: str, now_ms: int, deadline: float) -> str | PlatformFault:
        proof = prove_call(self._identity, draw_moment(now_ms), OPERATION, request)
        call = HttpCall(
            method="POST",
            path=_PATH,
            body=self._soap.encode_call(OPERATION, proof, {"requestXml": request}),
            headers=HEADERS,
            expect=CONTENT_TYPE,
            keep_fault=True,
            # The transport would resend the same nonce, which the department refuses.
            idempotent=False,
        )
        answer = await self._transport.fetch(call, deadline)
        reply = self._soap.parse_reply(OPERATION, answer.body)
        if isinstance(reply, str) and answer.status != HTTPStatus.OK:
            raise AnswerMalformed("an answer stands under the status of a failure")
        return reply
