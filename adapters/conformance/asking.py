"""Asks one question through the real adapter and reads what it signed.

Every field that is not withheld from everybody is asked for in clear, which no agreement grants: a
form can only be judged by the value. That is why only planted people may stand in a sample.
INVARIANT: values stay in `Told`; nothing of it is printed.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.conformance.endpoint import Endpoint, Offered
from adapters.conformance.sample import Planted, Sample
from adapters.effects.families import Family, family_of
from adapters.port import (
    DatasetName,
    Effect,
    EffectKind,
    FieldShape,
    Grant,
    Indeterminate,
    Lacking,
    NotFound,
    Outcome,
    ProviderAdapter,
    Query,
    Record,
    Subject,
    Untold,
)
from certs.identity import SystemId
from signing.encoding import JsonValue, subject_digest
from signing.errors import RecordRefused
from signing.record import RecordExpectation, record_nonce, verify_record

VERSION: Final = "1"
_AUDIENCE: Final = SystemId("11370000MB2DEM0105/conformance")
_CLEAR: Final = Effect(kind=EffectKind.CLEAR)
_IS_TRUE: Final = "is_true"
_REQUEST_ID_BYTES: Final = 16
# A department that says "come back at once" must not make us spin.
_LEAST_PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an answer may take, in seconds."""

    answer_s: float = 5.0
    job_s: float = 30.0
    """Until a job that is pending has to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came back: the outcome, and of a record what it discloses, field → claim."""

    outcome: Outcome | Lacking | RecordRefused
    claims: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict, repr=False)
    took_s: float = 0.0

    def is_as(self, other: "Told") -> bool:
        """Tell whether both say the same, whatever time they took and however they are signed."""
        mine, theirs = self.outcome, other.outcome
        if isinstance(mine, Untold) or isinstance(theirs, Untold):
            return mine == theirs
        return type(mine) is type(theirs) and self.claims == other.claims


class Asker:
    """Asks about the people of a sample."""

    def __init__(self, endpoint: Endpoint, sample: Sample, patience: Patience) -> None:
        self._endpoint = endpoint
        self._sample = sample
        self.patience: Final = patience

    def offered(self, person: Planted) -> Offered:
        """Return the dataset somebody is asked about in."""
        return self._endpoint.offered[DatasetName(f"{person.dataset}@{VERSION}")]

    async def ask(
        self, adapter: ProviderAdapter, person: Planted, request_id: bytes | None = None
    ) -> Told:
        """Ask, and ask again while the department says that it is at work.

        The same `request_id` makes it the same question.
        """
        request_id = request_id or _draw_request_id()
        pending: bytes | None = None
        give_up_at = time.monotonic() + self.patience.job_s
        while True:
            query = self._build_query(person, request_id, pending)
            lacking = adapter.find_lacking(query)
            if lacking is not None:
                return Told(outcome=lacking)
            began = time.monotonic()
            outcome = await adapter.fetch(query)
            told = self._read(adapter, query, outcome, time.monotonic() - began)
            if not isinstance(outcome, Untold) or outcome.reason is not Indeterminate.PENDING:
                return told
            pause = max(outcome.retry_after_s or 0.0, _LEAST_PAUSE_S)
            if time.monotonic() + pause >= give_up_at:
                return told
            await asyncio.sleep(pause)
            # As a requester comes back: a question of its own that names the one under way.
            pending, request_id = pending or request_id, _draw_request_id()

    def _build_query(self, person: Planted, request_id: bytes, pending: bytes | None) -> Query:
        offered, sample = self.offered(person), self._sample
        officer = sample.officer
        return Query(
            request_id=request_id,
            item=0,
            audience=_AUDIENCE,
            dataset=offered.shape,
            subject=Subject(type=person.type, identifier=person.identifier, full_name=person.name),
            grants=tuple(
                Grant(field=each.name, effect=self._effect(each))
                for each in offered.shape.fields
                if each.name in offered.fields
            ),
            claims=person.claims,
            matter=sample.matter,
            case_number=sample.case_number,
            end_user=None if officer is None else officer.as_end_user(),
            tell_not_found=True,
            issued_at_ms=self._endpoint.now_ms(),
            deadline=time.monotonic() + self.patience.answer_s,
            by_officer=officer is not None,
            pending_request_id=pending,
        )

    def _effect(self, field: FieldShape) -> Effect:
        if family_of(field.type) is not Family.FINDING:
            return _CLEAR
        words = self._sample.predicates.get(field.name, _IS_TRUE).split()
        return Effect(kind=EffectKind.PREDICATE, parameters=tuple(words))

    def _read(
        self, adapter: ProviderAdapter, query: Query, outcome: Outcome, took_s: float
    ) -> Told:
        if not isinstance(outcome, Record | NotFound):
            return Told(outcome=outcome, took_s=took_s)
        expected = RecordExpectation(
            issuer=adapter.organisation,
            audience=query.audience,
            nonce=record_nonce(query.request_id, query.item),
            dataset=query.dataset.name,
            subject_digest=subject_digest(
                query.request_id, query.subject.type.value, query.subject.identifier
            ),
            now_s=query.issued_at_ms // 1000,
        )
        try:
            record = verify_record(outcome.sd_jwt, self._endpoint.record_key, expected)
        except RecordRefused as refused:
            return Told(outcome=refused, took_s=took_s)
        claims = {
            each.name: each.value for each in record.disclosures if isinstance(each.value, dict)
        }
        return Told(outcome=outcome, claims=claims, took_s=took_s)


def _draw_request_id() -> bytes:
    return secrets.token_bytes(_REQUEST_ID_BYTES)
