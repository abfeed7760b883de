"""The conversation with the education department: verify or query, wait for jobs, read answers.

INVARIANT: personal data travels in bodies only, never in a path; the holder's verification code,
which the interface wants there, names nobody.
INVARIANT: 404 is "not found" only with the department's own code; any other 404 is a fault.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kept import KeptAnswer, KeptAnswers
from adapters.kinds.education.codes import EXPIRED, NO_JOB, NO_RECORD
from adapters.kinds.education.jobs import PendingJobs
from adapters.kinds.education.reading import (
    KINDS,
    RecordKind,
    parse_code,
    parse_number,
    read_by_code,
    read_found,
    read_verified,
)
from adapters.kinds.education.token import ClientIdentity, TokenKeeper
from adapters.mapping.documents import parse_json_object, require_objects, require_text
from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    FieldName,
    Finding,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    SubjectType,
)
from adapters.records import (
    RawRecord,
    RecordSource,
    dataset_of,
    require_name,
    require_subject_type,
    settle,
)
from adapters.transport import RESERVE_S, DepartmentTransport, HttpAnswer, HttpCall
from signing.encoding import JsonValue, encode_canonical_json

DATASETS: Final = frozenset(KINDS)
"""Datasets this kind can serve, without version."""
CODE_KEY: Final = "verification_code"
"""Further key of a certificate: the code its holder gives out (catalog, `further_keys`)."""

_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"edu.diploma": "diplomas", "edu.degree": "degrees", "edu.enrolment": "enrolments"}
)
# The path comes from an answer and a token is sent to it: any other form could lead elsewhere.
_JOB_PATH: Final = re.compile(r"/api/v1/jobs/[0-9a-f]{32}")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,5}")
_MAX_RECORDS: Final = 10
_JSON: Final = "application/json"
_HEALTH_S: Final = 2.0
# Seconds a poll itself may take, kept back when waiting for a job.
_POLL_S: Final = 0.2

_OK, _ACCEPTED, _NOT_MODIFIED, _UNAUTHORISED, _NOT_FOUND, _GONE = 200, 202, 304, 401, 404, 410


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conversation:
    """One query under way: what it asks and how answers are read."""

    query: Query
    kind: RecordKind
    number: str | None = field(repr=False)
    code: str | None = field(repr=False)
    unverified: Finding | None
    path: str = field(repr=False)
    body: bytes = field(repr=False)


class _JobGone(AdapterError):
    """The department no longer knows a job: it is to be asked anew."""


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME for a person without one."""
    named = query.subject.type is not SubjectType.RESIDENT_ID or query.subject.full_name
    return None if named else Lacking.SUBJECT_NAME


