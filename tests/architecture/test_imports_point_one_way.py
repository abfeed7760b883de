"""The import contracts of pyproject.toml hold, and would notice if they did not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "adapters", "signing", "certs", "hutong", "bench")
CONTRACTS = (ROOT / "pyproject.toml").read_text("utf-8").partition("[tool.importlinter]")[2]
NAMED = set(re.findall(r"\b(?:gateway|adapters|signing|certs|hutong)\b(?:\.[a-z]\w*)*", CONTRACTS))


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci/imports.py"), str(root)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _plant(root: Path, imports: dict[str, str]) -> None:
    """Write a tree that holds each module the contracts name; each one is a folder here."""
    shutil.copy(ROOT / "pyproject.toml", root)
    for module in [*NAMED, *imports]:
        folder = root.joinpath(*module.split("."))
        folder.mkdir(parents=True, exist_ok=True)
    for folder in [path for path in root.rglob("*") if path.is_dir()]:
        importer = ".".join(folder.relative_to(root).parts)
        text = f"import {imports[importer]}\n" if importer in imports else ""
        (folder / "__init__.py").write_text(text, "utf-8")


def test_contracts_hold() -> None:
    """No module of ours imports against the direction."""
    outcome = _lint(ROOT)

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_tree_without_imports_keeps_all_contracts(tmp_path: Path) -> None:
    """The stub tree itself breaks nothing, so that the next test shows what it says."""
    _plant(tmp_path, {})

    outcome = _lint(tmp_path)

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("signing.verifier", "gateway.exchange"),
        ("gateway.exchange", "gateway.rpc"),
        ("gateway.exchange", "grpc"),
        ("gateway.exchange", "adapters.simulators"),
        ("adapters.kinds.tax", "adapters.kinds.bank"),
        ("adapters.simulators.tax", "signing"),
        ("adapters.effects", "hutong.exchange"),
        ("hutong.evidence.proof", "certs"),
        ("gateway.stray", "json"),
    ],
)
def test_import_against_the_direction_is_refused(
    tmp_path: Path, importer: str, imported: str
) -> None:
    """Each kind of wrong import breaks a contract, and so does a module without a layer."""
    _plant(tmp_path, {"adapters.kinds.bank": "json", importer: imported})

    outcome = _lint(tmp_path)

    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert "BROKEN" in outcome.stdout, outcome.stdout + outcome.stderr


def test_contract_that_names_an_unknown_module_is_refused(tmp_path: Path) -> None:
    """A misspelt module in a contract is an error, not a contract that never fires."""
    _plant(tmp_path, {})
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace('"certs"', '"cerst"'), "utf-8")

    outcome = _lint(tmp_path)

    assert outcome.returncode == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_each_folder_with_code_is_a_package(package: str) -> None:
    """A folder without `__init__.py` would be invisible to the contracts."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}

    strays = [folder for folder in folders if not (folder / "__init__.py").is_file()]

    assert strays == []


def test_each_contract_has_its_generated_package() -> None:
    """A folder of proto/ without its twin below hutong/ would not be importable."""
    versions = {path.parent.relative_to(ROOT / "proto") for path in ROOT.glob("proto/**/*.proto")}

    missing = [version for version in versions if not (ROOT / version / "__init__.py").is_file()]

    assert versions
    assert missing == []


def test_each_grpc_service_of_others_is_served() -> None:
    """What adds a service to the server is imported by it, or not installed with it."""
    server = re.search(
        r"^server = \[\n(.*?)^\]",
        (ROOT / "pyproject.toml").read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    services = re.findall(r'"grpcio-(\w+)[\w-]*>=', server[1] if server else "")
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "gateway").rglob("*.py"))

    unserved = [name for name in services if f"from grpc_{name}" not in code]

    assert services
    assert unserved == []
