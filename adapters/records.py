"""The last step of every dialect: a raw record becomes a signed record of what was granted.

Knows no dialect. Drops what was not granted, applies each effect, binds the result to the request,
the asking system and the subject, and signs it as SD-JWT (RFC 9901) with the department's key.
INVARIANT: the raw record ends here; only disclosures of granted fields go on.
INVARIANT: a foreseen fault of a department becomes `Untold`; nothing is released of what nobody
foresaw.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.causes import Cause
from adapters.effects import FieldContext, apply_effect, apply_when_not_found
from adapters.effects.families import RawValue
from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed, EffectNotApplicable
from adapters.mapping.dates import day_of_ms
from adapters.mapping.identifiers import kind_of_field, parse_resident_id, parse_uscc
from adapters.mapping.names import is_held_name
from adapters.port import (
    FieldName,
    Indeterminate,
    NotFound,
    Outcome,
    Query,
    Record,
    Subject,
    SubjectType,
    Untold,
)
from adapters.transport import RESERVE_S
from signing.encoding import subject_digest
from signing.errors import SigningError
from signing.record import (
    WITHHELD,
    Custody,
    DisclosedValue,
    RecordClaims,
    RecordState,
    issue_record,
    record_nonce,
)
from signing.signer import Signer

_LOG: Final = logging.getLogger(__name__)

# Seconds a record lives (decisions.md, "Where effects are applied": exp <= 300 s).
RECORD_LIFE_S: Final = 300

RawRecord = Mapping[FieldName, RawValue]
"""What a department answered, in our spelling, before any effect; lives inside one `fetch` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSource:
    """Whose records these are, and the key that signs them."""

    organisation: str
    signer: Signer = field(repr=False)
    custody: Custody = Custody.EMBEDDED
    """Where that key lives: in a gateway's process, or at the department's own node."""


async def settle(
    source: RecordSource, query: Query, fetching: Awaitable[RawRecord | None]
) -> Outcome:
    """Await a raw record within the deadline and return the outcome; None means none is held.

    Time-outs, faults of the department and values that no record can carry become `Untold`.
    Cancellation and unforeseen errors pass.
    """
    # No `except Exception` here. An unforeseen error is a mistake of ours, not the department's,
    # and must look like one: the exchange, which trusts no adapter to catch everything, has the one
    # broad place around the call; it counts the error, logs its type and answers PROVIDER_FAULT.
    # A second net here would hide the type and still leave adapters without it uncaught.
    try:
        # Later than the transport's own end, which tells a breaker what happened.
        async with asyncio.timeout(query.deadline - time.monotonic() - RESERVE_S / 2):
            raw = await fetching
        return build_outcome(source, query, raw)
    except TimeoutError:
        return Untold(reason=Indeterminate.PROVIDER_TIMEOUT, cause=Cause.ANSWER_LATE)
    except (AdapterError, SigningError) as failed:
        return _untold(query, failed)


def settle_at_once(
    source: RecordSource, query: Query, read: Callable[[], RawRecord | None]
) -> Outcome:
    """Read a raw record that nobody has to wait for and return the outcome, as `settle` does."""
    try:
        return build_outcome(source, query, read())
    except (AdapterError, SigningError) as failed:
        return _untold(query, failed)


def _untold(query: Query, failed: AdapterError | SigningError) -> Untold:
    if isinstance(failed, DepartmentFailed):
        _LOG.info("dataset %s: %s", query.dataset.name, failed.reason)
        return Untold(
            reason=failed.reason,
            retry_after_s=failed.retry_after_s,
            cause=failed.cause,
            detail=failed.code,
        )
    # A value no record can carry (a lone surrogate, 64 KiB) is malformed as well.
    _LOG.warning("dataset %s: %s", query.dataset.name, failed)
    cause = failed.cause if isinstance(failed, AnswerMalformed) else Cause.FORM
    return Untold(reason=Indeterminate.PROVIDER_MALFORMED, cause=cause, detail=str(failed))


