"""The policy of the bench is the one that ships, cut to one matter, with other quotas."""

from datetime import date
from pathlib import Path

from bench.world import EDUCATION, PARTICIPATION, write_raised_bundle
from gateway.policy.bundle import load_bundle


def test_raised_bundle_loads_and_holds_both_lanes(tmp_path: Path) -> None:
    """Every agreement that is measured stands in it, and what it releases is as shipped."""
    path = write_raised_bundle(tmp_path / "bundle")

    bundle = load_bundle(path, date(2026, 11, 23))

    numbers = {row.agreement.number for row in bundle.rows.values()}
    assert {PARTICIPATION.agreement, EDUCATION.agreement} <= numbers


def test_raised_bundle_differs_from_the_shipped_in_quotas_alone(tmp_path: Path) -> None:
    """Nothing else is made easier for the sake of a figure."""
    name = Path("agreements") / "m02-retirement.yaml"
    shipped = Path(__file__).parents[2] / "gateway" / "bundle" / name

    raised = write_raised_bundle(tmp_path / "bundle") / name

    pairs = zip(
        shipped.read_text("utf-8").splitlines(), raised.read_text("utf-8").splitlines(), strict=True
    )
    assert {old.strip()[:3] for old, new in pairs if old != new} == {"频次:"}
