"""The catalog of the sandbox: the rules of decisions.md over all its fields."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stdnum.cn import uscc

from adapters.port import Effect, EffectKind, FieldName
from gateway.catalog import CatalogField, Dataset, Sensitivity, SharingClass, load_catalog
from gateway.catalog.problems import PolicyReason, PolicyRefused
from gateway.policy import Bundle
from gateway.policy.effects import applies_to, is_at_most, parse_effect
from tests.policy.conftest import SANDBOX, LoadSmall
from tests.policy.writing import Tree, catalog

GENERATOR = Path(__file__).parents[2] / "deploy" / "catalog" / "generate.py"
COARSE = {EffectKind.MASK, EffectKind.GENERALISE}


def list_fields() -> Iterator[tuple[Dataset, CatalogField]]:
    """Yield every field of the sandbox catalog."""
    for dataset in load_catalog(SANDBOX / "catalog.yaml").datasets.values():
        for field in dataset.fields:
            yield dataset, field


FIELDS = list(list_fields())
IDS = [f"{dataset.name}.{field.name}" for dataset, field in FIELDS]


def list_granted(bundle: Bundle, dataset: str, field: FieldName) -> list[Effect]:
    """Return the highest rung of every cell for a field."""
    return [
        row.agreement.cells[field].steps[0].effect
        for row in bundle.rows.values()
        if row.agreement.dataset == dataset and field in row.agreement.cells
    ]


def test_the_catalog_holds_every_field_of_the_list() -> None:
    """Names, titles, types, sensitivity and sharing are those of datasets.csv, in its order."""
    with GENERATOR.with_name("datasets.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="|"))
    letters = {
        "U": SharingClass.UNCONDITIONAL,
        "C": SharingClass.CONDITIONAL,
        "P": SharingClass.PREDICATE_ONLY,
        "N": SharingClass.WITHHELD,
    }
    listed = [
        (
            f"{r['dataset']}@1",
            r["field"],
            r["name_zh"],
            r["type"],
            r["sensitivity"],
            letters[r["sharing"]],
        )
        for r in rows
    ]

    kept = [
        (d.name, f.name, f.title_zh, f.type, f.sensitivity.value, f.sharing_class)
        for d, f in FIELDS
    ]

    assert len(kept) == 156
    assert kept == listed


def test_the_generator_still_writes_the_catalog() -> None:
    """The checked-in generator and the kept file have not drifted apart."""
    written = subprocess.run(
        [sys.executable, str(GENERATOR)], capture_output=True, check=True, text=True
    )

    assert written.stdout == (SANDBOX / "catalog.yaml").read_text("utf-8")


@pytest.mark.parametrize(("dataset", "field"), FIELDS, ids=IDS)
def test_the_ceiling_is_what_a_matter_needs_or_the_default(
    sandbox: Bundle, dataset: Dataset, field: CatalogField
) -> None:
    """Highest effect of an agreement where one needs the field; else by class and sensitivity."""
    ceiling = parse_effect(field.ceiling_text)
    granted = list_granted(sandbox, dataset.name, field.name)

    if field.sharing_class is SharingClass.WITHHELD:
        assert ceiling.kind is EffectKind.WITHHOLD
        assert granted == []
    elif granted:
        assert field.ceiling_reason.startswith("事项")
        assert all(is_at_most(effect, ceiling) for effect in granted)
        reached = {EffectKind.PREDICATE} if ceiling.kind is EffectKind.PREDICATE else {ceiling.kind}
        assert {effect.kind for effect in granted} & reached
    elif field.sharing_class is SharingClass.PREDICATE_ONLY:
        assert ceiling.kind in {EffectKind.PREDICATE, EffectKind.COMPARE}
    elif field.sharing_class is SharingClass.UNCONDITIONAL or field.sensitivity in {
        Sensitivity.S1,
        Sensitivity.S2,
    }:
        assert ceiling.kind is EffectKind.CLEAR
    elif field.sensitivity is Sensitivity.S3:
        assert ceiling.kind in COARSE
    else:
        assert ceiling.kind is EffectKind.PREDICATE


@pytest.mark.parametrize(("dataset", "field"), FIELDS, ids=IDS)
def test_a_predicate_only_field_never_leaves_as_a_value(
    dataset: Dataset, field: CatalogField
) -> None:
    """Its ceiling is a finding, a comparison, or a listed category that a matter needs."""
    del dataset
    if field.sharing_class is SharingClass.PREDICATE_ONLY:
        assert parse_effect(field.ceiling_text).kind in {EffectKind.PREDICATE, EffectKind.COMPARE}


@pytest.mark.parametrize(("dataset", "field"), FIELDS, ids=IDS)
def test_a_ceiling_has_a_meaning_for_its_field(dataset: Dataset, field: CatalogField) -> None:
    """No ceiling is a mask or a step that could never be applied; lists are hidden whole."""
    effect = parse_effect(field.ceiling_text)
    if not field.type.startswith("list"):
        base = dataset.name.partition("@")[0]
        assert applies_to(effect, base, field.name, field.type)


def test_every_provider_has_a_valid_code_and_every_dataset_a_retention() -> None:
    """Codes carry their check character (GB 32100); retention is 30 to 365 days."""
    kept = load_catalog(SANDBOX / "catalog.yaml")

    assert all(uscc.is_valid(code) for code in kept.providers)
    assert {dataset.provider for dataset in kept.datasets.values()} == set(kept.providers)
    assert all(30 <= dataset.retention_days <= 365 for dataset in kept.datasets.values())


def test_not_found_is_no_only_where_the_register_is_complete() -> None:
    """A diploma, a couple or a kinship that is not found is not a no."""
    absent = {f"{d.name}.{f.name}": f.when_absent.value for d, f in FIELDS}

    assert absent["edu.diploma@1.verified"] == "INDETERMINATE"
    assert absent["ca.marriage_verify@1.is_couple"] == "INDETERMINATE"
    assert absent["ps.person_verify@1.deceased"] == "INDETERMINATE"
    assert absent["ps.death_cancel@1.is_cancelled"] == "NO"
    assert absent["tx.taxpayer@1.in_arrears"] == "NOT_APPLICABLE"


def test_a_shape_has_one_slot_per_field_in_catalog_order(sandbox: Bundle) -> None:
    """What an adapter receives is the catalog's own order and types."""
    dataset = sandbox.catalog.find("edu.diploma@1")
    assert dataset is not None

    shape = dataset.build_shape()

    assert [(s.name, s.type) for s in shape.fields] == [(f.name, f.type) for f in dataset.fields]