def build_outcome(source: RecordSource, query: Query, raw: RawRecord | None) -> Record | NotFound:
    """Apply the granted effects to a raw record and sign what is left.

    Where the agreement does not let it be told whether a record exists, the record does not say so
    either: it states NOT_TOLD for both, because a department signs nothing that is untrue.
    """
    issued_at_s = query.issued_at_ms // 1000
    claims = RecordClaims(
        issuer=source.organisation,
        audience=query.audience,
        nonce=record_nonce(query.request_id, query.item),
        dataset=query.dataset.name,
        custody=source.custody,
        subject_digest=subject_digest(
            query.request_id, query.subject.type.value, query.subject.identifier
        ),
        state=_told_state(query, raw),
        issued_at_s=issued_at_s,
        expires_at_s=issued_at_s + RECORD_LIFE_S,
    )
    slots = [shape.name for shape in query.dataset.fields]
    compact = issue_record(source.signer, claims, slots, _disclose(query, raw))
    # Signed as well: that nothing is held is a statement the requester may have to prove.
    return NotFound(sd_jwt=compact) if raw is None else Record(sd_jwt=compact)


def _disclose(query: Query, raw: RawRecord | None) -> Mapping[str, DisclosedValue]:
    today = day_of_ms(query.issued_at_ms)
    grants = {grant.field: grant for grant in query.grants}
    disclosed: dict[str, DisclosedValue] = {}
    # In the catalog's order: the order of grants would tell how the rule is written.
    for shape in query.dataset.fields:
        grant = grants.get(shape.name)
        if grant is None:
            continue
        context = FieldContext(
            shape=shape,
            identifier=kind_of_field(dataset_of(query), shape.name, shape.type),
            claimed=query.claims.get(shape.name),
            today=today,
        )
        try:
            if raw is None:
                disclosure = apply_when_not_found(grant, context)
            else:
                disclosure = apply_effect(grant, context, raw.get(shape.name))
        except EffectNotApplicable as cause:
            _LOG.warning("dataset %s field %s: %s", query.dataset.name, shape.name, cause)
            # Said, not left out: left out it would read as "the department has no value".
            disclosed[shape.name] = WITHHELD
            continue
        if disclosure is not None:
            disclosed[shape.name] = disclosure.encode_claim(grant.effect)
    return disclosed


def _told_state(query: Query, raw: RawRecord | None) -> RecordState:
    """Return whether a record exists, as far as the requester may know."""
    # The same word for both: a difference here would be the answer that is withheld.
    if not query.tell_not_found:
        return RecordState.NOT_TOLD
    return RecordState.NOT_FOUND if raw is None else RecordState.FOUND


def require_subject(subject: Subject, identifier: str, full_name: str | None = None) -> None:
    """Prove that an answer is of the subject that was asked about.

    Raises:
        DepartmentFailed: SUBJECT_MISMATCH when the identifier or the name is another's.
    """
    named = subject.full_name is not None and full_name is not None
    # A department that mixes up two answers must not have one person's data signed for another.
    if _normal(subject.type, identifier) != subject.identifier:
        raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH, cause=Cause.OTHER_PERSON)
    if named and not is_held_name(subject.full_name or "", full_name or ""):
        raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH, cause=Cause.OTHER_PERSON)


def require_name(query: Query) -> str:
    """Return the name departments demand beside the number.

    Raises:
        DepartmentFailed: QUESTION_REJECTED, as the department itself would refuse such a question.
    """
    if not query.subject.full_name:
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)
    return query.subject.full_name


def require_subject_type(query: Query, kind: SubjectType) -> None:
    """Demand that a question is about a subject the department has records of.

    Raises:
        DepartmentFailed: QUESTION_REJECTED: that it holds none of another kind would be signed as
            "no", about whom it was never asked.
    """
    if query.subject.type is not kind:
        raise DepartmentFailed(Indeterminate.QUESTION_REJECTED)


def dataset_of(query: Query) -> str:
    """Return the name of the dataset without its version, e.g. `edu.diploma`."""
    return query.dataset.name.partition("@")[0]


def _normal(kind: SubjectType, identifier: str) -> str:
    try:
        if kind is SubjectType.RESIDENT_ID:
            return parse_resident_id(identifier)
        return parse_uscc(identifier).code
    except AnswerMalformed:
        # An identifier that is none is nobody's, least of all the subject's.
        return ""
