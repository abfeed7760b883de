"""The catalog: which datasets exist, who provides them, the most that may ever leave of a field.

Knows nothing of agreements or departments' dialects. A ceiling stands here in its own words
(`概化(年)`); `gateway.policy` gives the words their meaning.

INVARIANT: a loaded catalog never changes; a dataset name carries its version (`ps.person_core@1`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from adapters.port import DatasetName, DatasetShape, FieldName, FieldShape, Finding
from gateway.catalog.document import (
    DocumentNode,
    parse_document,
    require_integer,
    require_map,
    require_text,
    require_texts,
)
from gateway.catalog.problems import PolicyReason, refusal

_DATASET_NAME = re.compile(r"[a-z]{2,4}\.[a-z_]{2,40}@[1-9][0-9]{0,3}")
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")  # GB 32100-2015, 4: no I, O, S, V, Z
MAX_RETENTION_DAYS = 3_650
"""Ten years: longer than any case file of the matters M1 to M14 is kept."""


class SharingClass(StrEnum):
    """How the law lets a field be shared (政务数据共享条例; decisions of the sharing authority)."""

    UNCONDITIONAL = "UNCONDITIONAL"
    CONDITIONAL = "CONDITIONAL"
    PREDICATE_ONLY = "PREDICATE_ONLY"
    WITHHELD = "WITHHELD"


class Sensitivity(StrEnum):
    """S1 public, S2 organisational, S3 personal, S4 sensitive personal (PIPL article 28)."""

    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    S4 = "S4"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogField:
    """One field of a dataset."""

    name: FieldName
    title_zh: str
    type: str
    sensitivity: Sensitivity
    sharing_class: SharingClass
    ceiling_text: str
    ceiling_reason: str
    when_absent: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One dataset in one version; `fields` in catalog order."""

    name: DatasetName
    title_zh: str
    title_en: str
    provider: str
    retention_days: int
    further_keys: tuple[str, ...]
    """Names a question may claim besides the subject, e.g. `certificate_no`."""
    fields: tuple[CatalogField, ...]

    def find_field(self, name: str) -> CatalogField | None:
        """Return the field of this name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def build_shape(self) -> DatasetShape:
        """Return what an adapter needs to know of the dataset."""
        fields = tuple(
            FieldShape(name=field.name, type=field.type, when_absent=field.when_absent)
            for field in self.fields
        )
        return DatasetShape(name=self.name, fields=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All datasets by name."""

    datasets: Mapping[DatasetName, Dataset]
    providers: Mapping[str, str]
    """Chinese name of each providing organisation by USCC."""

    def find(self, name: str) -> Dataset | None:
        """Return the dataset of this name and version, or None."""
        return self.datasets.get(DatasetName(name))


def load_catalog(path: Path) -> Catalog:
    """Load a catalog file.

    Raises:
        PolicyRefused: the document is malformed, or CATALOG_BROKEN.
    """
    return parse_catalog(parse_document(path.read_text("utf-8"), path.name))


def parse_catalog(node: DocumentNode) -> Catalog:
    """Turn a parsed document into a catalog.

    Raises:
        PolicyRefused: the document is malformed, or CATALOG_BROKEN.
    """
    root = require_map(node, ("providers", "datasets"))
    providers = {
        uscc: require_text(title)
        for uscc, title in require_map(root["providers"], (), None).items()
    }
    datasets: dict[DatasetName, Dataset] = {}
    for name, entry in require_map(root["datasets"], (), None).items():
        dataset = _parse_dataset(name, entry)
        # The provider's code becomes the issuer that each record has to name.
        if dataset.provider not in providers or not _USCC.fullmatch(dataset.provider):
            raise refusal(
                PolicyReason.CATALOG_BROKEN,
                entry.position,
                f"{name} 的提供方未登记",
                f"the provider of {name} is not listed",
            )
        datasets[dataset.name] = dataset
    return Catalog(datasets=MappingProxyType(datasets), providers=MappingProxyType(providers))


def _parse_dataset(name: str, node: DocumentNode) -> Dataset:
    members = require_map(
        node, ("title_zh", "title_en", "provider", "retention_days", "further_keys", "fields")
    )
    retention = require_integer(members["retention_days"])
    if not _DATASET_NAME.fullmatch(name) or not 1 <= retention <= MAX_RETENTION_DAYS:
        raise refusal(
            PolicyReason.CATALOG_BROKEN,
            node.position,
            f"{name} 的名称或保存天数不合规",
            f"name or retention of {name} is out of range",
        )
    fields = tuple(
        _parse_field(field, entry)
        for field, entry in require_map(members["fields"], (), None).items()
    )
    # Agreements name fields by title: two alike would let one cell mean either.
    if len({field.title_zh for field in fields}) != len(fields):
        raise refusal(
            PolicyReason.CATALOG_BROKEN,
            node.position,
            f"{name} 有两个数据项同名",
            f"two fields of {name} share a title",
        )
    return Dataset(
        name=DatasetName(name),
        title_zh=require_text(members["title_zh"]),
        title_en=require_text(members["title_en"]),
        provider=require_text(members["provider"]),
        retention_days=retention,
        further_keys=require_texts(members["further_keys"]),
        fields=fields,
    )


def _parse_field(name: str, node: DocumentNode) -> CatalogField:
    members = require_map(
        node,
        ("title_zh", "type", "sensitivity", "sharing", "ceiling", "ceiling_reason"),
        ("when_absent",),
    )
    absent = members.get("when_absent")
    try:
        return CatalogField(
            name=FieldName(name),
            title_zh=require_text(members["title_zh"]),
            type=require_text(members["type"]),
            sensitivity=Sensitivity(require_text(members["sensitivity"])),
            sharing_class=SharingClass(require_text(members["sharing"])),
            ceiling_text=require_text(members["ceiling"]),
            ceiling_reason=require_text(members["ceiling_reason"]),
            when_absent=Finding.INDETERMINATE if absent is None else Finding(require_text(absent)),
        )
    except ValueError as unknown:
        raise refusal(
            PolicyReason.CATALOG_BROKEN,
            node.position,
            f"{name} 的分级、共享属性或查无结论不在规定值内",
            f"sensitivity, sharing class or finding of {name} is not a listed value",
        ) from unknown