def change_field(**changes: str) -> Tree:
    """Return a catalog whose first field is changed."""
    changed = catalog()
    changed["datasets"]["zz.test@1"]["fields"]["person_id"].update(changes)
    return changed


def change_dataset(**changes: object) -> Tree:
    """Return a catalog whose dataset is changed."""
    changed = catalog()
    changed["datasets"]["zz.test@1"].update(changes)
    return changed


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (change_field(ceiling="掩码(六,四)"), PolicyReason.EFFECT_MALFORMED),
        (change_field(sharing="WITHHELD"), PolicyReason.CATALOG_BROKEN),
        (change_field(ceiling="不予提供"), PolicyReason.CATALOG_BROKEN),
        (change_field(sensitivity="S5"), PolicyReason.CATALOG_BROKEN),
        (change_field(when_absent="MAYBE"), PolicyReason.CATALOG_BROKEN),
        (change_field(title_zh="姓名"), PolicyReason.CATALOG_BROKEN),
        (change_field(note="x"), PolicyReason.UNKNOWN_MEMBER),
        (change_dataset(provider="11370000MB2DEM045P"), PolicyReason.CATALOG_BROKEN),
        (change_dataset(retention_days=0), PolicyReason.CATALOG_BROKEN),
        (change_dataset(retention_days=3651), PolicyReason.CATALOG_BROKEN),
        ({**catalog(), "datasets": {"zz.test": {}}}, PolicyReason.MEMBER_MISSING),
    ],
)
def test_a_broken_catalog_is_refused(
    load_small: LoadSmall, broken: Tree, reason: PolicyReason
) -> None:
    """Each with its reason."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(catalog=broken)

    assert refused.value.reasons == {reason}
