"""Whoever adds a kind of department is told which table does not have it yet."""

from pathlib import Path

import pytest

from adapters.registry import KINDS
from gateway.cli.sandbox.simulated import PREFIXES

ROOT = Path(__file__).parents[2]


def test_every_kind_is_connected_in_the_sandbox() -> None:
    """A kind that is not would be tried by nobody before a real department is asked."""
    assert set(PREFIXES) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_the_sandbox_knows_the_datasets_of_a_kind_by_their_prefix(name: str) -> None:
    """By it the sandbox finds whose records a key signs."""
    prefixes = {f"{dataset.partition('.')[0]}." for dataset in KINDS[name].datasets}

    assert prefixes == {PREFIXES[name]}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/operations/config.md"])
def test_every_kind_is_led_to_from_the_pages(name: str, page: str) -> None:
    """What a department must know of its connection is found from where people begin."""
    manual = ROOT / "docs" / "adapters" / f"{name}.md"
    folder = "docs/adapters" if page.startswith("README") else "../adapters"

    assert manual.is_file()
    assert f"({folder}/{name}.md)" in (ROOT / page).read_text("utf-8")
