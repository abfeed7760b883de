"""Which adapter answers for which dataset, built from configuration values.

Knows no policy. Opens no file by itself: `Means` does.
INVARIANT: each dataset has exactly one adapter. One that nothing serves has none, and whoever asks
is told that its department is not connected, never that nothing was found.
"""

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import AdapterMisconfigured
from adapters.kind import Kind, Means, Parts
from adapters.kinds import (
    bank,
    civil_affairs,
    commerce,
    education,
    health,
    hrss,
    public_security,
    tax,
)
from adapters.port import DatasetName, KeepsCopy, ProviderAdapter
from adapters.provider_node import Served, build_remote
from adapters.records import RecordSource
from adapters.settings import DepartmentConfig, DepartmentsConfig, NodeSection

KINDS: Final[Mapping[str, Kind[Any]]] = MappingProxyType(
    {
        "bank": bank.KIND,
        "civil_affairs": civil_affairs.KIND,
        "commerce": commerce.KIND,
        "education": education.KIND,
        "public_security": public_security.KIND,
        "health": health.KIND,
        "hrss": hrss.KIND,
        "tax": tax.KIND,
    }
)
"""Every kind, by the name of its section in `DepartmentsConfig`."""
_VERSION: Final = "1"


class AdapterRegistry:
    """Finds the adapter of a dataset."""

    def __init__(self, adapters: Iterable[ProviderAdapter]) -> None:
        """Index adapters by dataset.

        Raises:
            AdapterMisconfigured: Two adapters serve one dataset, or are of one organisation.
        """
        self._adapters = tuple(adapters)
        organisations = [adapter.organisation for adapter in self._adapters]
        # Health, metrics and the board tell of a department by its organisation.
        if len(set(organisations)) < len(organisations):
            raise AdapterMisconfigured("two adapters are of one organisation")
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

    def begin(self) -> None:
        """Let adapters that keep copies begin to; needs a running event loop."""
        for adapter in self._adapters:
            if isinstance(adapter, KeepsCopy):
                adapter.begin()

    async def close(self) -> None:
        """Close every adapter."""
        await asyncio.gather(*(adapter.close() for adapter in self._adapters))


def build_registry(config: DepartmentsConfig, means: Means) -> AdapterRegistry:
    """Build the adapter of every department that is configured.

    Raises:
        AdapterMisconfigured: a section that cannot work, a key the department does not take, a kind
            whose datasets the catalog gives to nobody or to two organisations, or a dataset of the
            catalog that looks like a kind's and is unknown to it.
    """
    sections = {name: getattr(config, name) for name in KINDS}
    return AdapterRegistry(
        build_adapter(name, section, means)
        for name, section in sections.items()
        if section is not None
    )


def build_adapter(
    name: str, section: DepartmentConfig | NodeSection, means: Means
) -> ProviderAdapter:
    """Build the adapter of one kind, for the datasets of it that the catalog has.

    Raises:
        AdapterMisconfigured: see `build_registry`.
    """
    kind = KINDS[name]
    datasets = _served(name, kind, means)
    organisations = {means.providers[each] for each in datasets}
    # One key signs for one department: two of them behind one source would share a signature.
    if len(organisations) != 1:
        count = "more than one provider" if organisations else "none"
        raise AdapterMisconfigured(f"departments.{name}: the catalog gives its datasets {count}")
    organisation = organisations.pop()
    if isinstance(section, NodeSection):
        served = Served(
            organisation=organisation, datasets=datasets, find_lacking=kind.find_lacking
        )
        return build_remote(section.node, served, means)
    source = RecordSource(
        organisation=organisation,
        signer=means.load_signer(section.record_key),
        custody=means.custody,
    )
    return kind.build(section, Parts(source=source, datasets=datasets, means=means))


def _served(name: str, kind: Kind[Any], means: Means) -> frozenset[DatasetName]:
    prefixes = tuple({f"{dataset.partition('.')[0]}." for dataset in kind.datasets})
    alike = {each for each in means.providers if each.startswith(prefixes)}
    served = {DatasetName(f"{dataset}@{_VERSION}") for dataset in kind.datasets}
    passed_over = {f"{dataset}@{_VERSION}" for dataset in kind.unserved}
    # A later version may have other fields; its records would lack slots, or it would be told as
    # not connected, and nobody had said so.
    unknown = sorted(alike - served - passed_over)
    if unknown:
        raise AdapterMisconfigured(f"departments.{name}: this kind cannot serve {unknown[0]}")
    return frozenset(alike & served)
