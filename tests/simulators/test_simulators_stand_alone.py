"""Simulators share no line with the clients they test."""

import ast
import re
from itertools import permutations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "adapters" / "simulators"
OURS = {"gateway", "adapters", "signing", "certs", "hutong", "bench"}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_simulators_import_nothing_of_ours() -> None:
    """Only adapters.simulators itself."""
    foreign = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] in OURS and not name.startswith("adapters.simulators")
    }

    assert foreign == set()


def test_the_population_knows_no_protocol() -> None:
    """The people are the same whatever serves them."""
    known = {name for path in (PACKAGE / "population").glob("*.py") for name in _imports(path)}

    assert not {
        name
        for name in known
        if name.split(".")[0] in {"aiohttp", "asyncpg", "asyncssh", "lxml", "jwt"}
    }


def test_departments_do_not_know_each_other() -> None:
    """None imports anything of another."""
    departments = (
        "bank",
        "civil_affairs",
        "commerce",
        "education",
        "health",
        "public_security",
        "tax",
    )

    for one, other in permutations(departments, 2):
        imported = {name for path in (PACKAGE / one).glob("*.py") for name in _imports(path)}
        assert not {name for name in imported if name.startswith(f"adapters.simulators.{other}")}


def test_no_module_reads_the_wall_clock_but_one() -> None:
    """Everything else takes the time from the virtual clock."""
    reading = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if re.search(r"time\.time|datetime\.now|date\.today", path.read_text())
    }

    assert reading == {"virtual_clock.py"}
