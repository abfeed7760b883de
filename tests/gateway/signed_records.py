"""Records as a department could sign them, honest or not."""

import dataclasses
from collections.abc import Mapping

from adapters.port import Query, Record
from signing.encoding import subject_digest
from signing.record import (
    Custody,
    DisclosedValue,
    RecordClaims,
    RecordState,
    issue_record,
    record_nonce,
)
from signing.signer import Signer
from tests.gateway.core import SpyAdapter

VALUES = {
    "full_name": "王**",
    "sex": "1",
    "birth_date": "1956-03-15",
    "registered_address": "山东省济南市历下区",
    "person_state": "正常",
}


def claims_of(query: Query, issuer: str) -> RecordClaims:
    """Return the claims that answer one query."""
    subject = query.subject
    return RecordClaims(
        issuer=issuer,
        audience=query.audience,
        nonce=record_nonce(query.request_id, query.item),
        dataset=query.dataset.name,
        custody=Custody.EMBEDDED,
        subject_digest=subject_digest(query.request_id, subject.type.value, subject.identifier),
        state=RecordState.FOUND,
        issued_at_s=query.issued_at_ms // 1000,
        expires_at_s=query.issued_at_ms // 1000 + 300,
    )


def disclosed_of(query: Query) -> dict[str, DisclosedValue]:
    """Return what was granted, as it was granted."""
    return {
        grant.field: {"effect": grant.effect.code, "value": VALUES[grant.field]}
        for grant in query.grants
    }


def signed(
    spy: SpyAdapter,
    query: Query,
    disclosed: Mapping[str, DisclosedValue],
    *,
    signer: Signer | None = None,
    **changes: object,
) -> Record:
    """Sign disclosures for one query, with claims changed."""
    claims = dataclasses.replace(claims_of(query, spy.organisation), **changes)  # type: ignore[arg-type] # names vary
    slots = [shape.name for shape in query.dataset.fields]
    return Record(sd_jwt=issue_record(signer or spy.source.signer, claims, slots, disclosed))
