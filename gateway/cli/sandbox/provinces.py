"""Whose gateway a sandbox runs: this province's HRSS department, or another province's.

Another province has a gateway, a log and tables of its own, over the same planted people with other
lives, and one agreement: what M11 needs of somebody who moved.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gateway.cli.sandbox.seats import make_bundle
from gateway.cli.sandbox.simulated import PREFIXES

HRSS: Final = "11370000MB2DEM0105"
OTHER_HRSS: Final = "11440000MB2DEM1090"
_OWN: Final = "hrss"
_TRANSFER: Final = "m11-transfer.yaml"


class ProvinceName(StrEnum):
    """Which province a sandbox is of."""

    HOME = "home"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """One province's HRSS department and what its gateway connects."""

    hrss: str
    """USCC of the department that runs the gateway."""
    origin: str
    """Of its log."""
    departments: Mapping[str, str]
    """Connected departments, with the prefix of their datasets."""
    make_bundle: Callable[[Path], Path]
    """Writes its policy bundle into a folder; returns where it lies."""


def _make_other_bundle(folder: Path) -> Path:
    """Copy the shipped bundle, with another provider of HRSS's datasets and M11 alone.

    Raises:
        RuntimeError: the shipped bundle names the provider or the agreement otherwise than here.
    """
    shutil.copytree(Path(str(files("gateway"))) / "bundle", folder)
    catalog = folder / "catalog.yaml"
    text = _replaced(catalog.read_text("utf-8"), HRSS, OTHER_HRSS)
    catalog.write_text(_replaced(text, _HOME_NAME, _OTHER_NAME), "utf-8")
    agreements = folder / "agreements"
    if not (agreements / _TRANSFER).exists():
        raise RuntimeError(f"the shipped bundle has no {_TRANSFER}")
    for path in agreements.glob("*.yaml"):
        if path.name != _TRANSFER:
            path.unlink()
    return folder


def _replaced(text: str, old: str, new: str) -> str:
    # A name that is changed in the bundle and not here would leave this province's in its place.
    if old not in text:
        raise RuntimeError(f"the shipped catalog does not name {old}")
    return text.replace(old, new)


_HOME_NAME: Final = "省人力资源和社会保障厅（模拟）"
_OTHER_NAME: Final = "外省人力资源和社会保障厅（模拟）"
PROVINCES: Final[Mapping[ProvinceName, Province]] = MappingProxyType(
    {
        ProvinceName.HOME: Province(
            hrss=HRSS,
            origin="sandbox.invalid/hutong/log",
            departments=PREFIXES,
            make_bundle=make_bundle,
        ),
        ProvinceName.OTHER: Province(
            hrss=OTHER_HRSS,
            origin="sandbox.invalid/other-province/log",
            departments=MappingProxyType({_OWN: PREFIXES[_OWN]}),
            make_bundle=_make_other_bundle,
        ),
    }
)
HOME: Final = PROVINCES[ProvinceName.HOME]
