"""`hutong simulate` leads to every simulator there is, and its page names them."""

import re
from importlib.util import find_spec
from pathlib import Path

from gateway.cli.simulate import Department

ROOT = Path(__file__).resolve().parents[2]


def test_every_simulator_can_be_started_by_name() -> None:
    """No department is left out, and none is named that does not exist."""
    packages = (ROOT / "adapters" / "simulators").glob("*/__main__.py")

    assert {path.parent.name for path in packages} == {each.value for each in Department}
    assert all(find_spec(f"adapters.simulators.{each}.__main__") for each in Department)


def test_the_pages_name_every_simulator() -> None:
    """The command line's page and that of the people list the same departments."""
    cli = (ROOT / "docs" / "cli.md").read_text()
    people = (ROOT / "docs" / "population.md").read_text()
    names = {each.value for each in Department}

    (listed,) = re.findall(r"`hutong simulate ([a-z_|]+) …`", cli)

    assert set(listed.split("|")) == names
    assert set(re.findall(r"^python -m adapters\.simulators\.(\w+)", people, re.MULTILINE)) == names
