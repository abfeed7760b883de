"""Which adapter answers for which dataset, built from configuration values.

Knows no policy. Reads no file and no environment: `gateway.config` did.
INVARIANT: each dataset has exactly one adapter; one that nothing serves is told as not connected,
never as not found.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.errors import AdapterMisconfigured
from adapters.kinds import education, hrss, public_security
from adapters.port import (
    AdapterHealth,
    DatasetName,
    Indeterminate,
    Lacking,
    Outcome,
    ProviderAdapter,
    Query,
    Untold,
)
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFace:
    """Where a department is reached and how much of us it may take."""

    base_url: str
    limits: TransportLimits = field(default_factory=TransportLimits)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HrssDepartment:
    """The department's own tables."""

    source: RecordSource
    datasets: frozenset[DatasetName]
    database: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EducationDepartment:
    """The education department."""

    source: RecordSource
    datasets: frozenset[DatasetName]
    face: HttpFace
    identity: education.ClientIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSecurityDepartment:
    """The population register."""

    source: RecordSource
    datasets: frozenset[DatasetName]
    face: HttpFace
    identity: public_security.ServiceIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconnectedDepartment:
    """A department the catalog names and nothing connects to."""

    organisation: str
    datasets: frozenset[DatasetName]


Department = HrssDepartment | EducationDepartment | PublicSecurityDepartment | UnconnectedDepartment


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconnectedAdapter:
    """Tells of every query that its department is not connected."""

    organisation: str
    datasets: frozenset[DatasetName]

    def find_lacking(self, query: Query) -> Lacking | None:  # noqa: ARG002 - the port's signature
        """Return None: who is not connected demands nothing."""
        return None

    async def fetch(self, query: Query) -> Outcome:  # noqa: ARG002 - the port's signature
        """Return that there is no connection."""
        return Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)

    async def examine_health(self) -> AdapterHealth:
        """Report that there is no connection."""
        return AdapterHealth(reachable=False, detail=Indeterminate.PROVIDER_NOT_CONNECTED.value)

    async def close(self) -> None:
        """Do nothing: nothing is open."""


class AdapterRegistry:
    """Finds the adapter of a dataset."""

    def __init__(self, adapters: Iterable[ProviderAdapter]) -> None:
        """Index adapters by dataset.

        Raises:
            AdapterMisconfigured: Two adapters serve one dataset.
        """
        self._adapters = tuple(adapters)
        self._by_dataset: dict[DatasetName, ProviderAdapter] = {}
        for adapter in self._adapters:
            for dataset in adapter.datasets:
                if dataset in self._by_dataset:
                    raise AdapterMisconfigured(f"two adapters serve {dataset}")
                self._by_dataset[dataset] = adapter

    @property
    def adapters(self) -> tuple[ProviderAdapter, ...]:
        """All adapters, in the order they were given."""
        return self._adapters

    @property
    def by_dataset(self) -> Mapping[DatasetName, ProviderAdapter]:
        """Adapters by dataset."""
        return self._by_dataset

    async def close(self) -> None:
        """Close every adapter."""
        await asyncio.gather(*(adapter.close() for adapter in self._adapters))


def build_registry(departments: Sequence[Department], now_ms: Callable[[], int]) -> AdapterRegistry:
    """Build every adapter of a configuration.

    Raises:
        AdapterMisconfigured: A dataset twice, a dataset its kind cannot serve, a bad address, or a
            key the department does not take.
    """
    return AdapterRegistry([_build_adapter(department, now_ms) for department in departments])


def _build_adapter(department: Department, now_ms: Callable[[], int]) -> ProviderAdapter:
    match department:
        case HrssDepartment():
            _require_served(department.datasets, hrss.DATASETS)
            return hrss.HrssAdapter(
                source=department.source,
                datasets=department.datasets,
                database=department.database,
            )
        case EducationDepartment():
            _require_served(department.datasets, education.DATASETS)
            return education.EducationAdapter(
                source=department.source,
                datasets=department.datasets,
                transport=_build_transport("education", department.face),
                identity=department.identity,
                now_ms=now_ms,
            )
        case PublicSecurityDepartment():
            _require_served(department.datasets, public_security.DATASETS)
            return public_security.PublicSecurityAdapter(
                source=department.source,
                datasets=department.datasets,
                transport=_build_transport("public_security", department.face),
                identity=department.identity,
                now_ms=now_ms,
            )
        case UnconnectedDepartment():
            return UnconnectedAdapter(
                organisation=department.organisation, datasets=department.datasets
            )


def _build_transport(name: str, face: HttpFace) -> DepartmentTransport:
    return DepartmentTransport(
        department=name, base_url=face.base_url, limits=face.limits, tls=face.tls
    )


def _require_served(datasets: frozenset[DatasetName], served: frozenset[str]) -> None:
    for dataset in datasets:
        name, _, version = dataset.partition("@")
        # A later version may have other fields; its records would lack slots in silence.
        if name not in served or version != "1":
            raise AdapterMisconfigured(f"this kind cannot serve {dataset}")
