"""Bodies that list what may be asked, and of whom: never more than the caller's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.port import BreakerState, DatasetName, Effect, FieldName
from gateway.catalog import CatalogField, Dataset
from gateway.statement.answer import AnswerHeader, Body, effect_number, encode_header
from hutong.catalog.v1 import catalog_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementListing:
    """One agreement as its user system may read it."""

    number: str
    dataset: DatasetName
    legal_basis: str
    matters: tuple[str, ...]
    roles: tuple[str, ...]
    valid_from: str
    valid_until: str
    cells: Mapping[FieldName, tuple[str, ...]]
    """Per field the ladder in the agreement's words, highest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetListing:
    """One dataset and the ceilings of its fields."""

    dataset: Dataset
    connected: bool
    ceilings: Mapping[FieldName, Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentFigures:
    """How a department has answered everybody; times in seconds, None where nothing reached it."""

    answered_percent: int
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentCounts:
    """How much a department was asked, and who waits for it now."""

    asked: int
    answered: int
    waiting: int
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentListing:
    """One connected department, as far as one system may know."""

    organisation: str
    datasets: tuple[DatasetName, ...]
    breaker: BreakerState
    figures: DepartmentFigures | None
    counts: DepartmentCounts | None


def encode_agreements_body(
    header: AnswerHeader, policy_digest: bytes, agreements: Sequence[AgreementListing]
) -> Body:
    """Return the body of an answer to ListAgreements."""
    body = catalog_pb2.AgreementsBody(
        header=encode_header(header),
        policy_digest=policy_digest,
        agreements=[_agreement(each) for each in agreements],
    )
    return Body(data=body.SerializeToString(deterministic=True), type=body.DESCRIPTOR.full_name)


def encode_datasets(datasets: Sequence[DatasetListing]) -> bytes:
    """Return the response to ListDatasets."""
    message = catalog_pb2.ListDatasetsResponse(datasets=[_dataset(each) for each in datasets])
    return message.SerializeToString(deterministic=True)


def encode_departments(window_s: int, departments: Sequence[DepartmentListing]) -> bytes:
    """Return the response to ListDepartments."""
    message = catalog_pb2.ListDepartmentsResponse(
        window_s=window_s, departments=[_department(each) for each in departments]
    )
    return message.SerializeToString(deterministic=True)


def _department(listing: DepartmentListing) -> catalog_pb2.Department:
    message = catalog_pb2.Department(
        organisation=listing.organisation,
        datasets=listing.datasets,
        breaker=catalog_pb2.BreakerState.Value(f"BREAKER_STATE_{listing.breaker}"),
    )
    # Set whole or not at all: absent and zero say different things.
    if listing.figures is not None:
        figures = listing.figures
        told = catalog_pb2.DepartmentFigures(
            answered_percent=figures.answered_percent,
            p50_us=_us(figures.p50_s),
            p95_us=_us(figures.p95_s),
        )
        message.figures.CopyFrom(told)
    if listing.counts is not None:
        counts = listing.counts
        counted = catalog_pb2.DepartmentCounts(
            asked=counts.asked, answered=counts.answered, waiting=counts.waiting, room=counts.room
        )
        message.counts.CopyFrom(counted)
    return message


def _us(seconds: float | None) -> int:
    return 0 if seconds is None else round(seconds * 1_000_000)


def _agreement(listing: AgreementListing) -> catalog_pb2.Agreement:
    return catalog_pb2.Agreement(
        number=listing.number,
        dataset=listing.dataset,
        legal_basis=listing.legal_basis,
        matters=listing.matters,
        roles=listing.roles,
        valid_from=listing.valid_from,
        valid_until=listing.valid_until,
        fields=[
            catalog_pb2.AgreementField(field=name, effects=texts)
            for name, texts in listing.cells.items()
        ],
    )


def _dataset(listing: DatasetListing) -> catalog_pb2.Dataset:
    dataset = listing.dataset
    return catalog_pb2.Dataset(
        name=dataset.name,
        title_zh=dataset.title_zh,
        title_en=dataset.title_en,
        provider=dataset.provider,
        connected=listing.connected,
        fields=[_field(each, listing.ceilings.get(each.name)) for each in dataset.fields],
    )


def _field(field: CatalogField, ceiling: Effect | None) -> catalog_pb2.Field:
    return catalog_pb2.Field(
        name=field.name,
        title_zh=field.title_zh,
        type=field.type,
        sharing_class=catalog_pb2.SharingClass.Value(f"SHARING_CLASS_{field.sharing_class}"),
        ceiling=effect_number(ceiling),
        ceiling_text=field.ceiling_text,
    )
