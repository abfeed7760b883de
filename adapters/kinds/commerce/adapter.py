"""The conversation with the commerce register: one signed question, one bounded answer.

INVARIANT: personal data and codes of companies travel in bodies only, never in a path.
INVARIANT: "none held" is said by the register's own code in a status 200, and by nothing else.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.commerce.codes import (
    CHECKS,
    FOUND,
    NONE_HELD,
    OTHER_NAME,
    REPLIES,
    SOLE_TRADER,
)
from adapters.kinds.commerce.reading import (
    MAX_POSITIONS,
    Members,
    objects,
    read_enterprise,
    read_positions,
    read_sole_trader,
    read_verification,
)
from adapters.kinds.commerce.signature import ApiKey, sign_call
from adapters.mapping.decimals import parse_decimal_object
from adapters.mapping.documents import require_text
from adapters.mapping.identifiers import parse_uscc
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
    Subject,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, dataset_of, require_name, settle
from adapters.transport import DepartmentTransport, HttpAnswer, HttpCall
from signing.encoding import JsonValue, encode_json

_LOG: Final = logging.getLogger(__name__)

_SUBJECTS: Final[Mapping[str, SubjectType]] = {
    "cm.enterprise": SubjectType.USCC,
    "cm.enterprise_verify": SubjectType.USCC,
    "cm.positions": SubjectType.RESIDENT_ID,
}
DATASETS: Final = frozenset(_SUBJECTS)
"""Datasets this kind can serve, without version."""
MAX_BODY: Final = 256 * 1024
"""Bytes: the register's answers are no longer (docs/adapters/commerce.md 1)."""

_MAX_NAME: Final = 60
_SOLE_TRADER_PREFIX: Final = "92"
"""GB 32100: registered by commerce (9), as a sole trader (2)."""
_HEALTH_PATH: Final = "/api/v1/webhooks"
_HEALTH_S: Final = 2.0
_JSON: Final = "application/json"
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """One operation: where it is, how many records it may return, and with which codes it ends."""

    path: str
    at_most: int = 1
    codes: frozenset[str]


