"""What proven bodies say, as values: answers, explanations, agreements."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from google.protobuf.duration_pb2 import Duration

from hutong.catalog.v1 import catalog_pb2
from hutong.client.answers import (
    Agreement,
    Agreements,
    Answered,
    AnswerState,
    BreakerState,
    Dataset,
    DatasetField,
    Department,
    DepartmentCounts,
    DepartmentFigures,
    Departments,
    Effect,
    Explained,
    ExplainedField,
    FieldOutcome,
    IndeterminateReason,
)
from hutong.client.errors import Unproven
from hutong.client.proof import Proven, Proving
from hutong.client.questions import DatasetQuery
from hutong.client.reasons import ClientReason
from hutong.client.records import match_fields, require_record, require_state
from hutong.client.requests import SignedRequest
from hutong.exchange.v1 import exchange_pb2

_DIGEST_BYTES: Final = 32
_NANOS_PER_S: Final = 1_000_000_000
_US_PER_S: Final = 1_000_000


def build_answered(
    proving: Proving,
    request: SignedRequest,
    item: int,
    proven: Proven[exchange_pb2.AnswerBody],
) -> Answered:
    """Judge what a proven answer says, with the record behind it.

    Raises:
        Unproven: QUERY_MISMATCH, FIELDS_MISMATCH, STATE_INCONSISTENT, or a reason of the record.
    """
    body, query = proven.body, request.queries[item]
    _require_query(query, body.agreement, body.dataset, body.policy_digest)
    _require_fields(query, [answer.field for answer in body.fields])
    state, reason = _state(body)
    # Also with NOT_FOUND: that nothing is held is the department's word, not the gateway's.
    record = None
    if body.record:
        record = require_record(proving.identity, request, item, body, proving.now_ms())
        require_state(record, state)
    fields = match_fields(tuple(body.fields), record)
    # Findings may stand with NOT_FOUND ("no contribution"), values never.
    if state is not AnswerState.ANSWERED and any(
        each.outcome is FieldOutcome.VALUE for each in fields
    ):
        raise Unproven(ClientReason.STATE_INCONSISTENT, "values")
    return Answered(
        request_id=request.request_id,
        item=item,
        agreement=body.agreement,
        dataset=body.dataset,
        state=state,
        indeterminate_reason=reason,
        retry_after_s=seconds_of(body.retry_after) if body.HasField("retry_after") else None,
        fields=fields,
        delete_by=_moment(body),
        provider=body.provider,
        policy_digest=body.policy_digest,
        receipt=proven.receipt,
        record=body.record or None,
    )


def build_explained(request: SignedRequest, proven: Proven[exchange_pb2.ExplainBody]) -> Explained:
    """Judge what a proven explanation says.

    Raises:
        Unproven: QUERY_MISMATCH, FIELDS_MISMATCH.
    """
    body, query = proven.body, request.queries[0]
    _require_query(query, body.agreement, body.dataset, body.policy_digest)
    _require_fields(query, [each.field for each in body.fields])
    return Explained(
        request_id=request.request_id,
        agreement=body.agreement,
        dataset=body.dataset,
        policy_digest=body.policy_digest,
        fields=tuple(
            ExplainedField(
                name=each.field,
                effect=_effect(exchange_pb2.Effect.Name(each.effect)),
                effect_text=each.effect_text,
                depends_on_subject=each.depends_on_subject,
                text_zh=each.text_zh,
                text_en=each.text_en,
            )
            for each in body.fields
        ),
        receipt=proven.receipt,
    )


def build_agreements(
    request: SignedRequest, proven: Proven[catalog_pb2.AgreementsBody]
) -> Agreements:
    """Return the proven list of agreements."""
    return Agreements(
        request_id=request.request_id,
        policy_digest=proven.body.policy_digest,
        agreements=tuple(
            Agreement(
                number=each.number,
                dataset=each.dataset,
                legal_basis=each.legal_basis,
                matters=tuple(each.matters),
                roles=tuple(each.roles),
                valid_from=each.valid_from,
                valid_until=each.valid_until,
                fields=tuple((cell.field, tuple(cell.effects)) for cell in each.fields),
            )
            for each in proven.body.agreements
        ),
        receipt=proven.receipt,
    )


def build_datasets(response: catalog_pb2.ListDatasetsResponse) -> tuple[Dataset, ...]:
    """Return the catalog as listed; nothing signs it."""
    return tuple(
        Dataset(
            name=each.name,
            title_zh=each.title_zh,
            title_en=each.title_en,
            provider=each.provider,
            connected=each.connected,
            fields=tuple(
                DatasetField(
                    name=one.name,
                    title_zh=one.title_zh,
                    type=one.type,
                    sharing_class=catalog_pb2.SharingClass.Name(one.sharing_class).removeprefix(
                        "SHARING_CLASS_"
                    ),
                    ceiling=_effect(exchange_pb2.Effect.Name(one.ceiling)),
                    ceiling_text=one.ceiling_text,
                )
                for one in each.fields
            ),
        )
        for each in response.datasets
    )


def build_departments(response: catalog_pb2.ListDepartmentsResponse) -> Departments:
    """Return how departments have answered, as listed; nothing signs it.

    Raises:
        Unproven: PAYLOAD_MALFORMED: a breaker whose state is not stated.
    """
    return Departments(
        window_s=response.window_s,
        departments=tuple(_department(each) for each in response.departments),
    )


def _department(listed: catalog_pb2.Department) -> Department:
    return Department(
        organisation=listed.organisation,
        datasets=tuple(listed.datasets),
        breaker=_breaker(listed.breaker),
        figures=_figures(listed.figures) if listed.HasField("figures") else None,
        counts=_counts(listed.counts) if listed.HasField("counts") else None,
    )


def _figures(told: catalog_pb2.DepartmentFigures) -> DepartmentFigures:
    # 0 says that no question reached it (catalog.proto).
    return DepartmentFigures(
        answered_percent=told.answered_percent,
        p50_s=told.p50_us / _US_PER_S if told.p50_us else None,
        p95_s=told.p95_us / _US_PER_S if told.p95_us else None,
    )


def _counts(told: catalog_pb2.DepartmentCounts) -> DepartmentCounts:
    return DepartmentCounts(
        asked=told.asked, answered=told.answered, waiting=told.waiting, room=told.room
    )


def _breaker(number: catalog_pb2.BreakerState.ValueType) -> BreakerState:
    try:
        name = catalog_pb2.BreakerState.Name(number)
        return BreakerState(name.removeprefix("BREAKER_STATE_"))
    except ValueError as cause:
        raise Unproven(ClientReason.PAYLOAD_MALFORMED, "breaker is not stated") from cause


def seconds_of(duration: Duration) -> float:
    """Return a duration in seconds; what is no sensible time to wait counts as none."""
    return max(0.0, duration.seconds + duration.nanos / _NANOS_PER_S)


def _require_query(query: DatasetQuery, agreement: str, dataset: str, policy: bytes) -> None:
    if (agreement, dataset) != (query.agreement, query.dataset):
        raise Unproven(ClientReason.QUERY_MISMATCH)
    if len(policy) != _DIGEST_BYTES:
        raise Unproven(ClientReason.PAYLOAD_MALFORMED, "policy digest")


def _require_fields(query: DatasetQuery, answered: Sequence[str]) -> None:
    """Demand one answer per field asked, in the order asked: none missing, none more."""
    if tuple(answered) != query.fields:
        raise Unproven(ClientReason.FIELDS_MISMATCH)


def _state(body: exchange_pb2.AnswerBody) -> tuple[AnswerState, IndeterminateReason | None]:
    name = exchange_pb2.AnswerState.Name(body.state).removeprefix("ANSWER_STATE_")
    reason_name = exchange_pb2.IndeterminateReason.Name(body.indeterminate_reason).removeprefix(
        "INDETERMINATE_REASON_"
    )
    if name == "UNSPECIFIED":
        raise Unproven(ClientReason.STATE_INCONSISTENT, "not stated")
    state = AnswerState(name)
    reason = None if reason_name == "UNSPECIFIED" else IndeterminateReason(reason_name)
    if (state is AnswerState.INDETERMINATE) != (reason is not None):
        raise Unproven(ClientReason.STATE_INCONSISTENT, "reason")
    # NOT_FOUND too: that nothing is held is the department's word, never the gateway's alone.
    if state is not AnswerState.INDETERMINATE and not body.record:
        raise Unproven(ClientReason.RECORD_MISSING)
    if state is AnswerState.INDETERMINATE and body.record:
        raise Unproven(ClientReason.RECORD_UNEXPECTED)
    return state, reason


def _moment(body: exchange_pb2.AnswerBody) -> datetime | None:
    if not body.HasField("delete_by"):
        return None
    try:
        return body.delete_by.ToDatetime(tzinfo=UTC)
    except ValueError as cause:
        raise Unproven(ClientReason.PAYLOAD_MALFORMED, "delete_by") from cause


def _effect(name: str) -> Effect:
    try:
        return Effect(name.removeprefix("EFFECT_"))
    except ValueError as cause:
        raise Unproven(ClientReason.PAYLOAD_MALFORMED, "effect is not stated") from cause
