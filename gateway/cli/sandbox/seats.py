"""Seats for newcomers: systems that agreements exist for before anybody has their keys.

The policy of a running gateway is pinned by its digest, so no agreement can be slipped in later.
The sandbox therefore copies the bundle it ships with and adds one agreement file for three seats.
"""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Final

NEWCOMER: Final = "11370000MB2DEM0960"
"""USCC of the simulated organisation that newcomers belong to."""
SEATS: Final = ("newcomer-1", "newcomer-2", "newcomer-3")
MATTER: Final = "M2"


def seat_system(slug: str) -> str:
    """Return the system id of a seat."""
    return f"{NEWCOMER}/{slug}"


def make_bundle(folder: Path) -> Path:
    """Copy the shipped bundle into a folder, with the agreements of the seats; return the copy."""
    shutil.copytree(Path(str(files("gateway"))) / "bundle", folder)
    template = (files("gateway.cli.sandbox") / "newcomers.yaml").read_text("utf-8")
    text = "".join(
        template.format(seat=number, system=seat_system(slug))
        for number, slug in enumerate(SEATS, start=1)
    )
    (folder / "agreements" / "newcomers.yaml").write_text(text, "utf-8")
    return folder