_COMPANY: Final = _Operation(
    path="/api/v1/enterprises/Qyxxcx", codes=frozenset({FOUND, NONE_HELD, SOLE_TRADER})
)
_VERIFY: Final = _Operation(
    path="/api/v1/enterprises/Qyxxyz", codes=frozenset({FOUND, NONE_HELD, SOLE_TRADER})
)
_TRADER: Final = _Operation(path="/api/v1/soletraders/query", codes=frozenset({FOUND, NONE_HELD}))
_POSITIONS: Final = _Operation(
    path="/api/v1/positions/query",
    at_most=MAX_POSITIONS,
    codes=frozenset({FOUND, NONE_HELD, OTHER_NAME}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the register told: its code, and records where the code is FOUND."""

    code: str
    records: Sequence[Members] = field(repr=False)


def find_lacking(query: Query) -> Lacking | None:
    """Return SUBJECT_NAME for a person without a name the register takes."""
    if query.subject.type is not SubjectType.RESIDENT_ID:
        return None
    named = 1 <= len(query.subject.full_name or "") <= _MAX_NAME
    return None if named else Lacking.SUBJECT_NAME


class CommerceAdapter:
    """Asks the commerce register."""

    def __init__(
        self,
        *,
        source: RecordSource,
        datasets: frozenset[DatasetName],
        transport: DepartmentTransport,
        key: ApiKey,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = source
        self._datasets = datasets
        self._transport = transport
        self._key = key
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
        """Return SUBJECT_NAME for a person without a name the register takes."""
        return find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the register, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """List our webhooks, of which there are none: proves key and clock, and names nobody."""
        # A health check that passed an open breaker would be the very load it holds back.
        if self._transport.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        now_ms, deadline = self._now_ms(), time.monotonic() + _HEALTH_S
        try:
            answer = await self._send("GET", _HEALTH_PATH, None, now_ms, deadline)
            _read_code(answer, frozenset({FOUND}))
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        except AdapterError:
            return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_MALFORMED.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        dataset = dataset_of(query)
        if query.dataset.name not in self._datasets or dataset not in _SUBJECTS:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        # Not "none held": of a company's positions the catalog would then say that it has none.
        if query.subject.type is not _SUBJECTS[dataset]:
            raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
        if dataset == "cm.positions":
            return await self._fetch_positions(query)
        _note_check_character(query.subject)
        if dataset == "cm.enterprise":
            return await self._fetch_enterprise(query)
        return await self._fetch_verification(query)

    async def _fetch_enterprise(self, query: Query) -> RawRecord | None:
        code = query.subject.identifier
        told = await self._ask(query, _COMPANY, {"uniscid": code})
        if told.code == FOUND:
            return read_enterprise(query.subject, told.records[0])
        if told.code == NONE_HELD:
            return None
        _require_sole_trader(query.subject)
        told = await self._ask(query, _TRADER, {"epbno": code})
        if told.code != FOUND:
            raise AnswerMalformed("a sole trader of which nothing is held")
        return read_sole_trader(query.subject, told.records[0])

    async def _fetch_verification(self, query: Query) -> RawRecord | None:
        asked = _checks(query)
        told = await self._ask(query, _VERIFY, {"uniscid": query.subject.identifier, **asked})
        if told.code == FOUND:
            return read_verification(query.subject, told.records[0], asked)
        if told.code == NONE_HELD:
            return None
        _require_sole_trader(query.subject)
        # The register verifies no sole traders: there is no finding, and no list of differences.
        return {FieldName("all_match"): Finding.NOT_APPLICABLE}

    async def _fetch_positions(self, query: Query) -> RawRecord | None:
        if self.find_lacking(query) is not None:
            raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
        person = {"cerno": query.subject.identifier, "name": require_name(query)}
        told = await self._ask(query, _POSITIONS, person)
        return read_positions(query.subject, told.records) if told.code == FOUND else None

    async def _ask(
        self, query: Query, operation: _Operation, members: Mapping[str, JsonValue]
    ) -> _Told:
        body = encode_json(
            {
                **members,
                "authcode": self._key.authcode,
                "sxbm": query.matter,
                "bjbh": query.case_number,
            }
        )
        answer = await self._send("POST", operation.path, body, query.issued_at_ms, query.deadline)
        code, content = _read_code(answer, operation.codes)
        records = objects(content, "data", at_most=operation.at_most)
        # As many as the code says: a record beside "none held" would be somebody's.
        if bool(records) is not (code == FOUND):
            raise AnswerMalformed("code and number of records disagree")
        return _Told(code=code, records=records)

    async def _send(
        self, method: str, path: str, body: bytes | None, now_ms: int, deadline: float
    ) -> HttpAnswer:
        headers = dict(sign_call(self._key, method, path, body, now_ms))
        if body is not None:
            headers["Content-Type"] = f"{_JSON}; charset=utf-8"
        call = HttpCall(
            method=method,
            path=path,
            body=body,
            headers=headers,
            expect=_JSON,
            # Every operation used here only reads, so the transport may put the question again.
            idempotent=True,
        )
        return await self._transport.fetch(call, deadline)


def _read_code(answer: HttpAnswer, expected: frozenset[str]) -> tuple[str, Members]:
    """Return the code and the whole body of an answer that tells something.

    Raises:
        AnswerMalformed: A code nobody knows, with another status than its own, or of another
            operation.
        DepartmentFailed: The code says why nothing is told.
    """
    content = parse_decimal_object(answer.body)
    code = require_text(content, "code")
    reply = REPLIES.get(code)
    if reply is None or reply.status != answer.status:
        raise AnswerMalformed("code and status are no pair")
    if reply.status == _OK and code not in expected:
        raise AnswerMalformed("a code of another operation")
    if reply.untold is not None:
        # Out of a closed list, so nothing of the department's own text is written down.
        _LOG.warning("commerce register: code %s", code)
        raise DepartmentFailed(reply.untold, cause=reply.cause, code=code)
    return code, content


def _checks(query: Query) -> Mapping[str, str]:
    """Return what is to be verified, by `chk_key`, as it was claimed.

    The name of the subject counts as a claim of it, where no other is made.

    Raises:
        DepartmentFailed: QUESTION_REJECTED when nothing is, or something the register would refuse.
    """
    claims = {"name": query.subject.full_name, **query.claims}
    asked: dict[str, str] = {}
    for key, check in CHECKS.items():
        claimed = claims.get(check.claim)
        if claimed is None:
            continue
        if not 1 <= len(claimed) <= check.longest:
            raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
        asked[key] = claimed
    if not asked:
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return asked


def _require_sole_trader(subject: Subject) -> None:
    if not subject.identifier.startswith(_SOLE_TRADER_PREFIX):
        raise AnswerMalformed("called a sole trader against its own code")


def _note_check_character(subject: Subject) -> None:
    # Some lawful codes fail it, so the register decides; whoever operates may see how many.
    if not parse_uscc(subject.identifier).check_agrees:
        _LOG.warning("commerce register: a credit code fails its check character")
