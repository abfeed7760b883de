"""Each threat of SECURITY.md names a function that exists and a test that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"^\| (?P<threat>[^|]+) \| (?P<code>`[^|]+) \| (?P<tests>`[^|]+) \|$", re.MULTILINE
)
TABLE = (
    (ROOT / "SECURITY.md").read_text("utf-8").partition("\n## Threats\n")[2].partition("\n## ")[0]
)
ROWS = [match.groupdict() for match in ROW.finditer(TABLE)]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _is_defined(dotted: str) -> bool:
    """Tell whether `package.module.Class.method` stands in the tree, without importing it."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        stem = ROOT.joinpath(*parts[:cut])
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file() and _holds(ast.parse(path.read_text("utf-8")), parts[cut:]):
                return True
    return False


def _holds(scope: ast.Module | ast.ClassDef, names: list[str]) -> bool:
    first, *rest = names
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name == first:
            return not rest or _holds(node, rest)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == first:
            return not rest
    return False


@cache
def _test_names() -> frozenset[str]:
    # Once for all rows: every test of the suite is parsed for it.
    return frozenset(
        node.name
        for path in ROOT.glob("tests/**/test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith("test_")
    )


def test_every_line_of_the_table_is_a_row() -> None:
    """A row that is written otherwise would not be looked at."""
    lines = [line for line in TABLE.splitlines() if line.startswith("|")][2:]

    assert ROWS
    assert len(lines) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["threat"])
def test_threat_is_stopped_by_code_that_exists(row: dict[str, str]) -> None:
    """The enforcing functions stand in the tree."""
    missing = [name for name in _names(row["code"]) if not _is_defined(name)]

    assert missing == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["threat"])
def test_threat_is_watched_by_a_test_that_exists(row: dict[str, str]) -> None:
    """The named tests are part of the suite."""
    missing = set(_names(row["tests"])) - _test_names()

    assert missing == set()