class EducationAdapter:
    """Asks the education department."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        transport: DepartmentTransport,
        identity: ClientIdentity,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._transport = transport
        self._tokens = TokenKeeper(transport, identity)
        self._jobs = PendingJobs(time.monotonic)
        self._kept = KeptAnswers(time.monotonic)
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
        """Return SUBJECT_NAME for a person without one."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the department, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """Fetch a token: the cheapest operation that proves identity and reachability."""
        # A health check that passed an open breaker would be the very load it holds back.
        if self._transport.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            await self._tokens.renew(self._now_ms(), time.monotonic() + _HEALTH_S)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        except AdapterError:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """Release connections and forget what was kept."""
        self._kept.wipe()
        await self._transport.close()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        dataset = dataset_of(query)
        if query.dataset.name not in self._datasets or dataset not in KINDS:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        require_subject_type(query, SubjectType.RESIDENT_ID)
        conversation = _begin(query, dataset)
        if conversation.code is not None:
            return await self._fetch_by_code(conversation, conversation.code)
        job = self._jobs.find(query)
        if job is not None:
            try:
                return await self._poll(conversation, job, wait_s=0)
            except _JobGone:
                pass  # a finished job is kept for a day only: ask anew
        answer = await self._send(conversation.query, "POST", conversation.path, conversation.body)
        return await self._conclude(conversation, answer)

    async def _conclude(self, conversation: _Conversation, answer: HttpAnswer) -> RawRecord | None:
        if answer.status != _ACCEPTED:
            return _read(conversation, answer)
        try:
            job, wait_s = _read_job(answer)
            return await self._poll(conversation, job, wait_s=wait_s)
        except _JobGone:
            raise DepartmentFailed(Indeterminate.PROVIDER_FAULT) from None  # the cause says no more

    async def _fetch_by_code(self, conversation: _Conversation, code: str) -> RawRecord | None:
        """Ask for the record of a code; one that was kept stands only if the department says so."""
        query = conversation.query
        kept = self._kept.find(query, code)
        answer = await self._send(query, "GET", conversation.path, None, kept)
        if kept is not None and answer.status == _NOT_MODIFIED:
            # RFC 9110 15.4.5: it names what it confirms, and another tag confirms nothing of ours.
            if answer.headers.get("ETag") != kept.tag:
                # Asked for again by its tag it would be malformed again, for as long as it is kept.
                self._kept.forget(query, code)
                raise AnswerMalformed("304 for another record")
            return _read_code(conversation, code, _OK, kept.body)
        self._kept.forget(query, code)
        raw = _read_code(conversation, code, answer.status, answer.body)
        if answer.status == _OK:
            # Read first: what is not of this dialect is not worth confirming.
            self._kept.keep(query, code, answer.headers.get("ETag", ""), answer.body)
        return raw

    async def _poll(
        self, conversation: _Conversation, job: str, *, wait_s: float
    ) -> RawRecord | None:
        """Ask for a job until it is done or the time is up.

        Raises:
            DepartmentFailed: PENDING with the time to come back after.
        """
        query = conversation.query
        while True:
            if time.monotonic() + wait_s + _POLL_S >= query.deadline - RESERVE_S:
                self._jobs.remember(query, job)
                # A continued job starts with no wait of its own, and 0 would invite the asker to
                # spin.
                raise DepartmentFailed(Indeterminate.PENDING, retry_after_s=max(wait_s, 1.0))
            await asyncio.sleep(wait_s)
            answer = await self._send(query, "GET", job, None)
            if answer.status == _GONE or _is_unknown_job(answer):
                raise _JobGone
            if answer.status != _ACCEPTED:
                return _read(conversation, answer)
            _, wait_s = _read_job(answer, job)

    async def _send(
        self,
        query: Query,
        method: str,
        path: str,
        body: bytes | None,
        kept: KeptAnswer | None = None,
    ) -> HttpAnswer:
        """Send one call with a token; a token no longer accepted is renewed once."""
        # The request's own id, so that both sides' records of one exchange can be laid together.
        request_id = str(uuid.UUID(bytes=query.request_id))
        # Twice at most: a fresh token that is refused says that we are refused, not the token.
        for _ in range(2):
            token = await self._tokens.fetch(query.issued_at_ms, query.deadline)
            headers = {"Authorization": f"Bearer {token}", "X-Request-Id": request_id}
            if body is not None:
                headers["Content-Type"] = f"{_JSON}; charset=utf-8"
            if kept is not None:
                headers["If-None-Match"] = kept.tag
            call = HttpCall(
                method=method,
                path=path,
                body=body,
                headers=headers,
                expect=_JSON,
                keep_unmodified=kept is not None,
                # Both operations only read, so the transport may put the question again.
                idempotent=True,
            )
            answer = await self._transport.fetch(call, query.deadline)
            if answer.status != _UNAUTHORISED:
                return _require_echo(answer, request_id)
            self._tokens.forget(token)
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.TOKEN_REFUSED)


def _begin(query: Query, dataset: str) -> _Conversation:
    kind = KINDS[dataset]
    members: dict[str, JsonValue] = {
        "zjhm": query.subject.identifier,
        "xm": require_name(query),
        "sxbm": query.matter,
        "bjbh": query.case_number,
    }
    claimed, code = _claimed(query, kind, "certificate_no"), _claimed(query, kind, CODE_KEY)
    number = parse_number(kind, claimed) if claimed is not None else None
    opened = parse_code(code) if code is not None else None
    if code is not None and opened is None:
        # A code that can be none is not sent, and nothing beside it is taken for verified.
        number, claimed = None, code
    if number is not None and kind.number_member is not None:
        members[kind.number_member] = number
    operation = "query" if number is None else "verify"
    return _Conversation(
        query=query,
        kind=kind,
        number=number,
        code=opened,
        unverified=_unverified(kind, claimed),
        path=f"/api/v1/{_PATHS[dataset]}/{operation if opened is None else f'by-code/{opened}'}",
        body=encode_canonical_json(members),
    )


def _claimed(query: Query, kind: RecordKind, name: str) -> str | None:
    """Return what is claimed of a certificate, where the dataset is one of certificates."""
    return None if kind.number_member is None else query.claims.get(name)


def _unverified(kind: RecordKind, claimed: str | None) -> Finding | None:
    """Return what `verified` is when a person's records are queried instead of a certificate."""
    if kind.number_member is None:
        return None
    # A number that can be no number is the asker's error; none at all is nothing to verify.
    return Finding.NOT_APPLICABLE if claimed is None else Finding.ERROR


