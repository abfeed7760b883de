"""How tests ask an adapter and read what it signed."""

import time
from collections.abc import Mapping

from adapters.port import (
    DatasetName,
    DatasetShape,
    Effect,
    EffectKind,
    EndUser,
    FieldName,
    FieldShape,
    Finding,
    Grant,
    NotFound,
    Outcome,
    Query,
    Record,
    Subject,
    SubjectType,
)
from certs.algorithms import Suite, generate_private_key
from certs.identity import SystemId
from signing.encoding import subject_digest
from signing.record import RecordExpectation, VerifiedRecord, record_nonce, verify_record

ORGANISATION = "11370000MB2DEM0287"
AUDIENCE = SystemId("11370000MB2DEM0105/retirement")
NOW_MS = 1_795_420_800_000
"""2026-11-23 16:00 in China."""

CLEAR = Effect(kind=EffectKind.CLEAR)
IS_TRUE = Effect(kind=EffectKind.PREDICATE, parameters=("is_true",))
COMPARE = Effect(kind=EffectKind.COMPARE)

RECORD_KEY = generate_private_key(Suite.ES256)
OFFICER = EndUser(
    name="赵经办",
    identifier="37010219560315002X",
    unit="示例市人社局",
    unit_code="11370100MB2DEM0011",
    call_reason="退休待遇申领核对户籍信息",
)


def shape_of(dataset: str, fields: Mapping[str, str], **absent: Finding) -> DatasetShape:
    """Return a dataset of fields and their catalog types."""
    return DatasetShape(
        name=DatasetName(dataset),
        fields=tuple(
            FieldShape(
                name=FieldName(name),
                type=catalog_type,
                when_absent=absent.get(name, Finding.INDETERMINATE),
            )
            for name, catalog_type in fields.items()
        ),
    )


def query_of(
    dataset: DatasetShape,
    subject: tuple[str, str | None],
    grants: Mapping[str, Effect],
    claims: Mapping[str, str] | None = None,
    seconds: float = 5.0,
) -> Query:
    """Return a query for some fields of a person."""
    return Query(
        request_id=bytes(range(16)),
        item=0,
        audience=AUDIENCE,
        dataset=dataset,
        subject=Subject(type=SubjectType.RESIDENT_ID, identifier=subject[0], full_name=subject[1]),
        grants=tuple(
            Grant(field=FieldName(name), effect=effect) for name, effect in grants.items()
        ),
        claims=claims or {},
        matter="M2",
        case_number="BJ-2026-000001",
        end_user=OFFICER,
        tell_not_found=True,
        issued_at_ms=NOW_MS,
        deadline=time.monotonic() + seconds,
    )


def read_outcome(query: Query, outcome: Outcome) -> VerifiedRecord:
    """Return the verified record of an outcome that carries one."""
    assert isinstance(outcome, Record | NotFound), outcome
    expected = RecordExpectation(
        issuer=ORGANISATION,
        audience=query.audience,
        nonce=record_nonce(query.request_id, query.item),
        dataset=query.dataset.name,
        subject_digest=subject_digest(
            query.request_id, query.subject.type.value, query.subject.identifier
        ),
        now_s=query.issued_at_ms // 1000,
    )
    return verify_record(outcome.sd_jwt, RECORD_KEY.public_key, expected)


def disclosed(query: Query, outcome: Outcome) -> dict[str, str | list[str]]:
    """Return what was disclosed: field → value or finding."""
    values: dict[str, str | list[str]] = {}
    for disclosure in read_outcome(query, outcome).disclosures:
        assert isinstance(disclosure.value, dict)
        content = disclosure.value.get("value", disclosure.value.get("finding"))
        assert isinstance(content, str | list)
        values[disclosure.name] = content if isinstance(content, str) else [str(x) for x in content]
    return values
