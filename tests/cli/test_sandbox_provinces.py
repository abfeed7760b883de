"""The bundle of another province: made of the shipped one, or not at all."""

from pathlib import Path

import pytest

from gateway.cli.sandbox import provinces
from gateway.cli.sandbox.provinces import HRSS, OTHER_HRSS, PROVINCES, ProvinceName
from gateway.policy.bundle import load_bundle
from tests.policy.writing import START

OTHER = PROVINCES[ProvinceName.OTHER]


def test_another_province_provides_its_own_datasets(tmp_path: Path) -> None:
    """Of HRSS's datasets it is the provider, under its own name; M11 is all it agrees to."""
    path = OTHER.make_bundle(tmp_path / "policy")

    bundle = load_bundle(path, START)
    text = (path / "catalog.yaml").read_text("utf-8")
    own = {each.provider for name, each in bundle.catalog.datasets.items() if name[:3] == "hr."}
    assert own == {OTHER_HRSS}
    assert HRSS not in text
    assert f"{OTHER_HRSS}: 外省人力资源和社会保障厅（模拟）" in text
    assert {matter for row in bundle.rows.values() for matter in row.agreement.matters} == {"M11"}


@pytest.mark.parametrize("name", ["HRSS", "_HOME_NAME", "_TRANSFER"])
def test_a_bundle_that_names_things_otherwise_is_not_passed_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Else another province's gateway would run under this province's name."""
    monkeypatch.setattr(provinces, name, "no such name")

    with pytest.raises(RuntimeError, match="no such name"):
        OTHER.make_bundle(tmp_path / "policy")