def _read(conversation: _Conversation, answer: HttpAnswer) -> RawRecord | None:
    members = parse_json_object(answer.body)
    if answer.status == _NOT_FOUND and members.get("code") == NO_RECORD:
        return None
    if answer.status != _OK:
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_REFUSED)
    kind, subject = conversation.kind, conversation.query.subject
    match require_text(members, "result"):
        # Each result belongs to one operation; a MATCH where nothing was claimed would prove
        # nothing.
        case "MATCH" if conversation.number is not None:
            record = members.get("record")
            if not isinstance(record, dict):
                raise AnswerMalformed("MATCH without a record")
            return read_verified(kind, subject, record, conversation.number)
        case "FOUND" if conversation.number is None:
            records = require_objects(members, "records", at_most=_MAX_RECORDS)
            return read_found(kind, subject, records, conversation.unverified)
        case "MISMATCH" if conversation.number is not None:
            # The certificate exists and is not this person's: that, and nothing of its holder.
            return {
                FieldName(kind.predicate): Finding.NO,
                FieldName("certificate_no"): Finding.NO,
            }
        case "MISMATCH":
            # The department holds another name under this number: nothing else can be told.
            return {FieldName("full_name"): Finding.NO}
        case _:
            raise AnswerMalformed("result is none of this operation")


def _read_code(
    conversation: _Conversation, code: str, status: int, body: bytes
) -> RawRecord | None:
    members = parse_json_object(body)
    kind, answered = conversation.kind, members.get("code")
    if status == _NOT_FOUND and answered == NO_RECORD:
        return None
    if status == _GONE and answered == EXPIRED:
        # The certificate may be as good as ever: its holder has to give out another code.
        return {FieldName(kind.predicate): Finding.ERROR}
    if status != _OK:
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CODE_REFUSED)
    if require_text(members, "result") != "FOUND":
        raise AnswerMalformed("result is none of this operation")
    (record,) = require_objects(members, "records", at_most=1)
    raw = read_by_code(kind, conversation.query.subject, record, code, conversation.number)
    if conversation.number is None and conversation.unverified is Finding.ERROR:
        raw = {**raw, FieldName(kind.predicate): Finding.ERROR}
    return raw


def _read_job(answer: HttpAnswer, job: str | None = None) -> tuple[str, float]:
    path = answer.headers.get("Location", job or "")
    seconds = answer.headers.get("Retry-After", "")
    if not _JOB_PATH.fullmatch(path) or not _SECONDS.fullmatch(seconds):
        raise AnswerMalformed("job without a path or a time")
    return path, float(seconds)


def _is_unknown_job(answer: HttpAnswer) -> bool:
    if answer.status != _NOT_FOUND:
        return False
    return parse_json_object(answer.body).get("code") == NO_JOB


def _require_echo(answer: HttpAnswer, request_id: str) -> HttpAnswer:
    if answer.headers.get("X-Request-Id") != request_id:
        # A late answer to somebody else's question: whatever it says is not bound to this one.
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN, cause=Cause.OTHER_REQUEST)
    return answer
