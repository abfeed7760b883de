#!/usr/bin/env python3
"""Run import-linter on the contracts of pyproject.toml, less the modules that are still planned.

import-linter stops at a contract that names a module which does not exist. A planned module is
left out, and named, until it exists; any other absent name is a slip of the pen and an error.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PLANNED = frozenset(
    {
        "adapters.conformance",
        "adapters.kinds",
        "adapters.mapping",
        "adapters.provider_node",
        "adapters.registry",
        "adapters.simulators",
        "adapters.transport",
        "gateway.access_log",
        "gateway.cli",
        "gateway.cli.demo",
        "gateway.cli.sandbox",
        "gateway.cli.simulate",
        "gateway.exchange",
        "gateway.matter",
        "gateway.policy",
        "gateway.rpc",
        "gateway.statement",
        "hutong.client",
        "hutong.evidence",
    }
)
OURS = re.compile(r'"((?:gateway|adapters|signing|certs|hutong)(?:\.\w+)*)",? ?')


def is_there(root: Path, module: str) -> bool:
    """Tell whether a module of ours stands in the tree below `root`."""
    path = root.joinpath(*module.split("."))
    return (path / "__init__.py").is_file() or path.with_suffix(".py").is_file()


def main(root: Path) -> int:
    """Report each broken contract; the exit code is import-linter's."""
    _, _, contracts = (root / "pyproject.toml").read_text("utf-8").partition("[tool.importlinter]")
    absent = {name for name in OURS.findall(contracts) if not is_there(root, name)}
    for name in sorted(absent - PLANNED):
        print(f"a contract names {name}, which does not exist", file=sys.stderr)
    if absent - PLANNED:
        return 1
    if absent:
        print("planned, not there yet:", ", ".join(sorted(absent)), file=sys.stderr)
    kept = OURS.sub(lambda match: "" if match[1] in absent else match[0], contracts)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "contracts.toml")
        config.write_text(f"[tool.importlinter]{kept}", "utf-8")
        command = [
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
            "--config",
            str(config),
        ]
        return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parent.parent))
